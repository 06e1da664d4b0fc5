//! Sizes as people write them.

use std::str::FromStr;

/// A number of bytes, written with K, M, G or T for powers of 1,024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let factor: u64 = match unit {
            "" => 1,
            "K" => 1 << 10,
            "M" => 1 << 20,
            "G" => 1 << 30,
            "T" => 1 << 40,
            _ => return Err(format!("`{unit}` is no unit: use K, M, G or T")),
        };
        let size = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).filter(|size| *size > 0);
        size.map(Self).ok_or_else(|| "expected a size above 0, such as 100M".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        assert_eq!("100M".parse(), Ok(Size(100 << 20)));
        assert_eq!("123".parse(), Ok(Size(123)));
        assert!(["4 G", "G", "0", "99999999999T", "3X"].iter().all(|text| text.parse::<Size>().is_err()));
    }
}
