//! Chance that can be repeated, as `curate` draws it: the same seed shows the same demonstrations here and there.

use xxhash_rust::xxh3::Xxh3;

/// 64 uniform bits for a sequence of parts under a seed: XXH3-64 over each part with its length in front.
#[must_use]
pub fn draw_of(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut hasher = Xxh3::with_seed(seed);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.digest()
}

/// The same for an id and a purpose.
#[must_use]
pub fn draw(seed: u64, purpose: &str, id: &str) -> u64 {
    draw_of(seed, &[purpose.as_bytes(), id.as_bytes()])
}
