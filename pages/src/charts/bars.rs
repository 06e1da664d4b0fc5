//! Bars from the left, a row of them for each name: beside one another, or each behind the one before.
//!
//! Where there is room, names stand at the left of their rows, and on a narrow screen above them; the style sheet moves them.

use maud::{Markup, html};

use super::{
    axis::Axis,
    colour::Colour,
    legend::{Legend, Swatch},
    words::{length, trimmed, width},
};

/// Pixels between the bars of two rows.
const GAP: f64 = 12.0;

/// Pixels of a bar where a row has one, and where it has more.
const THICK: (f64, f64) = (17.0, 12.0);

/// Colours that are shown in the legend of bars that have many.
const SHOWN_COLOURS: usize = 3;

/// A chart of bars.
#[derive(Debug, Clone)]
pub struct Bars {
    /// What bars are measured on.
    pub axis: Axis,
    /// How the bars of a row lie.
    pub arrangement: Arrangement,
    /// The rows, from the upper one.
    pub rows: Vec<Row>,
}

/// How the bars of a row lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// One below the other, each with its value behind it.
    Grouped,
    /// Each behind the one before, with the value of the row behind the last.
    Stacked,
}

/// The bars of one name.
#[derive(Debug, Clone)]
pub struct Row {
    /// The name as it is written beside the row.
    pub name: String,
    /// The whole name.
    pub full: String,
    /// Its bars, in the order of the legend.
    pub bars: Vec<Bar>,
    /// The value of all bars together, where they are stacked.
    pub whole: String,
}

/// A bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// What it stands for, in the words of the legend.
    pub what: String,
    /// Its length on the axis.
    pub value: f64,
    /// The value as it is written.
    pub shown: String,
    /// Its colour.
    pub colour: Colour,
}

/// A bar within its row.
struct Placed<'a> {
    bar: &'a Bar,
    /// Where it begins and ends, between 0 and 1.
    begin: f64,
    end: f64,
    /// Pixels from the row's upper edge.
    top: f64,
}

impl Bars {
    pub(super) fn legend(&self) -> Legend {
        let mut things: Vec<(String, Vec<Colour>)> = Vec::new();
        for bar in self.rows.iter().flat_map(|row| &row.bars) {
            match things.iter_mut().find(|(what, _)| *what == bar.what) {
                None => things.push((bar.what.clone(), vec![bar.colour])),
                Some((_, colours)) if !colours.contains(&bar.colour) && colours.len() < SHOWN_COLOURS => {
                    colours.push(bar.colour);
                }
                Some(_) => {}
            }
        }
        Legend(things.into_iter().map(|(what, colours)| (what, Swatch::Box(colours))).collect())
    }

    pub(super) fn drawing(&self) -> Markup {
        let is_stacked = self.arrangement == Arrangement::Stacked;
        let most = self.rows.iter().map(|row| row.bars.len()).max().unwrap_or_default();
        let lanes = if is_stacked { 1 } else { most.max(1) };
        let thick = if lanes == 1 { THICK.0 } else { THICK.1 };
        let height = lanes as f64 * thick + GAP;
        let widest =
            |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| width(text)).fold(0.0, f64::max).ceil();
        let names = widest(&mut self.rows.iter().map(|row| &row.name)) + 12.0;
        let ends = if is_stacked {
            widest(&mut self.rows.iter().map(|row| &row.whole))
        } else {
            widest(&mut self.rows.iter().flat_map(|row| &row.bars).map(|bar| &bar.shown))
        };
        let ends = ends + 10.0;
        let style = format!("--rows:{};--row:{height}px;--names:{names}px;--ends:{ends}px", self.rows.len());
        html! {
            svg.plot.bars style=(style) {
                (self.axis.below(true))
                @for (number, row) in self.rows.iter().enumerate() {
                    g.row style=(format!("--at:{number}")) {
                        title { (row.all()) }
                        rect.hit width="100%" {}
                        text.name x="-10" dy="0.35em" { (row.name) }
                        g.marks {
                            @let placed = self.placed(row, thick);
                            @for Placed { bar, begin, end, top } in &placed { @if end > begin {
                                rect.mark x=(length(*begin)) width=(length(end - begin)) y=(trimmed(*top, 1)) height=(trimmed(thick - 1.0, 1)) fill=(bar.colour.css()) {
                                    title { (row.full) ", " (bar.what) ": " (bar.shown) }
                                }
                            } }
                            @if is_stacked {
                                @let end = placed.last().map_or(0.0, |placed| placed.end);
                                (behind(end, height / 2.0, &row.whole))
                            } @else {
                                @for Placed { bar, end, top, .. } in &placed { (behind(*end, top + thick / 2.0 - 0.5, &bar.shown)) }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Where the bars of a row lie.
    fn placed<'a>(&self, row: &'a Row, thick: f64) -> Vec<Placed<'a>> {
        let mut below = 0.0;
        let place = |(lane, bar): (usize, &'a Bar)| match self.arrangement {
            Arrangement::Grouped => {
                let top = GAP / 2.0 + lane as f64 * thick;
                Placed { bar, begin: 0.0, end: self.axis.scale.place(bar.value), top }
            }
            Arrangement::Stacked => {
                let begin = self.axis.scale.place(below);
                below += bar.value;
                Placed { bar, begin, end: self.axis.scale.place(below), top: GAP / 2.0 }
            }
        };
        row.bars.iter().enumerate().map(place).collect()
    }
}

impl Row {
    /// Everything that the row says.
    fn all(&self) -> String {
        let whole = if self.whole.is_empty() { String::new() } else { format!(": {}", self.whole) };
        let bars = self.bars.iter().map(|bar| format!("\n{}: {}", bar.what, bar.shown)).collect::<String>();
        format!("{}{whole}{bars}", self.full)
    }
}

/// A value behind a bar.
pub(super) fn behind(place: f64, middle: f64, text: &str) -> Markup {
    html! { text.value x=(length(place)) dx="6" y=(trimmed(middle, 1)) dy="0.35em" { (text) } }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Scale, Unit},
        *,
    };

    fn bars(arrangement: Arrangement) -> Bars {
        let bar = |what: &str, value: f64, number| Bar {
            what: what.to_owned(),
            value,
            shown: value.to_string(),
            colour: Colour::Series(number),
        };
        let row = |name: &str, first, second| Row {
            name: name.to_owned(),
            full: format!("all of {name}"),
            bars: vec![bar("web", first, 0), bar("a < b", second, 1)],
            whole: String::new(),
        };
        let axis = Axis::new("documents", Scale::linear(100.0), Unit::Count);
        Bars { axis, arrangement, rows: vec![row("read", 75.0, 25.0), row("kept", 30.0, 0.0)] }
    }

    #[test]
    fn a_stack_goes_on_where_the_bar_before_ends() {
        let ends = |arrangement| {
            let bars = bars(arrangement);
            bars.placed(&bars.rows[0], 10.0).iter().map(|placed| (placed.begin, placed.end)).collect::<Vec<_>>()
        };
        assert_eq!(ends(Arrangement::Stacked), [(0.0, 0.75), (0.75, 1.0)]);
        assert_eq!(ends(Arrangement::Grouped), [(0.0, 0.75), (0.0, 0.25)]);
    }

    #[test]
    fn each_bar_says_its_value_and_nothing_has_no_bar() {
        let drawn = bars(Arrangement::Grouped).drawing().into_string();
        assert!(drawn.contains("<title>all of read, a &lt; b: 25</title>"), "{drawn}");
        assert_eq!(drawn.matches("class=\"mark\"").count(), 3, "{drawn}");
        assert_eq!(drawn.matches("class=\"value\"").count(), 4, "{drawn}");
    }
}
