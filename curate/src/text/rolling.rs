//! Hashes of runs, as polynomials in the hashes of what they are runs of: carried along from run to run, whatever their length.
//!
//! Source: Karp and Rabin 1987, modulo 2^64; what a run is made of is hashed well, and so is the polynomial.

/// What a run's hash is multiplied by when the next unit comes: odd, so that the step can be undone.
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// [`STEP`] to the power of a length: the weight of the unit that leaves a run of that length.
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
