//! The database of a folder of labels: `SQLite`, written ahead and synced with every judgment.
//!
//! ```text
//! judge   one transaction: the judgment before is marked, the new one written       what it returned is on the disk
//! undo    one transaction: the last judgment is marked, a row says so               nothing is deleted
//! ```
//!
//! Whoever writes holds the folder; whoever reads may do so meanwhile.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior};
use system::FolderLock;

use super::{
    check::check,
    judgment::{COLUMNS, Judgment, StoredJudgment},
    prompts::Prompt,
    settings::LabelSettings,
    tables::{FILE, TABLES, all},
    verdict::{UNDO, Verdict},
};
use crate::error::{Error, Result};

/// A prompt that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its number in the database.
    pub number: i64,
    /// What it is called.
    pub id: String,
}

/// An answer of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it says.
    pub text: String,
    /// Tokens, without the end of the text.
    pub tokens: u32,
    /// Its place on the page, from 0.
    pub shown: u32,
}

/// The database of a folder.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    settings: LabelSettings,
    items: Vec<Item>,
    /// Held by whoever writes. It is let go after the connection.
    _lock: Option<FolderLock>,
}

impl Store {
    /// Opens a folder to write, which begins it where nothing is there; prompts that it does not have are added.
    ///
    /// # Errors
    /// When another program holds it, it was begun with other settings or has other prompts by these ids, or does not fit together.
    pub fn create(folder: &Path, settings: &LabelSettings, prompts: &[Prompt]) -> Result<Self> {
        let lock = FolderLock::take(folder)?.ok_or_else(|| Error::LabelsHeld { path: folder.to_owned() })?;
        let path = folder.join(FILE);
        let mut connection = opened(&path, OpenFlags::SQLITE_OPEN_CREATE).map_err(Error::database("open", &path))?;
        begin(&mut connection, settings).map_err(Error::database("write", &path))?;
        let before = check(&connection, &path)?;
        let mut differences = settings.differences(&before);
        if differences.is_empty() {
            differences = add(&mut connection, prompts).map_err(Error::database("write", &path))?;
        }
        if !differences.is_empty() {
            return Err(Error::OtherLabels { path, differences });
        }
        Self::with(path, connection, before, Some(lock))
    }

    /// Opens what a folder holds, to read it.
    ///
    /// # Errors
    /// When nothing is there, or it does not fit together.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(Error::NoLabels { path: folder.to_owned() });
        }
        let connection = opened(&path, OpenFlags::empty()).map_err(Error::database("open", &path))?;
        // what is checked, and read afterwards, is of one moment, whoever writes meanwhile
        connection.execute_batch("BEGIN DEFERRED").map_err(Error::database("read", &path))?;
        let settings = check(&connection, &path)?;
        Self::with(path, connection, settings, None)
    }

    fn with(path: PathBuf, connection: Connection, settings: LabelSettings, lock: Option<FolderLock>) -> Result<Self> {
        let items = all(&connection, "SELECT number, id FROM items ORDER BY number", (), |row| {
            Ok(Item { number: row.get(0)?, id: row.get(1)? })
        });
        let items = items.map_err(Error::database("read", &path))?;
        Ok(Self { path, connection, settings, items, _lock: lock })
    }

    /// How labels are collected.
    pub fn settings(&self) -> &LabelSettings {
        &self.settings
    }

    /// All items, in the order of their numbers.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// An item by its number, if it is there.
    pub fn item(&self, number: i64) -> Option<&Item> {
        let place = self.items.binary_search_by_key(&number, |item| item.number).ok()?;
        Some(&self.items[place])
    }

    /// The prompt of an item.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn prompt(&self, item: i64) -> Result<String> {
        let question = "SELECT prompt FROM items WHERE number = ?1";
        let prompt = self.connection.query_row(question, [item], |row| row.get(0));
        prompt.map_err(Error::database("read", &self.path))
    }

    /// The answers to an item, in their own order; none where they were not drawn yet.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn answers(&self, item: i64) -> Result<Option<Vec<Answer>>> {
        let question = "SELECT text, tokens, shown FROM answers WHERE item = ?1 ORDER BY place";
        let answers = all(&self.connection, question, [item], |row| {
            Ok(Answer { text: row.get(0)?, tokens: row.get(1)?, shown: row.get(2)? })
        });
        let answers = answers.map_err(Error::database("read", &self.path))?;
        Ok((!answers.is_empty()).then_some(answers))
    }

    /// Keeps the answers to an item, unless it has some.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn add_answers(&mut self, item: i64, answers: &[Answer]) -> Result<()> {
        let Self { path, connection, .. } = self;
        add_answers(connection, item, answers).map_err(Error::database("write", &*path))
    }

    /// The items that a labeler has judged.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn judged(&self, labeler: &str) -> Result<HashSet<i64>> {
        let question = "SELECT item FROM judgments WHERE labeler = ?1 AND replaced_by IS NULL AND kind <> 'undo'";
        let items = all(&self.connection, question, [labeler], |row| row.get(0));
        Ok(items.map_err(Error::database("read", &self.path))?.into_iter().collect())
    }

    /// The last judgment of a labeler that counts.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn last(&self, labeler: &str) -> Result<Option<Judgment>> {
        let question = format!(
            "SELECT {COLUMNS} FROM judgments WHERE labeler = ?1 AND replaced_by IS NULL AND kind <> 'undo' ORDER BY number DESC LIMIT 1"
        );
        let last = self.connection.query_row(&question, [labeler], StoredJudgment::of_row).optional();
        let last = last.map_err(Error::database("read", &self.path))?;
        last.map(|last| last.judgment(&self.path)).transpose()
    }

    /// The judgment of a labeler on an item that counts, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn counting(&self, item: i64, labeler: &str) -> Result<Option<Judgment>> {
        let found = counting(&self.connection, item, labeler).map_err(Error::database("read", &self.path))?;
        found.map(|found| found.judgment(&self.path)).transpose()
    }

    /// All judgments that count, in the order in which they were made.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn judgments(&self) -> Result<Vec<Judgment>> {
        let question =
            format!("SELECT {COLUMNS} FROM judgments WHERE replaced_by IS NULL AND kind <> 'undo' ORDER BY number");
        let rows = all(&self.connection, &question, (), StoredJudgment::of_row);
        let rows = rows.map_err(Error::database("read", &self.path))?;
        rows.into_iter().map(|row| row.judgment(&self.path)).collect()
    }

    /// Keeps what a labeler says of an item, in the place of what they said before. Who says the same again has said it once.
    ///
    /// Returns the number of the judgment, which is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn judge(&mut self, item: i64, labeler: &str, verdict: &Verdict) -> Result<i64> {
        let Self { path, connection, .. } = self;
        judge(connection, item, labeler, verdict).map_err(Error::database("write", &*path))
    }

    /// Takes a judgment back.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn undo(&mut self, judgment: &Judgment) -> Result<()> {
        let Self { path, connection, .. } = self;
        undo(connection, judgment).map_err(Error::database("write", &*path))
    }
}

/// A connection that has written to the disk what it says it has.
fn opened(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    // one thread at a time has it
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    Ok(connection)
}

/// Makes the tables where there is none.
fn begin(connection: &mut Connection, settings: &LabelSettings) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if tables == 0 {
        transaction.execute_batch(TABLES)?;
        for (key, value) in settings.rows() {
            transaction.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", (key, value))?;
        }
    }
    transaction.commit()
}

/// Adds the prompts that are not there; where another prompt has an id, nothing is added, and what differs is returned.
fn add(connection: &mut Connection, prompts: &[Prompt]) -> rusqlite::Result<Vec<String>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let there = all(&transaction, "SELECT id, prompt FROM items", (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let there: HashMap<String, String> = there.into_iter().collect();
    for Prompt { id, text: prompt, source } in prompts {
        match there.get(id) {
            Some(before) if before != prompt => {
                return Ok(vec![format!("the prompt `{id}` ({source}) was another one")]);
            }
            Some(_) => {}
            None => {
                let statement = "INSERT INTO items (id, prompt, source) VALUES (?1, ?2, ?3)";
                transaction.execute(statement, (id, prompt, source))?;
            }
        }
    }
    transaction.commit()?;
    Ok(Vec::new())
}

fn add_answers(connection: &mut Connection, item: i64, answers: &[Answer]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let question = "SELECT count(*) FROM answers WHERE item = ?1";
    let there: i64 = transaction.query_row(question, [item], |row| row.get(0))?;
    if there == 0 {
        for (place, Answer { text, tokens, shown }) in (0_i64..).zip(answers) {
            let statement = "INSERT INTO answers (item, place, text, tokens, shown) VALUES (?1, ?2, ?3, ?4, ?5)";
            transaction.execute(statement, (item, place, text, tokens, shown))?;
        }
    }
    transaction.commit()
}

fn counting(connection: &Connection, item: i64, labeler: &str) -> rusqlite::Result<Option<StoredJudgment>> {
    let question = format!(
        "SELECT {COLUMNS} FROM judgments WHERE item = ?1 AND labeler = ?2 AND replaced_by IS NULL AND kind <> 'undo'"
    );
    connection.query_row(&question, (item, labeler), StoredJudgment::of_row).optional()
}

fn judge(connection: &mut Connection, item: i64, labeler: &str, verdict: &Verdict) -> rusqlite::Result<i64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = counting(&transaction, item, labeler)?;
    if let Some(before) = &before
        && before.verdict().is_ok_and(|said| said.as_ref() == Some(verdict))
    {
        // an answer that was lost on its way is asked for again
        return Ok(before.number);
    }
    let number = next_number(&transaction)?;
    if let Some(before) = before {
        replace(&transaction, before.number, number)?;
    }
    let (kind, value, skip) = verdict.columns();
    let statement = "INSERT INTO judgments (number, item, labeler, kind, value, skip, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    transaction.execute(statement, (number, item, labeler, kind, value, skip, now()))?;
    transaction.commit()?;
    Ok(number)
}

fn undo(connection: &mut Connection, judgment: &Judgment) -> rusqlite::Result<()> {
    let Judgment { number: undone, item, labeler, .. } = judgment;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = next_number(&transaction)?;
    replace(&transaction, *undone, number)?;
    let statement = "INSERT INTO judgments (number, item, labeler, kind, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    transaction.execute(statement, (number, item, labeler, UNDO, now()))?;
    transaction.commit()
}

fn next_number(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    transaction.query_row("SELECT coalesce(max(number), 0) + 1 FROM judgments", (), |row| row.get(0))
}

fn replace(transaction: &Transaction<'_>, before: i64, number: i64) -> rusqlite::Result<()> {
    let statement = "UPDATE judgments SET replaced_by = ?2 WHERE number = ?1 AND replaced_by IS NULL";
    transaction.execute(statement, (before, number))?;
    Ok(())
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Kind, SamplingSettings};

    fn settings() -> LabelSettings {
        let sampling = SamplingSettings {
            model: "small".into(),
            fingerprint: "ab".into(),
            answers: 2,
            tokens: 8,
            temperature: 1.0,
        };
        LabelSettings { kind: Kind::Rankings, seed: 1, sampling: Some(sampling) }
    }

    fn prompts(count: usize) -> Vec<Prompt> {
        let prompt = |number: usize| Prompt {
            id: format!("p{number}"),
            text: format!("What is {number}?"),
            source: format!("prompts.jsonl, line {number}"),
        };
        (1..=count).map(prompt).collect()
    }

    fn answers() -> Vec<Answer> {
        let answer = |text: &str, shown| Answer { text: text.into(), tokens: 1, shown };
        vec![answer("a", 1), answer("b", 0)]
    }

    fn ranks(ranks: &[i64]) -> Verdict {
        Verdict::Ranks(ranks.to_vec())
    }

    /// What was said before is marked, whether it is judged anew or undone; what is said twice stands once.
    #[test]
    fn judgments_are_marked_and_stay() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut store = Store::create(folder.path(), &settings(), &prompts(2))?;
        assert_eq!(store.answers(1)?, None);
        store.add_answers(1, &answers())?;
        store.add_answers(1, &[])?;
        assert_eq!(store.answers(1)?, Some(answers()));
        assert_eq!(store.judge(1, "ann", &ranks(&[1, 2]))?, 1);
        assert_eq!(store.judge(1, "ann", &ranks(&[1, 2]))?, 1);
        assert_eq!(store.judge(1, "bob", &Verdict::Skip("unclear".into()))?, 2);
        assert_eq!(store.judge(1, "ann", &ranks(&[2, 2]))?, 3);
        let last = store.last("ann")?.expect("she has judged");
        assert_eq!((last.number, &last.verdict), (3, &ranks(&[2, 2])));
        store.undo(&last)?;
        assert_eq!((store.last("ann")?, store.judged("ann")?.len(), store.judged("bob")?.len()), (None, 0, 1));
        assert_eq!(store.judge(1, "ann", &ranks(&[2, 1]))?, 5);
        let question = "SELECT number, kind, replaced_by FROM judgments ORDER BY number";
        let rows = all(&store.connection, question, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let rows: Vec<(i64, String, Option<i64>)> = rows.expect("they are there");
        let of = |number, kind: &str, replaced| (number, kind.to_owned(), replaced);
        let expected = [
            of(1, "ranking", Some(3)),
            of(2, "skip", None),
            of(3, "ranking", Some(4)),
            of(4, "undo", None),
            of(5, "ranking", None),
        ];
        assert_eq!(rows, expected);
        let judgments = store.judgments()?;
        assert_eq!(judgments.iter().map(|judgment| judgment.number).collect::<Vec<_>>(), [2, 5]);
        Ok(())
    }

    /// A folder goes on as it was begun, and one program at a time writes.
    #[test]
    fn a_folder_is_held_and_goes_on() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        assert!(matches!(Store::open(folder.path()), Err(Error::NoLabels { .. })));
        let store = Store::create(folder.path(), &settings(), &prompts(2))?;
        let held = Store::create(folder.path(), &settings(), &prompts(2));
        assert!(matches!(held, Err(Error::LabelsHeld { .. })));
        assert_eq!(Store::open(folder.path())?.items().len(), 2, "it can be read meanwhile");
        drop(store);
        let store = Store::create(folder.path(), &settings(), &prompts(4))?;
        assert_eq!((store.items().len(), store.prompt(4)?.as_str()), (4, "What is 4?"));
        assert_eq!((store.item(3).map(|item| item.id.as_str()), store.item(5)), (Some("p3"), None));
        drop(store);
        let mut others = prompts(1);
        others[0].text = "Who?".into();
        let more_answers = LabelSettings { seed: 2, ..settings() };
        for (settings, prompts, message) in
            [(more_answers, prompts(4), "`seed` was 1, and is 2"), (settings(), others, "the prompt `p1`")]
        {
            let error = Store::create(folder.path(), &settings, &prompts).expect_err("it was another").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }

    /// Whatever somebody changes by hand so that it does not fit is named by its table and row.
    #[test]
    fn what_does_not_fit_is_named() -> Result<()> {
        for (change, message) in [
            (
                "UPDATE judgments SET value = '[1]' WHERE number = 1",
                "judgments, row 1: it ranks 1 answers, and there are 2",
            ),
            ("UPDATE judgments SET value = '[0,1]' WHERE number = 1", "judgments, row 1: it has the rank 0"),
            ("UPDATE judgments SET value = 'best' WHERE number = 1", "judgments, row 1: its ranks are \"best\""),
            (
                "UPDATE judgments SET value = NULL WHERE number = 1",
                "judgments, row 1: a judgment of the kind ranking has no value",
            ),
            (
                "UPDATE judgments SET item = 9 WHERE number = 2",
                "judgments, row 2: it judges item 9, which is not there",
            ),
            (
                "UPDATE judgments SET item = 2 WHERE number = 2",
                "judgments, row 2: it judges item 2, which has no answers",
            ),
            (
                "UPDATE judgments SET labeler = '' WHERE number = 2",
                "judgments, row 2: its labeler is \"\", which is no name",
            ),
            ("UPDATE judgments SET replaced_by = 7 WHERE number = 2", "judgments, row 2: it is replaced by 7"),
            (
                "UPDATE judgments SET replaced_by = 2 WHERE number = 1",
                "judgments, row 1: judgment 2, which replaces it",
            ),
            ("UPDATE judgments SET kind = 'praise' WHERE number = 1", "judgments, row 1: its kind is \"praise\""),
            ("DELETE FROM items WHERE number = 1", "answers, row item 1: there is no such item"),
            ("DELETE FROM answers WHERE place = 1", "answers, row item 1: it has 1 answers, and each item has 2"),
            ("UPDATE answers SET shown = 1", "answers, row item 1: its answers are not shown in one place each"),
            ("UPDATE answers SET place = 5 WHERE place = 1", "answers, row item 1: its answers have other places"),
            ("UPDATE meta SET value = '7' WHERE key = 'version'", "meta, row version: it is 7, and this program reads"),
            ("DELETE FROM meta WHERE key = 'seed'", "meta, row seed: it is not there"),
            ("DROP TABLE judgments", "no such table: judgments"),
        ] {
            let folder = tempfile::tempdir().expect("the temporary folder can be written");
            let mut store = Store::create(folder.path(), &settings(), &prompts(2))?;
            store.add_answers(1, &answers())?;
            store.judge(1, "ann", &ranks(&[1, 2]))?;
            store.judge(1, "bob", &ranks(&[2, 1]))?;
            drop(store);
            assert!(Store::open(folder.path()).is_ok());
            let connection = Connection::open(folder.path().join(FILE)).expect("it can be opened");
            connection.execute_batch("PRAGMA foreign_keys = OFF").expect("it can be set");
            connection.execute_batch(change).expect("it can be changed");
            drop(connection);
            let error = Store::open(folder.path()).expect_err("it does not fit").to_string();
            assert!(error.contains(message), "{change}: {error}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_database_is_refused() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        std::fs::write(folder.path().join(FILE), "labels, ".repeat(600)).expect("it can be written");
        let error = Store::open(folder.path()).expect_err("it is text").to_string();
        assert!(error.contains("labels.sqlite") && error.contains("not a database"), "{error}");
    }
}
