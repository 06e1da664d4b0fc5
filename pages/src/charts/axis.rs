//! Axes: a title, ticks with their values, and the lines that lead from them through the drawing.

use maud::{Markup, html};

use super::{
    layer::Side,
    scale::Scale,
    ticks::ticks,
    words::{count, length, share, trimmed, width},
};

/// What is measured along one side of a drawing.
#[derive(Debug, Clone)]
pub struct Axis {
    /// What it measures.
    pub title: String,
    /// Where values lie.
    pub scale: Scale,
    /// How they are written.
    pub unit: Unit,
}

/// How the values of an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Whole numbers, which may be large.
    Count,
    /// Shares of 1, in percent.
    Share,
    /// Numbers as they are.
    Number,
}

impl Axis {
    /// An axis.
    pub fn new(title: impl Into<String>, scale: Scale, unit: Unit) -> Self {
        Self { title: title.into(), scale, unit }
    }

    /// The places of the ticks, and what is written there.
    fn ticks(&self) -> Vec<(f64, String)> {
        let ticks = ticks(self.scale, self.unit == Unit::Count);
        let last = ticks.last().copied().unwrap_or_default();
        let written = |tick: f64| match self.unit {
            // powers have each a unit of their own
            Unit::Count if matches!(self.scale, Scale::Log { .. }) => count(tick, tick),
            Unit::Count => count(tick, last),
            _ => self.written(tick),
        };
        ticks.into_iter().map(|tick| (self.scale.place(tick), written(tick))).collect()
    }

    /// A value as it is written.
    pub(super) fn written(&self, value: f64) -> String {
        match self.unit {
            Unit::Count => count(value, value),
            Unit::Share => share(value),
            Unit::Number => trimmed(value, 3).replace('-', "−"),
        }
    }

    /// Room for its values beside a drawing, in pixels.
    pub(super) fn room(&self) -> f64 {
        self.ticks().iter().map(|(_, text)| width(text)).fold(0.0, f64::max).ceil() + 10.0
    }

    /// The places that are at the very beginning, where a tick may stand beside it.
    fn beginning(&self) -> f64 {
        if matches!(self.scale, Scale::Between { .. }) { 0.05 } else { 0.0 }
    }

    /// Below the drawing, with lines upwards.
    pub(super) fn below(&self, has_lines: bool) -> Markup {
        html! {
            g.axis {
                @for (place, text) in self.ticks() {
                    @let x = length(place);
                    @if has_lines { line x1=(x) x2=(x) y1="0" y2="100%" {} }
                    // without room at its left, what stands at the very beginning may not reach out of the box
                    text class=[(place <= self.beginning()).then_some("first")] x=(x) y="100%" dy="17" text-anchor="middle" { (text) }
                }
                text.title x="100%" y="100%" dy="34" text-anchor="end" { (self.title) }
            }
        }
    }

    /// Beside a drawing of so many pixels, with lines through it from the left.
    pub(super) fn beside(&self, side: Side, height: f64) -> Markup {
        let (x, anchor, apart, title) = match side {
            Side::Left => ("0", "end", -8.0, -self.room()),
            Side::Right => ("100%", "start", 8.0, self.room()),
        };
        // the title begins, or ends, where the drawing's box does
        let title_anchor = if side == Side::Left { "start" } else { "end" };
        html! {
            g.axis {
                @for (place, text) in self.ticks() {
                    @let y = trimmed(height * (1.0 - place), 1);
                    @if side == Side::Left { line x1="0" x2="100%" y1=(y) y2=(y) {} }
                    text x=(x) dx=(apart) y=(y) dy="0.35em" text-anchor=(anchor) { (text) }
                }
                text.title x=(x) dx=(title) y="-16" text-anchor=(title_anchor) { (self.title) }
            }
        }
    }
}
