//! What is wrong with a line, and where.

use std::fmt;

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFaultKind {
    /// It is no JSON.
    Syntax,
    /// It is JSON, and not what is wanted.
    Field,
    /// It is not UTF-8.
    NotUtf8,
}

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// What kind of fault it is.
    pub kind: LineFaultKind,
    /// What is wrong.
    pub message: String,
    /// Its line, from 1, and the byte in it, from 1; none where the message names the key. A single line has the number 1.
    pub place: Option<(usize, usize)>,
}

impl fmt::Display for LineFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match self.place {
            None => Ok(()),
            Some((1, column)) => write!(formatter, ", at column {column}"),
            Some((line, column)) => write!(formatter, ", at line {line}, column {column}"),
        }
    }
}

impl std::error::Error for LineFault {}

impl LineFault {
    /// The fault of what stands under a key.
    #[must_use]
    pub fn of_key(key: &str, what: &str) -> Self {
        Self { kind: LineFaultKind::Field, message: format!("`{key}` {what}"), place: None }
    }
}

/// What is wrong with a line that the crate refuses, with its place.
pub(super) fn fault(line: &[u8], error: &serde_json::Error, column: usize) -> LineFault {
    let place = Some((error.line().max(1), column.max(1)));
    if error.is_data() {
        return LineFault { kind: LineFaultKind::Field, message: said(error), place };
    }
    match std::str::from_utf8(line) {
        Ok(_) => LineFault { kind: LineFaultKind::Syntax, message: said(error), place },
        Err(error) => {
            let before = &line[..error.valid_up_to()];
            let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let number = before.split(|byte| *byte == b'\n').count();
            let place = Some((number, before.len() - start + 1));
            LineFault { kind: LineFaultKind::NotUtf8, message: "what stands here is not UTF-8".to_owned(), place }
        }
    }
}

/// What an error says, without its place.
fn said(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or(&message).to_owned()
}
