//! Values at places that have names and lie side by side, joined by lines, with the intervals in which they lie.

use maud::{Markup, html};

use super::{
    axis::Axis,
    colour::Colour,
    layer::{HEIGHT, Side, WIDTH, line},
    legend::{Legend, Swatch},
    stroke::Stroke,
    words::{length, trimmed},
};

/// A chart of lines.
#[derive(Debug, Clone)]
pub struct Curves {
    /// What the places are.
    pub along: String,
    /// The places, from the left.
    pub places: Vec<String>,
    /// What values are measured on.
    pub left: Axis,
    /// The lines.
    pub curves: Vec<Curve>,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Curve {
    /// What it stands for, in the words of the legend.
    pub what: String,
    /// Its colour.
    pub colour: Colour,
    /// How it is broken.
    pub stroke: Stroke,
    /// A value for each place; none where there is nothing to say.
    pub points: Vec<Option<CurvePoint>>,
}

/// A value at a place.
#[derive(Debug, Clone)]
pub struct CurvePoint {
    /// The value.
    pub value: f64,
    /// Where its interval begins and ends, if it has one.
    pub interval: Option<[f64; 2]>,
    /// The value as it is written.
    pub shown: String,
}

impl Curves {
    pub(super) fn legend(&self) -> Legend {
        let swatch = |curve: &Curve| (curve.what.clone(), Swatch::Line(curve.colour, curve.stroke, true));
        Legend(self.curves.iter().map(swatch).collect())
    }

    pub(super) fn drawing(&self) -> Markup {
        let style = format!("--left:{}px;--right:14px;--height:{HEIGHT}px", self.left.room());
        let wide = 1.0 / self.places.len().max(1) as f64;
        html! {
            svg.plot.bins style=(style) {
                (self.left.beside(Side::Left, HEIGHT))
                svg.lines width="100%" height=(HEIGHT) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" {
                    @for curve in &self.curves {
                        path.mark d=(self.path(curve)) stroke=(curve.colour.css()) stroke-dasharray=[curve.stroke.dashes()] fill="none" {}
                    }
                }
                line.ground x1="0" x2="100%" y1=(HEIGHT) y2=(HEIGHT) {}
                g.axis {
                    @for (number, place) in self.places.iter().enumerate() {
                        text x=(length(wide * (number as f64 + 0.5))) y="100%" dy="17" text-anchor="middle" { (place) }
                    }
                    text.title x="100%" y="100%" dy="34" text-anchor="end" { (self.along) }
                }
                @for (number, place) in self.places.iter().enumerate() {
                    g.bin {
                        title { (self.all(number, place)) }
                        rect.hit x=(length(wide * number as f64)) width=(length(wide)) y="0" height=(HEIGHT) {}
                        @for curve in &self.curves { (self.point(curve, number, wide)) }
                    }
                }
            }
        }
    }

    /// Pixels from the upper edge at which a value lies.
    fn height(&self, value: f64) -> f64 {
        HEIGHT * (1.0 - self.left.scale.place(value))
    }

    fn path(&self, curve: &Curve) -> String {
        let height = |point: &Option<CurvePoint>| point.as_ref().map(|point| self.height(point.value));
        line(&curve.points.iter().map(height).collect::<Vec<_>>())
    }

    fn point(&self, curve: &Curve, number: usize, wide: f64) -> Markup {
        let x = length(wide * (number as f64 + 0.5));
        let y = |value| trimmed(self.height(value), 1);
        html! {
            @if let Some(point) = curve.points.get(number).and_then(Option::as_ref) {
                @if let Some([low, high]) = point.interval {
                    line x1=(x) x2=(x) y1=(y(low)) y2=(y(high)) stroke=(curve.colour.css()) stroke-width="2" stroke-opacity="0.55" {}
                }
                circle.mark cx=(x) cy=(y(point.value)) r="4" fill=(curve.colour.css()) {}
            }
        }
    }

    /// Everything that is said at a place.
    fn all(&self, number: usize, place: &str) -> String {
        let said = |curve: &Curve| {
            let point = curve.points.get(number).and_then(Option::as_ref)?;
            Some(format!("\n{}: {}", curve.what, point.shown))
        };
        format!("{}: {place}{}", self.along, self.curves.iter().filter_map(said).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Scale, Unit},
        *,
    };

    #[test]
    fn a_place_says_what_each_line_has_there() {
        let point =
            |value: f64| CurvePoint { value, interval: Some([value - 0.1, value + 0.1]), shown: value.to_string() };
        let curve =
            |what: &str, points| Curve { what: what.to_owned(), colour: Colour::Kept, stroke: Stroke::Solid, points };
        let drawn = Curves {
            along: "shots".to_owned(),
            places: vec!["0".to_owned(), "max".to_owned()],
            left: Axis::new("accuracy", Scale::linear(1.0), Unit::Share),
            curves: vec![
                curve("a", vec![Some(point(0.5)), Some(point(0.75))]),
                curve("b", vec![None, Some(point(0.25))]),
            ],
        };
        let markup = drawn.drawing().into_string();
        for part in ["M250 120L750 60", "shots: 0\na: 0.5<", "shots: max\na: 0.75\nb: 0.25<", "cx=\"75%\" cy=\"180\""] {
            assert!(markup.contains(part), "{part}: {markup}");
        }
        assert_eq!(markup.matches("<circle").count(), 3);
    }
}
