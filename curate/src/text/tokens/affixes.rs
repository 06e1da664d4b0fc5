//! What comes off the ends of a chunk: marks, units behind numbers, and `'s`.

use super::{
    characters::{is_currency, is_wide_mark, next_char},
    classes::{CLASSES, LETTER, PREFIX, SUFFIX, WIDE},
};

/// Units that are taken off a number.
const UNITS: [&str; 44] = [
    "G", "GB", "K", "KB", "M", "MB", "Pa", "T", "TB", "am", "cm", "dm", "ft", "g", "gb", "hPa", "ha", "in", "kb", "kg",
    "km", "kmh", "lb", "m", "mb", "mbar", "mg", "mm", "mph", "nm", "oz", "pm", "t", "tb", "yd", "µg", "µm", "г", "кг",
    "км", "м", "мм", "см", "т",
];

/// How many bytes at the beginning of a chunk are a mark.
pub fn prefix(chunk: &str) -> usize {
    let bytes = chunk.as_bytes();
    let class = CLASSES[bytes[0] as usize];
    if class & PREFIX != 0 {
        let next = bytes.get(1).copied().unwrap_or_default();
        return match bytes[0] {
            b'.' if next == b'.' => bytes.iter().take_while(|byte| **byte == b'.').count(),
            b'.' => 0,
            b'+' if next.is_ascii_digit() => 0,
            _ => 1,
        };
    }
    if class == WIDE {
        let character = next_char(chunk, 0);
        return if is_wide_mark(character) || is_currency(character) { character.len_utf8() } else { 0 };
    }
    0
}

/// How many bytes at the end of a chunk are a mark, a unit or `'s`.
pub fn suffix(chunk: &str) -> usize {
    let bytes = chunk.as_bytes();
    let last = bytes[bytes.len() - 1];
    let class = CLASSES[last as usize];
    if class & (LETTER | WIDE) != 0 {
        let (at, character) = chunk.char_indices().next_back().expect("a chunk is not empty");
        if class == WIDE && (is_wide_mark(character) || (is_currency(character) && ends_in_digit(&chunk[..at]))) {
            return character.len_utf8();
        }
        if matches!(last, b's' | b'S') && at > 0 {
            return match chunk[..at].chars().next_back() {
                Some('\'') => 2,
                Some('’') => 4,
                _ => unit(chunk),
            };
        }
        return unit(chunk);
    }
    if class & SUFFIX == 0 {
        return 0;
    }
    let rest = &chunk[..chunk.len() - 1];
    match last {
        b'.' => stop(rest),
        b'%' | b'$' | b'+' => usize::from(ends_in_digit(rest)),
        _ => 1,
    }
}

/// How long the stop at the end of `rest` and `.` is: 0 where it belongs to an initial.
fn stop(rest: &str) -> usize {
    let mut before = rest.chars().rev();
    match before.next() {
        Some('.') => rest.bytes().rev().take_while(|byte| *byte == b'.').count() + 1,
        Some(last) if last.is_uppercase() => usize::from(before.next().is_some_and(char::is_uppercase)),
        Some(last) => usize::from(
            last.is_alphanumeric()
                || matches!(last, '%' | '²' | '-' | '+')
                || is_wide_mark(last)
                || (last.is_ascii() && CLASSES[last as usize] & SUFFIX != 0),
        ),
        None => 0,
    }
}

fn ends_in_digit(text: &str) -> bool {
    text.as_bytes().last().is_some_and(u8::is_ascii_digit)
}

/// The length of a unit behind a number.
fn unit(chunk: &str) -> usize {
    let tail = chunk.trim_start_matches(|character: char| !character.is_ascii_digit());
    if tail.is_empty() {
        return 0;
    }
    let letters = chunk.rfind(|character: char| character.is_ascii_digit()).map_or(chunk, |at| &chunk[at + 1..]);
    if UNITS.binary_search(&letters).is_ok() { letters.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_are_in_order() {
        assert!(UNITS.is_sorted());
    }
}
