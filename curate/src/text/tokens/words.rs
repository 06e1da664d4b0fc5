//! What stands between the ends of a chunk: addresses and contractions, and what divides words.

use super::{
    characters::{is_ideographic_mark, is_quote, is_symbol},
    classes::{CLASSES, INNER, WIDE},
};

/// Whether a chunk is the address of a page, which is one token.
pub fn is_address(chunk: &str) -> bool {
    let rest = match chunk.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => rest,
        _ => chunk,
    };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let is_host = host.chars().all(|character| character.is_alphanumeric() || matches!(character, '.' | '-' | '_'));
    let ending = host.rsplit_once('.').map_or("", |(_, ending)| ending);
    // a host alone may be two sentences without a space between them
    is_host && ending.len() >= 2 && (host.len() < chunk.len() || host.starts_with("www."))
}

/// Whether letters alone are two words.
pub fn is_contraction(word: &str) -> bool {
    matches!(word, "cannot" | "Cannot" | "gonna" | "Gonna" | "gotta" | "Gotta")
}

/// Where the second word of a contraction begins.
pub fn contraction(chunk: &str) -> Option<usize> {
    if is_contraction(chunk) {
        return Some(3);
    }
    let (at, mark) = chunk.char_indices().rev().take(4).find(|(_, character)| matches!(character, '\'' | '’'))?;
    let (stem, tail) = (&chunk[..at], &chunk[at + mark.len_utf8()..]);
    if tail.eq_ignore_ascii_case("t") && stem.len() > 1 && stem.ends_with(['n', 'N']) {
        return Some(at - 1);
    }
    let known = ["m", "ll", "ve", "re", "d"].iter().any(|known| tail.eq_ignore_ascii_case(known));
    (known && stem.chars().all(char::is_alphabetic) && !stem.is_empty()).then_some(at)
}

/// How many bytes at the beginning of `rest` divide a chunk, given the character before them.
pub fn divider(rest: &str, before: Option<char>) -> usize {
    let bytes = rest.as_bytes();
    let class = CLASSES[bytes[0] as usize];
    if class & (INNER | WIDE) == 0 {
        return 0;
    }
    let is_letter = |character: Option<char>| character.is_some_and(char::is_alphabetic);
    let is_digit = |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
    let mut following = rest.chars();
    let mark = following.next().expect("the rest is not empty");
    let next = following.next();
    match mark {
        '.' if next == Some('.') => bytes.iter().take_while(|byte| **byte == b'.').count(),
        '…' => 3,
        '.' => {
            let ends = before.is_some_and(|last| last.is_lowercase() || is_quote(last));
            usize::from(ends && next.is_some_and(|first| first.is_uppercase() || is_quote(first)))
        }
        ',' => usize::from(is_letter(before) && is_letter(next)),
        '+' | '*' | '^' if is_digit(before) => usize::from(is_digit(next) || next == Some('-')),
        '-' if is_digit(before) && (is_digit(next) || next == Some('-')) => 1,
        '-' | '–' | '—' | '~' if is_letter(before) || is_digit(before) => {
            let hyphens: usize =
                rest.chars().take_while(|character| matches!(character, '-' | '—')).map(char::len_utf8).sum();
            let length = hyphens.max(mark.len_utf8());
            if is_letter(rest[length..].chars().next()) { length } else { 0 }
        }
        ':' | '<' | '>' | '=' | '/' => usize::from((is_letter(before) || is_digit(before)) && is_letter(next)),
        wide if is_symbol(wide) || is_ideographic_mark(wide) => wide.len_utf8(),
        _ => 0,
    }
}
