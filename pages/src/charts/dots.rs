//! Values with the intervals in which they lie, a row of them for each name: points with lines to both sides.
//!
//! Rows lie as those of [`super::Bars`] do.

use maud::{Markup, html};

use super::{
    axis::Axis,
    bars::behind,
    colour::Colour,
    legend::{Legend, Swatch},
    stroke::Stroke,
    words::{length, trimmed, width},
};

/// Pixels between the points of two rows.
const GAP: f64 = 10.0;

/// Pixels of a point's lane.
const LANE: f64 = 16.0;

/// A chart of points.
#[derive(Debug, Clone)]
pub struct Dots {
    /// What points are measured on.
    pub axis: Axis,
    /// What the mark of a row stands for, in the words of the legend.
    pub reference: String,
    /// The rows, from the upper one.
    pub rows: Vec<DotRow>,
}

/// The points of one name.
#[derive(Debug, Clone)]
pub struct DotRow {
    /// The name as it is written beside the row.
    pub name: String,
    /// The whole name.
    pub full: String,
    /// Its points, from the upper one.
    pub dots: Vec<Dot>,
    /// A value that points are compared with.
    pub reference: Option<f64>,
}

/// A point.
#[derive(Debug, Clone)]
pub struct Dot {
    /// What it stands for, in the words of the legend.
    pub what: String,
    /// Its place on the axis.
    pub value: f64,
    /// Where its interval begins and ends, if it has one.
    pub interval: Option<[f64; 2]>,
    /// The value as it is written beside the point.
    pub shown: String,
    /// The value and whatever else is said where one points at it.
    pub said: String,
    /// Its colour.
    pub colour: Colour,
}

impl Dots {
    pub(super) fn legend(&self) -> Legend {
        let mut things: Vec<(String, Swatch)> = Vec::new();
        for dot in self.rows.iter().flat_map(|row| &row.dots) {
            if !things.iter().any(|(what, _)| *what == dot.what) {
                things.push((dot.what.clone(), Swatch::Point(dot.colour)));
            }
        }
        if self.rows.iter().any(|row| row.reference.is_some()) {
            things.push((self.reference.clone(), Swatch::Line(Colour::Dropped, Stroke::Dotted, false)));
        }
        Legend(things)
    }

    pub(super) fn drawing(&self) -> Markup {
        let lanes = self.rows.iter().map(|row| row.dots.len()).max().unwrap_or_default().max(1);
        let height = lanes as f64 * LANE + GAP;
        let widest =
            |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| width(text)).fold(0.0, f64::max).ceil();
        let names = widest(&mut self.rows.iter().map(|row| &row.name)) + 12.0;
        let ends = widest(&mut self.rows.iter().flat_map(|row| &row.dots).map(|dot| &dot.shown)) + 16.0;
        let style = format!("--rows:{};--row:{height}px;--names:{names}px;--ends:{ends}px", self.rows.len());
        html! {
            svg.plot.bars style=(style) {
                (self.axis.below(true))
                @for (number, row) in self.rows.iter().enumerate() {
                    g.row style=(format!("--at:{number}")) {
                        title { (self.all(row)) }
                        rect.hit width="100%" {}
                        text.name x="-10" dy="0.35em" { (row.name) }
                        g.marks {
                            @if let Some(reference) = row.reference {
                                @let x = length(self.axis.scale.place(reference));
                                line x1=(x) x2=(x) y1="2" y2=(trimmed(height - 2.0, 1)) stroke=(Colour::Dropped.css()) stroke-width="2.5"
                                    stroke-dasharray=[Stroke::Dotted.dashes()] {}
                            }
                            @let first = (height - row.dots.len() as f64 * LANE) / 2.0;
                            @for (lane, dot) in row.dots.iter().enumerate() { (self.dot(row, dot, first + LANE * (lane as f64 + 0.5))) }
                        }
                    }
                }
            }
        }
    }

    /// - `middle`: pixels from the row's upper edge
    fn dot(&self, row: &DotRow, dot: &Dot, middle: f64) -> Markup {
        let place = |value: f64| self.axis.scale.place(value);
        let (colour, y) = (dot.colour.css(), trimmed(middle, 1));
        // what is written stands behind the interval, and behind the point where it reaches further
        let end = dot.interval.map_or(dot.value, |[_, high]| high.max(dot.value));
        html! {
            @if let Some([low, high]) = dot.interval {
                line x1=(length(place(low))) x2=(length(place(high))) y1=(y) y2=(y) stroke=(colour) stroke-width="2" stroke-opacity="0.55" {}
            }
            circle.mark cx=(length(place(dot.value))) cy=(y) r="4.5" fill=(colour) {
                title { (row.full) ", " (dot.what) ": " (dot.said) }
            }
            g transform="translate(4 0)" { (behind(place(end), middle, &dot.shown)) }
        }
    }

    /// Everything that a row says.
    fn all(&self, row: &DotRow) -> String {
        let dots = row.dots.iter().map(|dot| format!("\n{}: {}", dot.what, dot.said));
        let reference =
            row.reference.iter().map(|value| format!("\n{}: {}", self.reference, self.axis.written(*value)));
        format!("{}{}", row.full, dots.chain(reference).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Scale, Unit},
        *,
    };

    #[test]
    fn an_interval_lies_around_its_point() {
        let dot = |what: &str, value: f64, interval| Dot {
            what: what.to_owned(),
            value,
            interval,
            shown: value.to_string(),
            said: format!("about {value}"),
            colour: Colour::Kept,
        };
        let row = DotRow {
            name: "a".to_owned(),
            full: "all of a".to_owned(),
            dots: vec![dot("x", 0.5, Some([0.25, 0.75])), dot("y < z", 1.0, None)],
            reference: Some(0.5),
        };
        let axis = Axis::new("accuracy", Scale::linear(1.0), Unit::Share);
        let drawn = Dots { axis, reference: "guessing".to_owned(), rows: vec![row] };
        let markup = drawn.drawing().into_string();
        for part in [
            "x1=\"25%\" x2=\"75%\"",
            "cx=\"50%\"",
            "<title>all of a, y &lt; z: about 1</title>",
            "guessing: 50\u{202f}%",
        ] {
            assert!(markup.contains(part), "{part}: {markup}");
        }
        assert_eq!(markup.matches("class=\"mark\"").count(), 2);
        assert_eq!(drawn.legend().0.len(), 3);
    }
}
