//! What a program says of itself: its version, the commit and the features that it was built with.

/// The commit that was built: whoever packs the programs sets `TAMIS_COMMIT`. A build script would know it by itself, and build everything anew
/// after each commit.
const COMMIT: Option<&str> = option_env!("TAMIS_COMMIT");

/// Such as `0.1.0 (0f3a9c2, cuda)`.
///
/// Each call makes a text that stays for good: a program calls it once.
///
/// - `features`: those that the program has; empty names are left out
#[must_use]
pub fn version(number: &'static str, features: &[&'static str]) -> &'static str {
    let known: Vec<&str> = COMMIT.iter().chain(features).copied().filter(|word| !word.is_empty()).collect();
    if known.is_empty() { number } else { format!("{number} ({})", known.join(", ")).leak() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_what_is_known() {
        let own = COMMIT.map_or_else(String::new, |commit| format!("{commit}, "));
        assert_eq!(version("0.1.0", &["", "cuda"]), format!("0.1.0 ({own}cuda)"));
    }
}
