//! The page of a ladder, `report.html`: one file that needs no network and no script.
//!
//! Useful for: how the loss falls with size, and how far to believe a forecast. Not useful for: the course of a training; that stands in its folder.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use pages::{
    Page, Section,
    charts::{Axis, Chart, Colour, Line, LinePoint, Lines, SERIES, Scale, Stroke, Unit},
    numbers::{grouped, percent},
    table::{Cell, Column, Table},
    tile,
};

use super::fit::{Forecast, ScaleFit, four_digits};
use crate::{
    program::sweep::{Evaluated, Reached},
    scaling::Point,
};

/// The name of the file.
pub(super) const FILE: &str = "report.html";

/// Sizes in a chart, at most.
const MOST_SIZES: usize = 14;

/// Points of a curve, at most.
const MOST_POINTS: usize = 24;

/// Budgets for which the best size is shown, in powers of ten about those of the ladder.
const BUDGETS: [f64; 6] = [0.1, 1.0, 10.0, 100.0, 1e3, 1e4];

/// What the page shows.
pub(super) struct ScalePage<'p> {
    /// What the ladder is called.
    pub name: &'p str,
    pub fit: &'p ScaleFit,
    /// The trainings, with their parameters.
    pub curves: Vec<(f64, &'p Reached)>,
    /// The loss that counts of an evaluation.
    pub loss: &'p dyn Fn(&Evaluated) -> f64,
}

impl ScalePage<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let sections = [
            Some(self.compute()),
            Some(self.tokens()),
            Some(self.law()),
            self.forecasts(),
            self.budgets(),
            self.tasks(),
            Some(self.points()),
        ];
        let page = Page {
            title: self.name,
            kind: "ladder of sizes",
            lead: self.lead(),
            sections: sections.into_iter().flatten().collect(),
        };
        page.html()
    }

    fn lead(&self) -> Markup {
        let ScaleFit { points, parameters, error, forecasts, compute_exponent: [exponent, ..], warnings, .. } =
            self.fit;
        let worst =
            forecasts.iter().map(|forecast| forecast.error).max_by(|one, other| one.abs().total_cmp(&other.abs()));
        let trainings = points.len() + forecasts.len();
        html! {
            p.verdict {
                "A law fitted to " b { (points.len()) " trainings" } " misses them by " (percent(*error)) " of their loss"
                @if let Some(worst) = worst {
                    ", and the larger ones that it has not seen by " b { (format!("{:+.2}\u{202f}%", 100.0 * worst)) } " at most"
                }
                ". The best number of parameters grows by FLOPs to the power of " b { (format!("{exponent:.2}")) } " (" (parameters) ")."
            }
            @for warning in warnings { p.warning { (warning) } }
            ul.tiles {
                (tile(&grouped(trainings as u64), "trainings"))
                (tile(&grouped(self.sizes().len() as u64), "sizes"))
                (tile(&four_digits(self.fit.law.floor), "loss at any size"))
            }
        }
    }

    /// All sizes, rising.
    fn sizes(&self) -> Vec<f64> {
        let mut sizes: Vec<f64> = self.curves.iter().map(|(parameters, _)| *parameters).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        sizes
    }

    /// The sizes that charts show: the largest.
    fn shown(&self) -> Vec<f64> {
        let sizes = self.sizes();
        sizes[sizes.len().saturating_sub(MOST_SIZES)..].to_vec()
    }

    fn compute(&self) -> Section {
        let mut lines: Vec<Line> = Vec::new();
        for (number, size) in self.shown().into_iter().enumerate() {
            // of each size its longest training: the others are short of it
            let longest = self
                .curves
                .iter()
                .filter(|(own, _)| own.total_cmp(&size).is_eq())
                .max_by_key(|(_, reached)| reached.tokens);
            let Some((parameters, reached)) = longest else { continue };
            let point = |evaluated: &Evaluated| {
                let tokens = reached.tokens as f64 * evaluated.step as f64 / reached.steps as f64;
                let point = Point { parameters: *parameters, tokens, loss: (self.loss)(evaluated) };
                LinePoint {
                    along: point.flops(),
                    value: point.loss,
                    shown: format!("{:.4} at {:.2e} FLOPs", point.loss, point.flops()),
                }
            };
            let points = reached.evaluations.iter().filter(|evaluated| evaluated.step > 0).map(point);
            lines.push(Line {
                what: four_digits(size),
                colour: Colour::Series(number % SERIES),
                stroke: Some(Stroke::Solid),
                has_points: true,
                points: thinned(points.collect()),
            });
        }
        let ends = Self::ends(&lines);
        let best = Self::along(ends).filter_map(|flops| {
            let [parameters, tokens] = self.fit.law.optimal(flops)?;
            let loss = self.fit.law.predict(parameters, tokens);
            Some(LinePoint {
                along: flops,
                value: loss,
                shown: format!("{loss:.4} at {flops:.2e} FLOPs, with {parameters:.3e} parameters"),
            })
        });
        lines.push(Line {
            what: "the best size for each budget".into(),
            colour: Colour::Dropped,
            stroke: Some(Stroke::Dashed),
            has_points: false,
            points: best.collect(),
        });
        let chart = Self::chart("compute-chart", "FLOPs (by powers)", ends, lines);
        Section {
            id: "compute",
            title: "Loss by compute",
            says: "The loss of each size while it was trained longest, over the FLOPs that it had taken: 6 for each parameter and token. Losses in the \
                   midst of a training lie above what a shorter one reaches, since their learning rate has not come down. The dashed line is the law's: \
                   what the best size reaches.",
            body: html! { (chart) },
        }
    }

    fn tokens(&self) -> Section {
        let all: Vec<Point> =
            self.fit.points.iter().copied().chain(self.fit.forecasts.iter().map(|forecast| forecast.point)).collect();
        let mut lines: Vec<Line> = Vec::new();
        let reached = |size: f64| -> Vec<LinePoint> {
            let mut own: Vec<&Point> = all.iter().filter(|point| point.parameters.total_cmp(&size).is_eq()).collect();
            own.sort_by(|one, other| one.tokens.total_cmp(&other.tokens));
            let point = |point: &&Point| LinePoint {
                along: point.tokens,
                value: point.loss,
                shown: format!("{:.4} after {:.3e} tokens", point.loss, point.tokens),
            };
            own.iter().map(point).collect()
        };
        let tokens = all.iter().map(|point| point.tokens);
        let ends = [tokens.clone().fold(f64::INFINITY, f64::min), tokens.fold(0.0, f64::max)];
        for (number, size) in self.shown().into_iter().enumerate() {
            let colour = Colour::Series(number % SERIES);
            let what = four_digits(size);
            lines.push(Line { what: what.clone(), colour, stroke: None, has_points: true, points: reached(size) });
            let expected = Self::along(ends).map(|tokens| {
                let loss = self.fit.law.predict(size, tokens);
                LinePoint { along: tokens, value: loss, shown: format!("{loss:.4}") }
            });
            let stroke = Some(Stroke::Dashed);
            let points = expected.collect();
            lines.push(Line { what: format!("{what} by the law"), colour, stroke, has_points: false, points });
        }
        let chart = Self::chart("tokens-chart", "tokens (by powers)", ends, lines);
        Section {
            id: "tokens",
            title: "Loss by tokens",
            says: "What each size reached at the end of each training, and what the law says of it. A size that lies off its line was forecast, or follows \
                   another law.",
            body: html! { (chart) },
        }
    }

    /// Places between two ends, by powers.
    fn along([low, high]: [f64; 2]) -> impl Iterator<Item = f64> {
        const PLACES: u32 = 24;
        (0..=PLACES).map(move |place| low * (high / low).powf(f64::from(place) / f64::from(PLACES)))
    }

    /// The least and the most along some lines.
    fn ends(lines: &[Line]) -> [f64; 2] {
        let along = || lines.iter().flat_map(|line| &line.points).map(|point| point.along);
        [along().fold(f64::INFINITY, f64::min), along().fold(0.0, f64::max)]
    }

    fn chart(id: &str, below: &str, [least, most]: [f64; 2], lines: Vec<Line>) -> Chart {
        let below = Axis::new(below, Scale::Log { least, most: most.max(least * 1.01) }, Unit::Count);
        let values = lines.iter().flat_map(|line| &line.points).map(|point| point.value);
        let left = Axis::new("loss (nats a token)", Scale::around(values), Unit::Number);
        let last = |line: &Line| Some(format!("{}: {}", line.what, line.points.last()?.shown));
        let label = format!("Lines. {}.", lines.iter().filter_map(last).collect::<Vec<_>>().join("; "));
        Chart::of_lines(id, label, &Lines { below, left, lines })
    }

    fn law(&self) -> Section {
        let columns =
            [Column::Words("number"), Column::Words("what it is"), Column::Numbers("value"), Column::Numbers("95 %")];
        let rows = self.fit.numbers().into_iter().map(|(name, what, value, [low, high])| {
            let between = format!("{} to {}", four_digits(low), four_digits(high));
            vec![
                Cell::words(name),
                Cell::words(what),
                Cell::Number(four_digits(value), value),
                Cell::Number(between, low),
            ]
        });
        let [exponent, low, high] = self.fit.compute_exponent;
        let exponent = vec![
            Cell::words("a"),
            Cell::words("the power of FLOPs by which the best number of parameters grows"),
            Cell::Number(four_digits(exponent), exponent),
            Cell::Number(format!("{} to {}", four_digits(low), four_digits(high)), low),
        ];
        let caption = html! { "loss = E + A / N" sup { "alpha" } " + B / D" sup { "beta" } ", with N " (self.fit.parameters) " and D tokens." };
        let table = Table { id: "law-table", caption, columns: &columns, rows: rows.chain([exponent]).collect() };
        Section {
            id: "law",
            title: "The law",
            says: "Fitted by Huber's loss of the logarithm, from many starts; intervals are over samples of the trainings. Factors and exponents hang \
                   together: other factors with other exponents may say the same of all sizes at hand.",
            body: html! { (table) },
        }
    }

    fn forecasts(&self) -> Option<Section> {
        if self.fit.forecasts.is_empty() {
            return None;
        }
        let columns = [
            Column::Numbers("parameters"),
            Column::Numbers("tokens"),
            Column::Numbers("loss"),
            Column::Numbers("forecast"),
            Column::Numbers("95 %"),
            Column::Numbers("error"),
        ];
        let row = |Forecast { point, expected, interval: [low, high], error }: &Forecast| {
            vec![
                Cell::Number(format!("{:.3e}", point.parameters), point.parameters),
                Cell::Number(format!("{:.3e}", point.tokens), point.tokens),
                Cell::decimal(point.loss, 4),
                Cell::decimal(*expected, 4),
                Cell::Number(format!("{low:.4} to {high:.4}"), *low),
                Cell::Number(format!("{:+.2}\u{202f}%", 100.0 * error), *error),
            ]
        };
        let caption = html! { "The largest sizes, which the law was not fitted to." };
        let rows = self.fit.forecasts.iter().map(row).collect();
        let table = Table { id: "forecasts-table", caption, columns: &columns, rows };
        Some(Section {
            id: "forecasts",
            title: "Forecasts",
            says: "How far a forecast is off says more of the law than how well it fits. Those of published ladders are off by some 2 % for five times the \
                   size, and err low.",
            body: html! { (table) },
        })
    }

    fn budgets(&self) -> Option<Section> {
        let columns = [
            Column::Numbers("FLOPs"),
            Column::Numbers("parameters"),
            Column::Numbers("tokens"),
            Column::Numbers("loss"),
        ];
        let most = self.fit.points.iter().map(Point::flops).fold(0.0, f64::max);
        let row = |factor: f64| {
            let flops = factor * most;
            let [parameters, tokens] = self.fit.law.optimal(flops)?;
            let powers = |value: f64| Cell::Number(format!("{value:.2e}"), value);
            let loss = self.fit.law.predict(parameters, tokens);
            Some(vec![powers(flops), powers(parameters), powers(tokens), Cell::decimal(loss, 4)])
        };
        let rows = BUDGETS.into_iter().map(row).collect::<Option<Vec<_>>>()?;
        let caption = html! { "What the law says of budgets: the best number of parameters, and what it reaches." };
        let table = Table { id: "budgets-table", caption, columns: &columns, rows };
        Some(Section {
            id: "budgets",
            title: "Budgets",
            says: "The second row is the largest training that the law was fitted to. The further a budget lies from it, the less a law of small models \
                   says; and repeated data is worth less than the law takes it for.",
            body: html! { (table) },
        })
    }

    /// What each size is by tasks, at the end of its longest training.
    fn tasks(&self) -> Option<Section> {
        // tasks may be asked less often than the loss is taken
        let asked =
            |reached: &Reached| reached.evaluations.iter().rev().find(|evaluated| !evaluated.tasks.is_empty()).cloned();
        let asked_of_all = self.curves.iter().filter_map(|(_, reached)| asked(reached)).collect::<Vec<_>>();
        let names: BTreeSet<&String> = asked_of_all.iter().flat_map(|evaluated| evaluated.tasks.keys()).collect();
        if names.is_empty() {
            return None;
        }
        let mut by_size: BTreeMap<u64, &Reached> = BTreeMap::new();
        for (_, reached) in &self.curves {
            let [all, _] = reached.parameters;
            let own = by_size.entry(all).or_insert(*reached);
            if reached.tokens > own.tokens {
                *own = *reached;
            }
        }
        let mut columns = vec![Column::Numbers("parameters"), Column::Numbers("loss")];
        columns.extend(names.iter().map(|name| Column::Numbers(name)));
        let row = |(parameters, reached): (&u64, &&Reached)| {
            let tasks = asked(reached).map(|evaluated| evaluated.tasks).unwrap_or_default();
            let mut row = vec![Cell::count(*parameters), Cell::decimal((self.loss)(reached.end()), 4)];
            row.extend(names.iter().map(|name| Cell::decimal(tasks.get(*name).copied(), 4)));
            row
        };
        let caption =
            html! { "What tasks are judged by, when they were last asked in the longest training of each size." };
        let rows = by_size.iter().map(row).collect();
        let table = Table { id: "tasks-table", caption, columns: &columns, rows };
        Some(Section {
            id: "tasks",
            title: "Tasks by size",
            says: "A loss falls smoothly, and a task may not: it is chance until a model is large enough.",
            body: html! { (table) },
        })
    }

    fn points(&self) -> Section {
        let columns = [
            Column::Numbers("parameters"),
            Column::Numbers("tokens"),
            Column::Numbers("tokens a parameter"),
            Column::Numbers("FLOPs"),
            Column::Numbers("loss"),
            Column::Numbers("by the law"),
        ];
        let all = self.fit.points.iter().chain(self.fit.forecasts.iter().map(|forecast| &forecast.point));
        let row = |point: &Point| {
            let Point { parameters, tokens, loss } = *point;
            vec![
                Cell::Number(format!("{parameters:.3e}"), parameters),
                Cell::Number(format!("{tokens:.3e}"), tokens),
                Cell::decimal(tokens / parameters, 1),
                Cell::Number(format!("{:.2e}", point.flops()), point.flops()),
                Cell::decimal(loss, 4),
                Cell::decimal(self.fit.law.predict(parameters, tokens), 4),
            ]
        };
        let caption =
            html! { "All trainings; those of the largest sizes were not seen by the law where some are left out." };
        let table = Table { id: "points-table", caption, columns: &columns, rows: all.map(row).collect() };
        Section {
            id: "points",
            title: "Trainings",
            says: "They stand in points.jsonl, too, and each in its folder below runs.",
            body: html! { (table) },
        }
    }
}

/// A line with so many points that a page has a bound.
fn thinned(points: Vec<LinePoint>) -> Vec<LinePoint> {
    let every = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points
        .into_iter()
        .enumerate()
        .filter(|(place, _)| place % every == 0 || *place == last)
        .map(|(_, point)| point)
        .collect()
}
