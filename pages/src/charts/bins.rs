//! Values by bin, where bins lie side by side and are equally wide: histograms, steps and lines.

use maud::{Markup, html};

use super::{
    axis::Axis,
    layer::{HEIGHT, Layer, Shape, Side, WIDTH, line, steps},
    legend::Legend,
    words::{length, trimmed},
};

/// The share of a bin that its column takes.
const COLUMN: f64 = 0.92;

/// A chart of values by bin.
#[derive(Debug, Clone)]
pub struct Bins {
    /// What bins are of, from the first one's beginning to the last one's end.
    pub along: Axis,
    /// What layers of the left side are measured on.
    pub left: Axis,
    /// What those of the right side are measured on.
    pub right: Option<Axis>,
    /// What each bin says: its bounds and all its values.
    pub titles: Vec<String>,
    /// What is drawn, in this order; each layer has a value for each bin.
    pub layers: Vec<Layer>,
}

impl Bins {
    pub(super) fn legend(&self) -> Legend {
        Legend(self.layers.iter().map(|layer| (layer.what.clone(), layer.swatch())).collect())
    }

    pub(super) fn drawing(&self) -> Markup {
        let right = self.right.as_ref().map_or(14.0, Axis::room);
        let style = format!("--left:{}px;--right:{right}px;--height:{HEIGHT}px", self.left.room());
        let bin = 1.0 / self.titles.len().max(1) as f64;
        html! {
            svg.plot.bins style=(style) {
                (self.left.beside(Side::Left, HEIGHT))
                @if let Some(right) = &self.right { (right.beside(Side::Right, HEIGHT)) }
                (self.columns(bin))
                svg.lines width="100%" height=(HEIGHT) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" {
                    @for layer in &self.layers { (self.path(layer)) }
                }
                line.ground x1="0" x2="100%" y1=(HEIGHT) y2=(HEIGHT) {}
                (self.along.below(false))
                // what is pointed at is the whole height of a bin
                @for (number, title) in self.titles.iter().enumerate() {
                    g.bin {
                        title { (title) }
                        rect.hit x=(length(bin * number as f64)) width=(length(bin)) y="0" height=(HEIGHT) {}
                        (self.points(number, bin))
                    }
                }
            }
        }
    }

    /// Pixels from the upper edge at which a value lies.
    fn height(&self, side: Side, value: f64) -> f64 {
        let axis = self.right.as_ref().filter(|_| side == Side::Right).unwrap_or(&self.left);
        HEIGHT * (1.0 - axis.scale.place(value))
    }

    fn columns(&self, bin: f64) -> Markup {
        let mut sums = vec![0.0; self.titles.len()];
        let mut columns = Vec::new();
        for layer in self.layers.iter().filter(|layer| layer.shape == Shape::Columns) {
            for (number, (sum, value)) in sums.iter_mut().zip(&layer.values).enumerate() {
                let ground = self.height(layer.side, *sum);
                *sum += value.unwrap_or_default();
                columns.push((layer.colour, number, ground, self.height(layer.side, *sum)));
            }
        }
        columns.retain(|(_, _, ground, top)| top < ground);
        html! {
            @for (colour, number, ground, top) in columns {
                @let begin = bin * (number as f64 + (1.0 - COLUMN) / 2.0);
                rect.mark x=(length(begin)) width=(length(bin * COLUMN)) y=(trimmed(top, 1)) height=(trimmed(ground - top, 1))
                    fill=(colour.css()) {}
            }
        }
    }

    fn path(&self, layer: &Layer) -> Markup {
        let heights = || layer.values.iter().map(|value| value.map(|value| self.height(layer.side, value)));
        let outline = || steps(&heights().map(|height| height.unwrap_or(HEIGHT)).collect::<Vec<_>>(), HEIGHT);
        let through = || line(&heights().collect::<Vec<_>>());
        let (path, dashes) = match layer.shape {
            Shape::Columns | Shape::Points => return Markup::default(),
            Shape::Area => (outline(), None),
            Shape::Steps(stroke) => (outline(), stroke.dashes()),
            Shape::Line(stroke) | Shape::LineWithPoints(stroke) => (through(), stroke.dashes()),
        };
        let colour = layer.colour.css();
        let fill = if layer.shape == Shape::Area { colour } else { "none" };
        html! { path.mark d=(path) stroke=(colour) stroke-dasharray=[dashes] fill=(fill) {} }
    }

    /// The points of a bin.
    fn points(&self, number: usize, bin: f64) -> Markup {
        let points = self.layers.iter().filter(|layer| layer.has_points());
        html! {
            @for layer in points { @if let Some(value) = layer.values.get(number).copied().flatten() {
                circle.mark cx=(length(bin * (number as f64 + 0.5))) cy=(trimmed(self.height(layer.side, value), 1)) r="4"
                    fill=(layer.colour.css()) {}
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Colour, Scale, Stroke, Unit},
        *,
    };

    #[test]
    fn columns_stand_on_those_before() {
        let layer = |shape, values: [f64; 2]| Layer {
            what: String::new(),
            colour: Colour::Kept,
            shape,
            side: Side::Left,
            values: values.map(Some).to_vec(),
        };
        let bins = Bins {
            along: Axis::new("score", Scale::linear(1.0), Unit::Number),
            left: Axis::new("documents", Scale::linear(4.0), Unit::Count),
            right: None,
            titles: vec!["first".to_owned(), "second".to_owned()],
            layers: vec![
                layer(Shape::Columns, [1.0, 2.0]),
                layer(Shape::Columns, [3.0, 0.0]),
                layer(Shape::LineWithPoints(Stroke::Dotted), [1.0, 4.0]),
            ],
        };
        let drawn = bins.drawing().into_string();
        for part in ["y=\"180\" height=\"60\"", "y=\"120\" height=\"120\"", "y=\"0\" height=\"180\"", "M250 180L750 0"]
        {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        assert_eq!(drawn.matches("<circle").count(), 2);
        assert!(drawn.contains("<title>second</title>"));
    }
}
