//! Whether what stands in a database of labels fits together: it may have been changed by hand.
//!
//! ```text
//! file -> pages are sound -> meta -> items -> answers: all of an item's, each shown once -> judgments: of items and answers that are there
//! ```
//!
//! The first row that does not fit is named.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use rusqlite::Connection;

use super::{
    judgment::{COLUMNS, StoredJudgment},
    labeler::labeler_name,
    settings::LabelSettings,
    tables::all,
};
use crate::error::{Error, Result};

/// Checks a database. Returns how its labels are collected.
///
/// # Errors
/// When it cannot be read, is of another version, or a row does not fit: with the row.
pub fn check(connection: &Connection, path: &Path) -> Result<LabelSettings> {
    let sound: String =
        connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0)).map_err(Error::database("read", path))?;
    if sound != "ok" {
        return Err(Error::Damaged { path: path.to_owned(), message: sound });
    }
    let pairs = all(connection, "SELECT key, value FROM meta", (), |row| Ok((row.get(0)?, row.get(1)?)));
    let pairs: BTreeMap<String, String> = pairs.map_err(Error::database("read", path))?.into_iter().collect();
    let settings = LabelSettings::of_rows(&pairs).map_err(|(key, message)| fault(path, "meta", key.into(), message))?;
    let items = items(connection, path)?;
    let answered = check_answers(connection, path, &items, settings.answers())?;
    check_judgments(connection, path, &settings, &items, &answered)?;
    Ok(settings)
}

fn fault(path: &Path, table: &'static str, row: String, message: String) -> Error {
    Error::DamagedLabels { path: path.to_owned(), table, row, message }
}

fn items(connection: &Connection, path: &Path) -> Result<HashSet<i64>> {
    let rows = all(connection, "SELECT number, id FROM items", (), |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(i64, String)> = rows.map_err(Error::database("read", path))?;
    match rows.iter().find(|(_, id)| id.is_empty()) {
        Some((number, _)) => Err(fault(path, "items", number.to_string(), "its id is empty".into())),
        None => Ok(rows.into_iter().map(|(number, _)| number).collect()),
    }
}

/// An answer, without its text.
struct StoredAnswer {
    item: i64,
    place: i64,
    tokens: i64,
    shown: i64,
}

/// Checks all answers. Returns the items that have some.
fn check_answers(connection: &Connection, path: &Path, items: &HashSet<i64>, count: usize) -> Result<HashSet<i64>> {
    let question = "SELECT item, place, tokens, shown FROM answers ORDER BY item, place";
    let rows = all(connection, question, (), |row| {
        Ok(StoredAnswer { item: row.get(0)?, place: row.get(1)?, tokens: row.get(2)?, shown: row.get(3)? })
    });
    let rows = rows.map_err(Error::database("read", path))?;
    let mut answered = HashSet::new();
    for answers in rows.chunk_by(|one, other| one.item == other.item) {
        let item = answers[0].item;
        let of_item = |message: String| fault(path, "answers", format!("item {item}"), message);
        if !items.contains(&item) {
            return Err(of_item("there is no such item".into()));
        }
        if answers.len() != count {
            return Err(of_item(format!("it has {} answers, and each item has {count}", answers.len())));
        }
        let mut shown: Vec<i64> = answers.iter().map(|answer| answer.shown).collect();
        shown.sort_unstable();
        if !counts_up(answers.iter().map(|answer| answer.place)) {
            return Err(of_item(format!("its answers have other places than 0 to {}", count.saturating_sub(1))));
        }
        if !counts_up(shown) {
            return Err(of_item("its answers are not shown in one place each".into()));
        }
        if answers.iter().any(|answer| answer.tokens < 0) {
            return Err(of_item("an answer has fewer than 0 tokens".into()));
        }
        answered.insert(item);
    }
    Ok(answered)
}

/// Whether numbers are 0, 1, and so on.
fn counts_up(numbers: impl IntoIterator<Item = i64>) -> bool {
    numbers.into_iter().zip(0..).all(|(number, place)| number == place)
}

fn check_judgments(
    connection: &Connection,
    path: &Path,
    settings: &LabelSettings,
    items: &HashSet<i64>,
    answered: &HashSet<i64>,
) -> Result<()> {
    let question = format!("SELECT {COLUMNS} FROM judgments ORDER BY number");
    let rows = all(connection, &question, (), StoredJudgment::of_row).map_err(Error::database("read", path))?;
    let by_number: HashMap<i64, &StoredJudgment> = rows.iter().map(|row| (row.number, row)).collect();
    let mut counting = HashSet::new();
    for row in &rows {
        let of_row = |message: String| fault(path, "judgments", row.number.to_string(), message);
        let StoredJudgment { item, labeler, replaced_by, created_at, .. } = row;
        if !items.contains(item) {
            return Err(of_row(format!("it judges item {item}, which is not there")));
        }
        if !labeler_name(labeler).is_ok_and(|name| name == *labeler) {
            return Err(of_row(format!("its labeler is {labeler:?}, which is no name")));
        }
        if *created_at < 0 {
            return Err(of_row(format!("it was made at {created_at}, which is no time")));
        }
        let verdict = row.verdict().map_err(of_row)?;
        if let Some(verdict) = &verdict {
            verdict.check(settings.kind, settings.answers()).map_err(of_row)?;
            if settings.answers() > 0 && !answered.contains(item) {
                return Err(of_row(format!("it judges item {item}, which has no answers")));
            }
        }
        match replaced_by.map(|number| (number, by_number.get(&number))) {
            Some((number, Some(later))) if number > row.number && (later.item, &later.labeler) == (*item, labeler) => {}
            Some((number, Some(_))) if number > row.number => {
                return Err(of_row(format!("judgment {number}, which replaces it, is of another item or labeler")));
            }
            Some((number, _)) => return Err(of_row(format!("it is replaced by {number}, which is no later judgment"))),
            None if verdict.is_some() && !counting.insert((*item, labeler.as_str())) => {
                return Err(of_row(format!("{labeler} has judged item {item} before, and that judgment counts, too")));
            }
            None => {}
        }
    }
    Ok(())
}
