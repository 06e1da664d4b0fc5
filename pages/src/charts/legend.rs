//! Legends: what each colour, line and point stands for. They are lines of text above a drawing, which break where a screen is narrow.

use maud::{Markup, Render, html};

use super::{colour::Colour, stroke::Stroke};

/// What is told apart in a chart; where there is one thing alone, nothing has to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Legend(pub Vec<(String, Swatch)>);

/// What a thing looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swatch {
    /// A box, in the colours that it has.
    Box(Vec<Colour>),
    /// A line, with points on it or not.
    Line(Colour, Stroke, bool),
    /// Points alone.
    Point(Colour),
}

impl Render for Legend {
    fn render(&self) -> Markup {
        html! {
            @if self.0.len() > 1 {
                div.legend { @for (what, swatch) in &self.0 { span { (swatch) (what) } } }
            }
        }
    }
}

impl Render for Swatch {
    fn render(&self) -> Markup {
        html! {
            @let width = if matches!(self, Self::Line(..)) { 24 } else { 12 };
            svg.swatch width=(width) height="12" {
                @match self {
                    Self::Box(colours) => @for (place, colour) in colours.iter().enumerate() {
                        @let width = 12 / colours.len();
                        rect x=(width * place) y="0" width=(width) height="12" fill=(colour.css()) {}
                    },
                    Self::Line(colour, stroke, has_points) => {
                        line x1="0" x2="24" y1="6" y2="6" stroke=(colour.css()) stroke-width="2.5" stroke-dasharray=[stroke.dashes()] {}
                        @if *has_points { circle cx="12" cy="6" r="3.5" fill=(colour.css()) {} }
                    }
                    Self::Point(colour) => circle cx="6" cy="6" r="4" fill=(colour.css()) {},
                }
            }
        }
    }
}
