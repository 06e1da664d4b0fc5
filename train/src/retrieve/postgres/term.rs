//! Terms as a database keeps them.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_128;

/// The most bytes of a term, and of an id, that an index of the database takes with room for what stands beside it: an entry has some 2,700 bytes.
pub(super) const MOST_BYTES: usize = 2000;

/// A term, or where it is too long how it begins, with its hash.
pub(super) fn stored_term(term: &str) -> Cow<'_, str> {
    if term.len() <= MOST_BYTES {
        return term.into();
    }
    let end = (0..=MOST_BYTES / 2).rev().find(|end| term.is_char_boundary(*end)).unwrap_or(0);
    format!("{} {:032x}", &term[..end], xxh3_128(term.as_bytes())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_terms_stay_apart() {
        assert_eq!(stored_term("lamp"), "lamp");
        let [one, other] = ["a", "b"].map(|last| "é".repeat(1500) + last);
        assert!(stored_term(&one).len() < MOST_BYTES && stored_term(&one) != stored_term(&other));
        assert_eq!(stored_term(&one), stored_term(&one));
    }
}
