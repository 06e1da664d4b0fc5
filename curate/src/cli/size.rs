//! Sizes as people write them, and as they are shown.

pub use schemas::size::Size;

pub use crate::report::decimal;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_powers_of_ten() {
        assert_eq!(decimal(30_750_595), "30.8 MB");
    }
}
