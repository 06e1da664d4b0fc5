//! Layers: values by bin, as columns, steps, lines or points.

use std::fmt::Write as _;

use super::{colour::Colour, legend::Swatch, stroke::Stroke, words::trimmed};

/// The width of a drawing in the units of a path, which is stretched to the box's.
pub const WIDTH: f64 = 1000.0;

/// Pixels of a drawing from the ground to the upper edge.
pub const HEIGHT: f64 = 240.0;

/// Values by bin.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What they are, in the words of the legend.
    pub what: String,
    /// Its colour.
    pub colour: Colour,
    /// What it is drawn as.
    pub shape: Shape,
    /// The axis that they are measured on.
    pub side: Side,
    /// A value for each bin; none where there is nothing to say.
    pub values: Vec<Option<f64>>,
}

/// What a layer is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A column in each bin, on top of those of the layers before.
    Columns,
    /// A line that goes along each bin at its value, with what lies below it.
    Area,
    /// The same line alone.
    Steps(Stroke),
    /// A line through the middles of bins.
    Line(Stroke),
    /// The same with a point at each of them.
    LineWithPoints(Stroke),
    /// Points alone.
    Points,
}

/// The side of a drawing on which an axis stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

impl Layer {
    pub(super) fn swatch(&self) -> Swatch {
        match self.shape {
            Shape::Columns | Shape::Area => Swatch::Box(vec![self.colour]),
            Shape::Steps(stroke) | Shape::Line(stroke) => Swatch::Line(self.colour, stroke, false),
            Shape::LineWithPoints(stroke) => Swatch::Line(self.colour, stroke, true),
            Shape::Points => Swatch::Point(self.colour),
        }
    }

    /// Whether it has a point in each bin.
    pub(super) fn has_points(&self) -> bool {
        matches!(self.shape, Shape::Points | Shape::LineWithPoints(_))
    }
}

/// The outline of steps, from the ground and back to it; `heights` are pixels from the upper edge, `ground` that of nothing.
pub fn steps(heights: &[f64], ground: f64) -> String {
    let bin = WIDTH / heights.len() as f64;
    let mut path = format!("M0 {}", trimmed(ground, 1));
    for (number, height) in heights.iter().enumerate() {
        let end = trimmed(bin * (number + 1) as f64, 2);
        write!(path, "V{}H{end}", trimmed(*height, 1)).expect("a text can be written");
    }
    format!("{path}V{}", trimmed(ground, 1))
}

/// A line through the middles of bins, broken where there is no value.
pub fn line(heights: &[Option<f64>]) -> String {
    let bin = WIDTH / heights.len() as f64;
    let mut path = String::new();
    let mut sign = 'M';
    for (number, height) in heights.iter().enumerate() {
        let Some(height) = height else {
            sign = 'M';
            continue;
        };
        let middle = trimmed(bin * (number as f64 + 0.5), 2);
        write!(path, "{sign}{middle} {}", trimmed(*height, 1)).expect("a text can be written");
        sign = 'L';
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_begin_and_end_on_the_ground() {
        assert_eq!(steps(&[50.0, 25.5], 100.0), "M0 100V50H500V25.5H1000V100");
    }

    #[test]
    fn a_line_is_broken_where_there_is_nothing() {
        assert_eq!(line(&[Some(1.0), Some(2.0), None, Some(3.0)]), "M125 1L375 2M875 3");
    }
}
