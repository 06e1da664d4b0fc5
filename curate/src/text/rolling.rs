//! Rolling hashes of n-grams: polynomials in the hashes of their items, carried along from one to the next, whatever their length.
//!
//! Source: Karp and Rabin 1987, modulo 2^64; the items are hashed well, and so is the polynomial.

/// What an n-gram's hash is multiplied by when the next item comes: odd, so that the step can be undone.
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// [`STEP`] to the power of a length: the weight of the item that leaves an n-gram of that length.
pub fn power(length: usize) -> u64 {
    (0..length).fold(1u64, |power, _| power.wrapping_mul(STEP))
}

/// A permutation of the numbers of 64 bits that spreads every bit upwards and down again.
pub fn mixed(hash: u64) -> u64 {
    const MIX: u64 = 0xd6e8_feb8_6659_fd93;
    let hash = (hash ^ (hash >> 32)).wrapping_mul(MIX);
    let hash = (hash ^ (hash >> 32)).wrapping_mul(MIX);
    hash ^ (hash >> 32)
}
