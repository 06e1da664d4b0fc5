//! The tables of a database of labels.
//!
//! ```text
//! meta        key, value                                          how labels are collected; `version` is this format's
//! items       number, id, prompt, source                          what is judged; `source` is the row that it came from
//! answers     item, place, text, tokens, shown                    what the model answered; `shown` is the place on the page, from 0
//! judgments   number, item, labeler, kind, value, skip, created_at, replaced_by
//! ```
//!
//! A judgment counts as long as `replaced_by` is null: a later one of the same labeler on the same item takes its place, and so does an
//! undoing, which is a row of its own. One at most counts of each labeler on each item; the index says so.

use rusqlite::{Connection, Params, Row};

/// The version of the format. Another one is refused.
pub const VERSION: u32 = 1;

/// The file in a folder of labels.
pub const FILE: &str = "labels.sqlite";

/// What makes the tables.
pub const TABLES: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE items (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        prompt TEXT NOT NULL,
        source TEXT NOT NULL
    ) STRICT;
    CREATE TABLE answers (
        item INTEGER NOT NULL REFERENCES items (number),
        place INTEGER NOT NULL,
        text TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        shown INTEGER NOT NULL,
        PRIMARY KEY (item, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE judgments (
        number INTEGER PRIMARY KEY,
        item INTEGER NOT NULL REFERENCES items (number),
        labeler TEXT NOT NULL,
        kind TEXT NOT NULL,
        value TEXT,
        skip TEXT,
        created_at INTEGER NOT NULL,
        replaced_by INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX counting ON judgments (item, labeler) WHERE replaced_by IS NULL AND kind <> 'undo';
    CREATE INDEX by_labeler ON judgments (labeler);
";

/// All rows that a question is answered with.
pub fn all<T>(
    connection: &Connection,
    question: &str,
    params: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare(question)?;
    statement.query_map(params, row)?.collect()
}
