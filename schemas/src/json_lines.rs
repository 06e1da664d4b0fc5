//! Lines of JSON as they come: how both programs read one.
//!
//! What RFC 8259 allows is read at full speed. A line that fails is looked at once more for what other programs write that it does not
//! allow, and read again:
//!
//! ```text
//! "\ud83d"                  half of a surrogate pair, as a cut emoji leaves it: U+FFFD
//! NaN Infinity -Infinity    numbers that are none: read over under keys that nobody reads, a fault under those that are read
//! ```
//!
//! Of two equal keys the last counts, as in Python and JavaScript. What stands under a key that nobody reads may be nested to any depth.
//!
//! Python and JavaScript keep half a pair, which then cannot be written as UTF-8; Go writes U+FFFD; jq 1.7 does so for the second half and
//! refuses the first. The three numbers are what Python's `json.dumps` writes for what is missing in a table.

use std::fmt;

use serde::{
    Deserializer as _,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Deserializer, Number, Value};

/// What stands under a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Field {
    /// There is no such key.
    #[default]
    Missing,
    /// `null`.
    Null,
    /// A string.
    Text(String),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Flag(bool),
    /// `NaN`, `Infinity` or `-Infinity`, which are no JSON.
    NotANumber(&'static str),
    /// A list.
    List,
    /// An object.
    Object,
}

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

impl Field {
    /// The text under `key`.
    ///
    /// # Errors
    /// When there is none: what stands in its place.
    pub fn into_text(self, key: &str) -> Result<String, LineFault> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Missing => {
                Err(LineFault { kind: LineFaultKind::Field, message: format!("there is no `{key}`"), place: None })
            }
            other => Err(LineFault::of_key(key, &format!("is {}, and no string", other.what()))),
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
            Self::NotANumber(name) => name,
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// What stands under some keys of a line that holds an object.
///
/// # Errors
/// When the line is no object, or no JSON.
pub fn fields<const N: usize>(line: &[u8], names: [&str; N]) -> Result<[Field; N], LineFault> {
    read(line, |line| {
        let mut object = Deserializer::from_slice(line);
        let fields = object.deserialize_map(Fields(names))?;
        object.end().map(|()| fields)
    })
    .map(|(fields, _)| fields)
}

/// The value that a line holds, or a whole file. What is no number is null.
///
/// # Errors
/// When it is no JSON, or an outermost object has such a number under a key of which `is_read` is true.
pub fn value(line: &[u8], is_read: impl Fn(&str) -> bool) -> Result<Value, LineFault> {
    let mut found = values(line)?;
    found.settle(is_read)?;
    Ok(found.value)
}

/// Whether some bytes are the beginning of a value and no more, as where a file was cut within its last line. Nobody knows then what stood
/// behind.
#[must_use]
pub fn is_cut(line: &[u8]) -> bool {
    let ends_early = |line: &[u8]| serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof());
    let is_cut = |line: &[u8]| Mended::of(line).map_or_else(|| ends_early(line), |mended| ends_early(&mended.line));
    let line = line.trim_ascii_end();
    // a word for what is no number may be cut as well
    let begun = |(word, _): &(&str, _)| (1..word.len()).rev().find(|end| line.ends_with(&word.as_bytes()[..*end]));
    let begun = NOT_NUMBERS.iter().filter_map(begun).max();
    !line.is_empty() && (is_cut(line) || begun.is_some_and(|length| is_cut(&line[..line.len() - length])))
}

/// A value in which what is no number may still stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// The value.
    pub value: Value,
    /// Whether it had to be mended; only then is there anything to settle.
    pub mended: bool,
}

/// The value that a file holds, for whoever makes several of it: each has to be [settled](Values::settle).
///
/// # Errors
/// When it is no JSON.
pub fn values(file: &[u8]) -> Result<Values, LineFault> {
    let (value, mended) = read(file, |file| serde_json::from_slice(file))?;
    Ok(Values { value, mended })
}

impl Values {
    /// Puts null in the place of what is no number.
    ///
    /// # Errors
    /// When it stands in the outermost object, under a key of which `is_read` is true.
    pub fn settle(&mut self, is_read: impl Fn(&str) -> bool) -> Result<(), LineFault> {
        match &mut self.value {
            _ if !self.mended => {}
            Value::Object(object) => {
                let mut read = object.iter().filter(|(key, _)| is_read(key));
                if let Some((key, word)) = read.find_map(|(key, value)| Some((key, first_word(value)?))) {
                    return Err(LineFault::of_key(key, &format!("holds {word}, which is no JSON: write null")));
                }
                object.values_mut().for_each(without_words);
            }
            other => without_words(other),
        }
        Ok(())
    }
}

/// Reads a line, or a whole file; where that fails, what it is when it is mended, which is said then.
fn read<T>(line: &[u8], read: impl Fn(&[u8]) -> serde_json::Result<T>) -> Result<(T, bool), LineFault> {
    let error = match read(line) {
        Ok(value) => return Ok((value, false)),
        Err(error) => error,
    };
    let Some(mended) = Mended::of(line) else { return Err(fault(line, &error, error.column())) };
    let again = read(&mended.line).map(|value| (value, true));
    again.map_err(|error| fault(line, &error, mended.column(error.line(), error.column())))
}

fn fault(line: &[u8], error: &serde_json::Error, column: usize) -> LineFault {
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

/// The words for what is no number, each with what stands for it in a mended line: a string that begins with a noncharacter, which no
/// text is to hold (the Unicode Standard, 23.7).
const NOT_NUMBERS: [(&str, &str); 3] =
    [("NaN", "\"\u{fdd0}NaN\""), ("Infinity", "\"\u{fdd0}Infinity\""), ("-Infinity", "\"\u{fdd0}-Infinity\"")];

/// The word that a string stands for.
fn word_of(text: &str) -> Option<&'static str> {
    let word = text.strip_prefix('\u{fdd0}')?;
    NOT_NUMBERS.iter().map(|(known, _)| *known).find(|known| *known == word)
}

/// Puts null in the place of the words.
fn without_words(value: &mut Value) {
    match value {
        Value::String(text) if word_of(text).is_some() => *value = Value::Null,
        Value::Array(values) => values.iter_mut().for_each(without_words),
        Value::Object(object) => object.values_mut().for_each(without_words),
        _ => {}
    }
}

/// The first word for what is no number that a value holds.
fn first_word(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => word_of(text),
        Value::Array(values) => values.iter().find_map(first_word),
        Value::Object(object) => object.values().find_map(first_word),
        _ => None,
    }
}

/// A line with what can be mended.
struct Mended {
    line: Vec<u8>,
    /// Where it became longer, and by how much.
    longer: Vec<(usize, usize)>,
}

impl Mended {
    /// None where there is nothing to mend.
    fn of(line: &[u8]) -> Option<Self> {
        let mut mended = Self { line: Vec::new(), longer: Vec::new() };
        let (mut at, mut taken, mut in_string, mut changed) = (0, 0, false, false);
        while at < line.len() {
            let (start, rest) = (at, &line[at..]);
            let mut replace = |length: usize, by: &str| {
                mended.line.extend_from_slice(&line[taken..start]);
                mended.line.extend_from_slice(by.as_bytes());
                if by.len() > length {
                    mended.longer.push((mended.line.len(), by.len() - length));
                }
                taken = start + length;
                changed = true;
            };
            at += match (rest[0], in_string) {
                (b'"', _) => {
                    in_string = !in_string;
                    1
                }
                (b'\\', true) => match surrogate(rest) {
                    Some(0xd800..0xdc00) if matches!(surrogate(&rest[ESCAPE..]), Some(0xdc00..)) => 2 * ESCAPE,
                    Some(_) => {
                        replace(ESCAPE, "\\ufffd");
                        ESCAPE
                    }
                    // an escaped quotation mark ends no string
                    None => 2,
                },
                (b'N' | b'I' | b'-', false) => {
                    match NOT_NUMBERS.iter().find(|(word, _)| rest.starts_with(word.as_bytes())) {
                        Some((word, by)) => {
                            replace(word.len(), by);
                            word.len()
                        }
                        None => 1,
                    }
                }
                _ => 1,
            };
        }
        mended.line.extend_from_slice(&line[taken..]);
        changed.then_some(mended)
    }

    /// The column of the line as it was.
    fn column(&self, line: usize, column: usize) -> usize {
        let ends = self.line.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1);
        let start = line.checked_sub(2).and_then(|before| ends.into_iter().nth(before)).unwrap_or_default();
        let before = self.longer.iter().filter(|(place, _)| (start..start + column).contains(place));
        column - before.map(|(_, by)| by).sum::<usize>()
    }
}

/// Bytes of an escape of four hexadecimal digits.
const ESCAPE: usize = 6;

/// The half of a surrogate pair that an escape at the beginning of some bytes stands for.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    let code = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0xd800..0xe000).contains(&code).then_some(code)
}

/// Reads an object for some of its keys.
struct Fields<'a, const N: usize>([&'a str; N]);

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [Field; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = [const { Field::Missing }; N];
        while let Some(place) = map.next_key_seed(Key(&self.0))? {
            match fields.get_mut(place) {
                Some(field) => *field = map.next_value_seed(One)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(fields)
    }
}

/// The place of a key among those that are wanted; their number for any other.
struct Key<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<usize, E> {
        Ok(self.0.iter().position(|name| *name == key).unwrap_or(self.0.len()))
    }
}

/// Reads what stands under a key, of lists and objects only that they are there.
struct One;

impl<'de> DeserializeSeed<'de> for One {
    type Value = Field;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One {
    type Value = Field;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        Ok(word_of(text).map_or_else(|| Field::Text(text.to_owned()), Field::NotANumber))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Field, E> {
        Ok(Field::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field, E> {
        Ok(Field::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Field, E> {
        Ok(Field::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Field, E> {
        Ok(Number::from_f64(number).map_or(Field::Null, Field::Number))
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Null)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut values: S) -> Result<Field, S::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::List)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Field, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Result<String, String> {
        let [text] = fields(line.as_bytes(), ["text"]).map_err(|fault| fault.to_string())?;
        text.into_text("text").map_err(|fault| fault.to_string())
    }

    /// A half is one character that says that something was here; what is whole stays whole.
    #[test]
    fn half_a_surrogate_pair_is_one_replacement_character() {
        for (escaped, expected) in [
            (r"cut \ud83d", "cut \u{fffd}"),
            (r"\ude00 end", "\u{fffd} end"),
            (r"\ud83d\ude00", "\u{1f600}"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
            (r"\uD83Dx\uDE00", "\u{fffd}x\u{fffd}"),
            (r"\\ud83d \ud83d", "\\ud83d \u{fffd}"),
            (r#"\"\ud83d\" \u0000\n"#, "\"\u{fffd}\" \0\n"),
        ] {
            assert_eq!(text(&format!("{{\"text\": \"{escaped}\"}}")).as_deref(), Ok(expected), "{escaped}");
        }
        // under a key that nobody reads, and in the key itself
        assert_eq!(text(r#"{"a\ud83d": {"\udc00": ["\udc00"]}, "text": "b"}"#).as_deref(), Ok("b"));
        let long = value(r#"{"a\ud83d": "\udc00"}"#.as_bytes(), |_| true).expect("it can be mended");
        assert_eq!(long.to_string(), "{\"a\u{fffd}\":\"\u{fffd}\"}");
    }

    #[test]
    fn what_is_no_number_is_a_fault_only_where_it_is_read() {
        assert_eq!(text(r#"{"score": NaN, "all": [-Infinity, {"a":Infinity}], "text": "NaN"}"#).as_deref(), Ok("NaN"));
        assert_eq!(text(r#"{"text": NaN}"#), Err("`text` is NaN, and no string".into()));
        let line = br#"{"a": NaN, "b": [1, {"c": -Infinity}], "c": "NaN"}"#;
        let read = |keys: &[&str]| value(line, |key| keys.contains(&key)).map_err(|fault| fault.to_string());
        assert_eq!(read(&["c"]).expect("it is read").to_string(), r#"{"a":null,"b":[1,{"c":null}],"c":"NaN"}"#);
        assert_eq!(read(&["b"]), Err("`b` holds -Infinity, which is no JSON: write null".into()));
    }

    /// The place is that of the line as it was, also behind what was mended.
    #[test]
    fn a_line_that_cannot_be_mended_is_named_with_its_place() {
        for (line, message) in [
            (r#"{"text": "a"#, "EOF while parsing a string, at column 11"),
            (r#"{"a": NaN, "b": "\ud83d", "text": "a"} x"#, "trailing characters, at column 40"),
            (r#"{"a": NaNs, "text": "a"}"#, "expected `,` or `}`, at column 10"),
            (r#"{"text": nan}"#, "expected ident, at column 11"),
            ("[1]", "invalid type: sequence, expected an object, at column 1"),
            (r#"{"text": 1}"#, "`text` is a number, and no string"),
            (r#"{"words": "a"}"#, "there is no `text`"),
            (
                "{\"text\": \"a\u{1}\"}",
                "control character (\\u0000-\\u001F) found while parsing a string, at column 12",
            ),
        ] {
            assert_eq!(text(line), Err(message.into()), "{line}");
        }
        let latin = fields(b"{\"text\": \"caf\xe9\"}", ["text"]).expect_err("it is Latin-1");
        assert_eq!((latin.kind, latin.place), (LineFaultKind::NotUtf8, Some((1, 14))));
        let file = values(b"[{\"a\": NaN,\n\"b\": NaN, \"c\"}]").expect_err("a value is missing");
        assert_eq!(file.to_string(), "expected `:`, at line 2, column 14");
    }

    /// A line may end anywhere, and any of its bytes may be another.
    #[test]
    fn what_is_broken_is_a_fault_and_no_panic() {
        let line = br#"{"a\": NaN, "b": [-Infinity, "\ud83d\ude00\udc"], "text": "\ud83d"}"#;
        for end in 0..line.len() {
            assert!(fields(&line[..end], ["text"]).is_err());
            for byte in [0, b'"', b'\\', b'N', b'-', b'u', 0xff] {
                let mut other = line.to_vec();
                other[end] = byte;
                let _ = (fields(&other, ["text"]), value(&other, |_| true));
            }
        }
    }

    #[test]
    fn the_beginning_of_a_line_is_cut_and_a_broken_line_is_not() {
        let line = r#" {"a": NaN, "b": [-Infinity, "\ud83d\ude00\udc00"], "text": "\ud83d, \u00e9 é", "c": Infinity}"#;
        let line = line.as_bytes();
        for end in 2..line.len() {
            assert!(is_cut(&line[..end]), "{}", String::from_utf8_lossy(&line[..end]));
        }
        for line in [line, b"", b" ", br#"{"a": Nan}"#, br#"{"a": "b}", 1}"#, b"{]", b"NaN"] {
            assert!(!is_cut(line), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn of_equal_keys_the_last_counts_and_depth_is_no_matter() {
        assert_eq!(text(r#"{"text": "a", "text": "b"}"#).as_deref(), Ok("b"));
        let deep = format!("{{\"deep\": {}{}, \"text\": \"a\"}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(text(&deep).as_deref(), Ok("a"));
        let [number, flag, null, list] =
            fields(br#"{"a": 1.5, "b": true, "c": null, "d": [[]]}"#, ["a", "b", "c", "d"]).expect("it is an object");
        assert_eq!(number, Field::Number(Number::from_f64(1.5).expect("it is finite")));
        assert_eq!((flag, null, list), (Field::Flag(true), Field::Null, Field::List));
    }
}
