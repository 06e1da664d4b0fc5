//! Points of two measures, joined by lines in the order of their own, or not joined at all.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{
    axis::Axis,
    colour::Colour,
    layer::{HEIGHT, Side, WIDTH},
    legend::{Legend, Swatch},
    stroke::Stroke,
    words::{length, trimmed},
};

/// A chart of one measure over another.
#[derive(Debug, Clone)]
pub struct Lines {
    /// What is measured along the drawing.
    pub below: Axis,
    /// What is measured upwards.
    pub left: Axis,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it stands for, in the words of the legend.
    pub what: String,
    /// Its colour.
    pub colour: Colour,
    /// How it is broken; nothing joins its points where there is none.
    pub stroke: Option<Stroke>,
    /// Whether its points are marked.
    pub has_points: bool,
    /// Its points, one after the other: a line may turn back.
    pub points: Vec<LinePoint>,
}

/// A point.
#[derive(Debug, Clone)]
pub struct LinePoint {
    /// Its place along the drawing.
    pub along: f64,
    /// Its height.
    pub value: f64,
    /// What it is, in words.
    pub shown: String,
}

impl Lines {
    pub(super) fn legend(&self) -> Legend {
        let swatch = |line: &Line| match line.stroke {
            Some(stroke) => Swatch::Line(line.colour, stroke, line.has_points),
            None => Swatch::Point(line.colour),
        };
        Legend(self.lines.iter().map(|line| (line.what.clone(), swatch(line))).collect())
    }

    pub(super) fn drawing(&self) -> Markup {
        let style = format!("--left:{}px;--right:14px;--height:{HEIGHT}px", self.left.room());
        html! {
            svg.plot.bins style=(style) {
                (self.left.beside(Side::Left, HEIGHT))
                (self.below.below(false))
                svg.lines width="100%" height=(HEIGHT) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" {
                    @for line in &self.lines { @if let Some(stroke) = line.stroke {
                        path.mark d=(self.path(line)) stroke=(line.colour.css()) stroke-dasharray=[stroke.dashes()] fill="none" {}
                    } }
                }
                line.ground x1="0" x2="100%" y1=(HEIGHT) y2=(HEIGHT) {}
                @for line in self.lines.iter().filter(|line| line.has_points) {
                    @for point in &line.points {
                        g.bin {
                            title { (line.what) ": " (point.shown) }
                            circle.mark cx=(length(self.below.scale.place(point.along))) cy=(trimmed(self.height(point), 1)) r="4"
                                fill=(line.colour.css()) {}
                        }
                    }
                }
            }
        }
    }

    /// Pixels from the upper edge at which a point lies.
    fn height(&self, point: &LinePoint) -> f64 {
        HEIGHT * (1.0 - self.left.scale.place(point.value))
    }

    fn path(&self, line: &Line) -> String {
        let mut path = String::new();
        for (point, sign) in line.points.iter().zip(std::iter::once('M').chain(std::iter::repeat('L'))) {
            let along = trimmed(WIDTH * self.below.scale.place(point.along), 2);
            write!(path, "{sign}{along} {}", trimmed(self.height(point), 1)).expect("a text can be written");
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Scale, Unit},
        *,
    };

    #[test]
    fn points_lie_where_both_measures_have_them() {
        let point = |along: f64, value: f64| LinePoint { along, value, shown: format!("{value} at {along}") };
        let line = |what: &str, stroke: Option<Stroke>, points| Line {
            what: what.into(),
            colour: Colour::Kept,
            stroke,
            has_points: what != "c",
            points,
        };
        let drawn = Lines {
            below: Axis::new("divergence", Scale::Root { most: 4.0 }, Unit::Number),
            left: Axis::new("reward", Scale::linear(2.0), Unit::Number),
            lines: vec![
                line("a", Some(Stroke::Solid), vec![point(0.0, 0.0), point(4.0, 2.0), point(1.0, 1.0)]),
                line("b", None, vec![point(1.0, 1.0)]),
                line("c", Some(Stroke::Dashed), vec![point(0.0, 2.0), point(4.0, 2.0)]),
            ],
        };
        let markup = drawn.drawing().into_string();
        for part in ["M0 240L1000 0L500 120", "a: 1 at 1<", "cx=\"50%\" cy=\"120\""] {
            assert!(markup.contains(part), "{part}: {markup}");
        }
        assert_eq!((markup.matches("<circle").count(), markup.matches("<path").count()), (4, 2));
    }
}
