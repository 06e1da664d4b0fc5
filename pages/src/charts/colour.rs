//! Colours: variables of the page's style sheet.

/// Series that have a colour of their own.
pub const SERIES: usize = 7;

/// A colour of the page, in light and in dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// What was kept.
    Kept,
    /// What was dropped, what there was before, and what is left over.
    Dropped,
    /// What was asked for, beside what it came to.
    Asked,
    /// A series, from 0; behind [`SERIES`] they come again.
    Series(usize),
}

impl Colour {
    /// As a value of CSS.
    #[must_use]
    pub fn css(self) -> &'static str {
        const NAMES: [&str; SERIES] = [
            "var(--series-1)",
            "var(--series-2)",
            "var(--series-3)",
            "var(--series-4)",
            "var(--series-5)",
            "var(--series-6)",
            "var(--series-7)",
        ];
        match self {
            Self::Kept => "var(--kept)",
            Self::Dropped => "var(--dropped)",
            Self::Asked => "var(--asked)",
            Self::Series(number) => NAMES[number % SERIES],
        }
    }
}
