//! Numbers of a comparison, and how they are written.

use pages::numbers::{decimal, duration, grouped};

/// A number and how it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Count(u64),
    Bytes(u64),
    Share(f64),
    Decimal(f64),
    Seconds(f64),
}

impl Value {
    pub fn number(self) -> f64 {
        match self {
            Self::Count(number) | Self::Bytes(number) => number as f64,
            Self::Share(number) | Self::Decimal(number) | Self::Seconds(number) => number,
        }
    }

    pub fn shown(self) -> String {
        match self {
            Self::Count(count) => grouped(count),
            Self::Bytes(bytes) => decimal(bytes),
            Self::Share(share) => format!("{:.3}\u{202f}%", share * 100.0),
            Self::Decimal(number) => format!("{number:.3}"),
            Self::Seconds(seconds) => duration(seconds),
        }
    }

    /// How much more `other` is, with a sign.
    pub fn distance(self, other: Self) -> String {
        let (sign, apart) = if other.number() < self.number() {
            ("−", self.number() - other.number())
        } else {
            ("+", other.number() - self.number())
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the difference of two counts is one"
        )]
        let count = apart as u64;
        let apart = match self {
            Self::Count(_) => grouped(count),
            Self::Bytes(_) => decimal(count),
            Self::Share(_) => format!("{:.3} points", apart * 100.0),
            Self::Decimal(_) => format!("{apart:.3}"),
            Self::Seconds(_) => duration(apart),
        };
        format!("{sign}{apart}")
    }
}
