//! Lines that can be told apart without colours.

/// How a line is broken, so that lines can be told apart without colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Not at all.
    Solid,
    /// Into dashes.
    Dashed,
    /// Into dots.
    Dotted,
    /// Into dashes with dots between them.
    DashDot,
}

impl Stroke {
    /// Its `stroke-dasharray`.
    pub(super) fn dashes(self) -> Option<&'static str> {
        match self {
            Self::Solid => None,
            Self::Dashed => Some("8 4"),
            Self::Dotted => Some("2.5 3.5"),
            Self::DashDot => Some("9 3.5 2.5 3.5"),
        }
    }
}
