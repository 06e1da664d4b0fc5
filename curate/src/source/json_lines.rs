//! JSON lines as documents.

use std::{fmt, io};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use super::{
    columns::{Columns, Found, Picked},
    raw::{Raw, RawReader, Unpacked},
    row::Row,
};
use crate::archive::Fault;

/// How JSON lines become rows.
pub const VERSION: crate::files::Version = crate::files::Version::new("source/json_lines", 1);

/// The lines of a file.
pub struct Lines {
    input: Unpacked,
    offset: u64,
    ended: bool,
}

impl Lines {
    pub fn new(input: Unpacked) -> Self {
        Self { input, offset: 0, ended: false }
    }
}

impl RawReader for Lines {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        while !self.ended {
            let offset = self.offset;
            let mut bytes = Vec::new();
            match self.input.bytes.read_until(b'\n', &mut bytes) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.offset += count as u64;
                    bytes.truncate(bytes.trim_ascii_end().len());
                    // a blank line is no record
                    if !bytes.is_empty() {
                        return Ok(Some(Raw::Line { offset, bytes }));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return self.input.packing.fault(error, offset).map(Some);
                }
            }
        }
        Ok(None)
    }
}

/// Reads an object.
pub fn row(source: &str, columns: &Columns, offset: u64, line: &[u8]) -> Row {
    let row = Row { offset, bytes: line.len() as u64, ..Row::default() };
    let mut object = serde_json::Deserializer::from_slice(line);
    let picked = match Pick(columns).deserialize(&mut object).and_then(|picked| object.end().map(|()| picked)) {
        Ok(picked) => picked,
        Err(error) => return row.broken(json_fault(line, &error), error.to_string()),
    };
    picked.document(source, row, &columns.text)
}

fn json_fault(line: &[u8], error: &serde_json::Error) -> Fault {
    if error.is_data() {
        Fault::JsonField
    } else if std::str::from_utf8(line).is_err() {
        Fault::NotUtf8
    } else {
        Fault::JsonSyntax
    }
}

struct Pick<'a>(&'a Columns);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Picked;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Picked, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Picked;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Picked, M::Error> {
        let Self(columns) = self;
        let mut picked = Picked::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == columns.text {
                picked.text = match map.next_value::<Scalar>()? {
                    Scalar::Text(text) => Found::Text(text),
                    _ => Found::Other,
                };
            } else if key == columns.id {
                picked.id = map.next_value::<Scalar>()?.present();
            } else if key == columns.url {
                picked.url = map.next_value::<Scalar>()?.present();
            } else if key == columns.date {
                picked.date = map.next_value::<Scalar>()?.present();
            } else if key == columns.title {
                picked.title = map.next_value::<Scalar>()?.present();
            } else if key == columns.language {
                picked.language = map.next_value::<Scalar>()?.present();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(picked)
    }
}

/// A value that may stand for a name: ids and dates are numbers in some corpora.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Other(IgnoredAny),
}

impl Scalar {
    fn present(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text).filter(|text| !text.is_empty()),
            Self::Number(number) => Some(number.to_string()),
            Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use schemas::identity::DocumentId;

    use super::*;
    use crate::source::row::Outcome;

    fn read(line: &str) -> Row {
        row("forum", &Columns::default(), 7, line.as_bytes())
    }

    #[test]
    fn an_id_may_be_a_number() {
        let row = read(r#"{"id": 12, "meta": {"a": [1]}, "text": "Hello."}"#);
        assert_eq!(row.record.as_deref(), Some("12"));
        assert_eq!(row.id, Some(DocumentId::of("forum", "12", "", b"Hello.")));
        assert!(matches!(row.outcome, Outcome::Text(text) if text == "Hello."));
    }

    #[test]
    fn what_is_no_document_says_why() {
        let fault = |line: &str| match read(line).outcome {
            Outcome::Quarantined(fault, detail) => (fault, detail),
            other => panic!("expected a fault, found {other:?}"),
        };
        assert_eq!(fault(r#"{"text": "cut o"#).0, Fault::JsonSyntax);
        assert_eq!(fault(r#"{"text": "a"} {"#).0, Fault::JsonSyntax);
        assert_eq!(fault(r#"{"body": "a"}"#), (Fault::JsonField, "there is no `text`".into()));
        assert_eq!(fault(r#"{"text": 3}"#), (Fault::JsonField, "`text` is no string".into()));
        assert_eq!(fault("[1, 2]").0, Fault::JsonField);
        assert!(matches!(read(r#"{"text": " "}"#).outcome, Outcome::Dropped(super::super::Reason::NoText)));
    }
}
