//! Letters of ASCII, eight at a time.

/// The first eight bytes in lower case, and how many ASCII letters they begin with.
pub fn ascii_letters(bytes: &[u8]) -> ([u8; 8], usize) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let word = match bytes.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    let lower = word | (0x20 * ONES);
    // for each byte, its high bit: 0x80 is reached from the letter that is added to
    let seven_bits = lower & !HIGH;
    let from_a = seven_bits + u64::from(0x80 - b'a') * ONES;
    let beyond_z = seven_bits + u64::from(0x7f - b'z') * ONES;
    let letters = from_a & !beyond_z & !word & HIGH;
    (lower.to_le_bytes(), (!letters & HIGH).trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Eight bytes at a time find the letters that one at a time find.
        #[test]
        fn letters_are_those_of_ascii(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..12)) {
            let (lower, count) = ascii_letters(&bytes);
            let first = &bytes[..bytes.len().min(8)];
            let expected = first.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            prop_assert_eq!(count, expected);
            prop_assert_eq!(&lower[..count], &first[..count].to_ascii_lowercase()[..]);
        }
    }
}
