//! Hashes of words, by the functions that other tools use, so that features can be compared.

/// MurmurHash3, the 32-bit variant for x86, as Spark's `HashingTF` uses it on words.
///
/// Source: Appleby 2011 (public domain definition); Spark's seed is 42.
///
/// ```
/// # use curate::text::hashing::murmur3;
/// assert_eq!(murmur3(b"", 0), 0);
/// assert_eq!(murmur3(b"hello", 0), 0x248b_fa47);
/// ```
#[must_use]
pub fn murmur3(bytes: &[u8], seed: u32) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let scramble = |block: u32| block.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);

    let mut hash = seed;
    let (blocks, tail) = bytes.as_chunks::<4>();
    for block in blocks {
        hash = (hash ^ scramble(u32::from_le_bytes(*block))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |block, &byte| block << 8 | u32::from(byte));
        hash ^= scramble(last);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the definition takes the length modulo 2^32")]
    let length = bytes.len() as u32;
    hash ^= length;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference values of the published test vectors.
    #[test]
    fn known_values() {
        assert_eq!(murmur3(b"", 1), 0x514e_28b7);
        assert_eq!(murmur3(b"a", 0), 0x3c25_69b2);
        assert_eq!(murmur3(b"hello, world", 0), 0x149b_bb7f);
        assert_eq!(murmur3(b"The quick brown fox jumps over the lazy dog", 0), 0x2e4f_f723);
    }
}
