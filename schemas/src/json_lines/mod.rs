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

mod fault;
mod field;
mod mended;
mod not_numbers;
mod object;

use serde::{Deserializer as _, de::IgnoredAny};
use serde_json::{Deserializer, Value};

use self::{
    fault::fault,
    mended::Mended,
    not_numbers::{NOT_NUMBERS, first_word, without_words},
    object::Fields,
};
pub use self::{
    fault::{LineFault, LineFaultKind},
    field::Field,
};

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

#[cfg(test)]
mod tests {
    use serde_json::Number;

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
