//! Words for what is no number: JSON has none, and Python writes them.

use serde_json::Value;

/// The words for what is no number, each with what stands for it in a mended line: a string that begins with a noncharacter, which no
/// text is to hold (the Unicode Standard, 23.7).
pub(super) const NOT_NUMBERS: [(&str, &str); 3] =
    [("NaN", "\"\u{fdd0}NaN\""), ("Infinity", "\"\u{fdd0}Infinity\""), ("-Infinity", "\"\u{fdd0}-Infinity\"")];

/// The word that a string stands for.
pub(super) fn word_of(text: &str) -> Option<&'static str> {
    let word = text.strip_prefix('\u{fdd0}')?;
    NOT_NUMBERS.iter().map(|(known, _)| *known).find(|known| *known == word)
}

/// Puts null in the place of the words.
pub(super) fn without_words(value: &mut Value) {
    match value {
        Value::String(text) if word_of(text).is_some() => *value = Value::Null,
        Value::Array(values) => values.iter_mut().for_each(without_words),
        Value::Object(object) => object.values_mut().for_each(without_words),
        _ => {}
    }
}

/// The first word for what is no number that a value holds.
pub(super) fn first_word(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => word_of(text),
        Value::Array(values) => values.iter().find_map(first_word),
        Value::Object(object) => object.values().find_map(first_word),
        _ => None,
    }
}
