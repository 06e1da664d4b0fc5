//! Tables: a caption that is never cut off, a box of their own to scroll in, and a bound on their rows.

use maud::{Markup, Render, html};

use super::numbers::{decimal, grouped, percent};

/// Rows of a table that are shown, at most.
const MOST_ROWS: usize = 200;

/// A table of the page.
pub struct Table<'a> {
    /// What nothing else on the page is called.
    pub id: &'a str,
    /// What it shows, and how to read it.
    pub caption: Markup,
    /// Its columns: the first names the row.
    pub columns: &'a [Column<'a>],
    /// Its rows, as wide as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// A column, of words or of numbers.
pub enum Column<'a> {
    /// Words, from the left.
    Words(&'a str),
    /// Numbers, from the right.
    Numbers(&'a str),
}

/// What stands in a row and column.
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words.
    Words(Markup),
    /// A number as it is shown, and by what rows are sorted.
    Number(String, f64),
}

impl Cell {
    /// A name, or any other words.
    #[must_use]
    pub fn words(words: impl Render) -> Self {
        Self::Words(words.render())
    }

    /// A name that is written in files.
    #[must_use]
    pub fn code(name: impl Render) -> Self {
        Self::Words(html! { code { (name) } })
    }

    /// A count.
    #[must_use]
    pub fn count(count: u64) -> Self {
        Self::Number(grouped(count), count as f64)
    }

    /// A size in bytes.
    #[must_use]
    pub fn bytes(bytes: u64) -> Self {
        Self::Number(decimal(bytes), bytes as f64)
    }

    /// A share of 1; nothing where there is none.
    #[must_use]
    pub fn share(share: impl Into<Option<f64>>) -> Self {
        share.into().map_or(Self::Empty, |share| Self::Number(percent(share), share))
    }

    /// A number with so many digits behind the point; nothing where there is none.
    #[must_use]
    pub fn decimal(number: impl Into<Option<f64>>, digits: usize) -> Self {
        number.into().map_or(Self::Empty, |number| Self::Number(format!("{number:.digits$}"), number))
    }
}

impl Render for Table<'_> {
    fn render(&self) -> Markup {
        let left_out = self.rows.len().saturating_sub(MOST_ROWS);
        let caption = format!("{}-caption", self.id);
        html! {
            figure.table {
                figcaption id=(caption) { (self.caption) }
                div.wide tabindex="0" role="group" aria-labelledby=(caption) {
                    table id=(self.id) aria-labelledby=(caption) {
                        thead { tr { @for column in self.columns { @match column {
                            Column::Words(name) => th scope="col" { (name) },
                            Column::Numbers(name) => th.number scope="col" { (name) },
                        } } } }
                        tbody { @for row in self.rows.iter().take(MOST_ROWS) { tr {
                            @for (place, cell) in row.iter().enumerate() { @match cell {
                                Cell::Empty => td.number {},
                                Cell::Words(words) => @if place == 0 { th scope="row" { (words) } } @else { td { (words) } },
                                Cell::Number(shown, value) => td.number data-value=(value) { (shown) },
                            } }
                        } } }
                    }
                }
                @if left_out > 0 { p.soft { (grouped(left_out as u64)) " more rows are left out." } }
            }
        }
    }
}
