//! Sizes as people write them.

use std::{fmt, str::FromStr};

/// A number of bytes, written with K, M, G or T for powers of 1,024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let shift = match unit.trim_end_matches(['i', 'B', 'b']).to_ascii_uppercase().as_str() {
            "" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            _ => return Err(format!("`{unit}` is no unit: use K, M, G or T")),
        };
        let number: usize = digits.parse().map_err(|_| "expected a number, such as 4G".to_owned())?;
        number
            .checked_mul(1 << shift)
            .filter(|size| *size > 0)
            .map(Self)
            .ok_or_else(|| "the size is out of range".to_owned())
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];
        match units.iter().find(|(_, shift)| self.0 >= 1 << shift && self.0.trailing_zeros() >= *shift) {
            Some((unit, shift)) => write!(formatter, "{}{unit}", self.0 >> shift),
            None => write!(formatter, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        assert_eq!("4G".parse(), Ok(Size(4 << 30)));
        assert_eq!("512MiB".parse(), Ok(Size(512 << 20)));
        assert_eq!("123".parse(), Ok(Size(123)));
        assert!("4 Gs".parse::<Size>().is_err() && "G".parse::<Size>().is_err() && "0".parse::<Size>().is_err());
        assert_eq!(Size(4 << 30).to_string(), "4G");
    }
}
