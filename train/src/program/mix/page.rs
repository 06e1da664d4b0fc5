//! The page of a mix, `report.html`: one file that needs no network and no script.
//!
//! ```text
//! fit    -> weights with their intervals, laws, what was expected and reached, what each source does to each domain   -+
//! trials -> what weights reached that were tried                                                                       -+-> HTML
//! rows   -> runs                                                                                                       -+
//! ```
//!
//! Useful for: whether one believes the weights. Not useful for: the course of a run; that stands in its folder.

use maud::{Markup, html};
use pages::{
    Page, Section,
    charts::{Axis, Chart, Colour, Dot, DotRow, Dots, Line, LinePoint, Lines, Scale, Stroke, Unit},
    excerpt::short,
    numbers::{grouped, percent},
    table::{Cell, Column, Table},
    tile,
};

use super::{
    fit::{LawAnswer, MixFit},
    rows::RunRow,
    trials::Trials,
};
use crate::program::sweep::Reached;

/// The name of the file.
pub(super) const FILE: &str = "report.html";

/// Characters of a name beside a row of a chart, at most.
const LONGEST_NAME: usize = 24;

/// What the page shows.
pub(super) struct MixPage<'p> {
    /// What the mix is called.
    pub name: &'p str,
    pub fit: &'p MixFit,
    pub rows: &'p [RunRow],
    pub trials: Option<&'p Trials>,
    /// A run, for what all have.
    pub proxy: &'p Reached,
}

impl MixPage<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let sections = [
            Some(self.weights()),
            self.tried(),
            Some(self.laws()),
            Some(self.validated()),
            Some(self.effects()),
            Some(self.runs()),
        ];
        let page = Page {
            title: self.name,
            kind: "weights from small models",
            lead: self.lead(),
            sections: sections.into_iter().flatten().collect(),
        };
        page.html()
    }

    /// What the chosen law says.
    fn chosen(&self) -> &LawAnswer {
        let is_chosen = |law: &&LawAnswer| law.law == self.fit.chosen;
        self.fit.laws.iter().find(is_chosen).expect("the chosen law is one of all")
    }

    fn lead(&self) -> Markup {
        let MixFit { runs, objective, best_run, chosen, warnings, .. } = self.fit;
        let LawAnswer { rank_correlation, expected, .. } = self.chosen();
        let [parameters, _] = self.proxy.parameters;
        let won = self.trials.and_then(|trials| {
            let name = chosen.to_string();
            trials.trials.iter().find(|trial| trial.name == name || trial.also.contains(&name))
        });
        html! {
            p.verdict {
                "Of " b { (grouped(*runs as u64)) " runs" } " of models with " (grouped(parameters)) " parameters, the " b { (chosen) }
                " law ranks those best that it has not seen (" b { (format!("{rank_correlation:.3}")) } "), and proposes weights of which it expects "
                b { (format!("{expected:.4}")) } " (" (objective) "); the best run has " (format!("{best_run:.4}")) "."
                @if let Some(trial) = won {
                    " Tried, they reach " b { (format!("{:.4}", trial.mean)) } ", " (if trial.better_than_prior < 0.0 { "more" } else { "less" }) " than the prior by " (trial.difference()) "."
                }
            }
            @for warning in warnings { p.warning { (warning) } }
            ul.tiles {
                (tile(&grouped(*runs as u64), "runs"))
                (tile(&grouped(self.fit.weights.len() as u64), "sources"))
                (tile(&format!("{rank_correlation:.3}"), "rank correlation"))
                (tile(&grouped(self.proxy.tokens), "tokens a run"))
            }
        }
    }

    fn weights(&self) -> Section {
        let MixFit { weights, intervals, prior, rule, chosen, .. } = self.fit;
        let row = |(source, weight): (&String, &f64)| {
            let [low, high] = intervals[source];
            let shown = percent(*weight);
            let said = format!("{shown} ({} to {})", percent(low), percent(high));
            let dot = Dot {
                what: format!("proposal of the {chosen} law"),
                value: *weight,
                interval: Some([low, high]),
                shown,
                said,
                colour: Colour::Series(0),
            };
            let name = short(source, LONGEST_NAME);
            DotRow { name, full: source.clone(), dots: vec![dot], reference: Some(prior[source]) }
        };
        let rows: Vec<DotRow> = weights.iter().map(row).collect();
        let most =
            intervals.values().map(|[_, high]| *high).chain(weights.values().copied()).chain(prior.values().copied());
        let axis = Axis::new("share of the mixture", Scale::linear(most.fold(0.0, f64::max)), Unit::Share);
        let said: Vec<String> = rows.iter().map(|row| format!("{} {}", row.full, row.dots[0].said)).collect();
        let label = format!("Points with intervals: the proposed share of each source. {}.", said.join("; "));
        let chart = Chart::of_dots("weights-chart", label, &Dots { axis, reference: "prior".into(), rows });
        let fitted: Vec<&LawAnswer> = self.fit.laws.iter().filter(|law| law.left_out.is_none()).collect();
        let names: Vec<String> = fitted.iter().map(|law| law.law.to_string()).collect();
        let mut columns = vec![Column::Words("source"), Column::Numbers("prior")];
        columns.extend(names.iter().map(|name| Column::Numbers(name)));
        if rule.is_some() {
            columns.push(Column::Numbers("rule"));
        }
        let row = |source: &String| {
            let mut row = vec![Cell::code(source), Cell::share(prior[source])];
            row.extend(fitted.iter().map(|law| Cell::share(law.weights[source])));
            row.extend(rule.as_ref().map(|rule| Cell::share(rule[source])));
            row
        };
        let rows = weights.keys().map(row).collect();
        let caption = html! { "What each law proposes, and what follows by the rule, from how good a model becomes by a source alone." };
        let table = Table { id: "weights-table", caption, columns: &columns, rows };
        Section {
            id: "weights",
            title: "Weights",
            says: "The line through a point is where 95 % of proposals lie, over samples of the runs: a wide one says that other weights would do as \
                   well. Where laws that rank runs alike propose different weights, believe what they share.",
            body: html! { (chart) (table) },
        }
    }

    fn tried(&self) -> Option<Section> {
        let trials = self.trials?;
        let all = || trials.trials.iter();
        let row = |trial: &super::trials::Trial| {
            let shown = format!("{:.4}", trial.mean);
            let values = || trial.reached.iter().copied();
            let ends = [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)];
            let said = format!("{shown}, {} less than the prior", trial.won());
            let dot = Dot {
                what: "reached".into(),
                value: trial.mean,
                interval: (trial.reached.len() > 1).then_some(ends),
                shown,
                said,
                colour: Colour::Series(0),
            };
            let full = trial.names();
            DotRow { name: short(&full, LONGEST_NAME), full, dots: vec![dot], reference: Some(trial.expected) }
        };
        let rows: Vec<DotRow> = all().map(row).collect();
        let values = all().flat_map(|trial| trial.reached.iter().copied().chain([trial.expected]));
        let axis = Axis::new(format!("loss ({}, nats a token)", trials.objective), Scale::around(values), Unit::Number);
        let said: Vec<String> = rows.iter().map(|row| format!("{} {}", row.full, row.dots[0].shown)).collect();
        let label = format!("Points: what weights reached. {}.", said.join("; "));
        let chart = Chart::of_dots("trials-chart", label, &Dots { axis, reference: "expected".into(), rows });
        let domains: Vec<&String> = all().next().map(|trial| trial.losses.keys().collect()).unwrap_or_default();
        let mut columns = vec![
            Column::Words("weights"),
            Column::Numbers("expected"),
            Column::Numbers("reached"),
            Column::Numbers("less than the prior"),
        ];
        columns.extend(domains.iter().map(|domain| Column::Numbers(domain)));
        let row = |trial: &super::trials::Trial| {
            let mut row = vec![
                Cell::words(trial.names()),
                Cell::decimal(trial.expected, 4),
                Cell::decimal(trial.mean, 4),
                Cell::Number(trial.won(), trial.better_than_prior),
            ];
            row.extend(domains.iter().map(|domain| Cell::decimal(trial.losses[*domain], 4)));
            row
        };
        let caption = html! {
            "Means over seeds; behind ± stands the standard error of the difference, seed by seed."
            @if let Some(rank) = trials.rank_correlation { " Rank correlation of what was expected and reached: " (format!("{rank:.3}")) "." }
        };
        let table = Table { id: "trials-table", caption, columns: &columns, rows: all().map(row).collect() };
        Some(Section {
            id: "trials",
            title: "Trials",
            says: "Small models of seeds that no run has, trained on the weights that were found and on others. The line through a point goes from the \
                   best to the worst seed; the dotted mark is what the chosen law expects.",
            body: html! { (chart) (table) },
        })
    }

    fn laws(&self) -> Section {
        let columns = [
            Column::Words("law"),
            Column::Numbers("rank correlation"),
            Column::Numbers("error"),
            Column::Numbers("points of a curve"),
            Column::Numbers("expected"),
        ];
        let row = |law: &LawAnswer| match &law.left_out {
            Some(why) => {
                vec![Cell::words(format!("{} ({why})", law.law)), Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty]
            }
            None => vec![
                Cell::words(law.law.to_string()),
                Cell::decimal(law.rank_correlation, 3),
                Cell::decimal(law.error, 4),
                Cell::count(law.curve_points as u64),
                Cell::decimal(law.expected, 4),
            ],
        };
        let rows = self.fit.laws.iter().map(row).collect();
        let caption = html! { "Each law was fitted to four fifths of the runs, five times, and asked for the others." };
        let table = Table { id: "laws-table", caption, columns: &columns, rows };
        Section {
            id: "laws",
            title: "Laws",
            says: "The law that ranks runs best that it has not seen proposes the weights. Its error is the root of the mean squared difference, in nats. \
                   Where more than one point of a curve is used, the last evaluations of a run speak for its end together, since noise is less then.",
            body: html! { (table) },
        }
    }

    fn validated(&self) -> Section {
        let validated = &self.fit.validated;
        let name = |number: usize| self.rows.get(number).and_then(|row| row.name.clone()).unwrap_or_default();
        let points: Vec<LinePoint> = validated
            .iter()
            .enumerate()
            .map(|(number, [expected, reached])| LinePoint {
                along: *expected,
                value: *reached,
                shown: format!("run {}: {reached:.4}, expected {expected:.4}", name(number)),
            })
            .collect();
        let scale = Scale::around(validated.iter().flatten().copied());
        let ends = validated
            .iter()
            .flatten()
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], value| [least.min(*value), most.max(*value)]);
        let diagonal =
            ends.map(|end| LinePoint { along: end, value: end, shown: format!("{end:.4}") }).into_iter().collect();
        let lines = vec![
            Line {
                what: "as expected".into(),
                colour: Colour::Dropped,
                stroke: Some(Stroke::Dashed),
                has_points: false,
                points: diagonal,
            },
            Line { what: "runs".into(), colour: Colour::Series(0), stroke: None, has_points: true, points },
        ];
        let below = Axis::new("expected loss (nats a token)", scale, Unit::Number);
        let left = Axis::new("reached loss", scale, Unit::Number);
        let label = format!(
            "Points: what runs reached over what was expected of them, {} runs, rank correlation {:.3}.",
            validated.len(),
            self.chosen().rank_correlation
        );
        let chart = Chart::of_lines("validated-chart", label, &Lines { below, left, lines });
        Section {
            id: "validated",
            title: "Expected and reached",
            says: "What the chosen law expected of each run when it was fitted without it, and what the run reached.",
            body: html! { (chart) },
        }
    }

    fn effects(&self) -> Section {
        let MixFit { effects, domains, .. } = self.fit;
        let names: Vec<&String> = effects.values().next().map(|of| of.keys().collect()).unwrap_or_default();
        let mut columns = vec![Column::Words("source")];
        columns.extend(names.iter().map(|name| Column::Numbers(name)));
        let row = |(source, of): (&String, &std::collections::BTreeMap<String, f64>)| {
            let mut row = vec![Cell::code(source)];
            row.extend(names.iter().map(|domain| {
                let change = of[*domain];
                Cell::Number(format!("{change:+.4}"), change)
            }));
            row
        };
        let mut rows: Vec<Vec<Cell>> = effects.iter().map(row).collect();
        if names.iter().all(|name| domains.contains_key(*name)) {
            let mut ranks = vec![Cell::words("rank correlation")];
            ranks.extend(names.iter().map(|name| Cell::decimal(domains[*name], 3)));
            rows.push(ranks);
        }
        let caption = html! { "The change of the loss on each domain, in nats a token, where a hundredth more of the mixture is of a source." };
        let table = Table { id: "effects-table", caption, columns: &columns, rows };
        Section {
            id: "effects",
            title: "What each source does",
            says: "At the proposed weights, by the chosen law; the other sources give up what one wins. The last row says how well the law ranks runs by \
                   each domain that it has not seen: where that is near 0, the column says nothing.",
            body: html! { (table) },
        }
    }

    fn runs(&self) -> Section {
        let sources: Vec<&String> = self.fit.weights.keys().collect();
        let domains: Vec<&String> = self.rows.first().map(|row| row.losses.keys().collect()).unwrap_or_default();
        let shares: Vec<String> = sources.iter().map(|source| format!("share of {source}")).collect();
        let mut columns = vec![Column::Words("run")];
        columns.extend(shares.iter().map(|name| Column::Numbers(name)));
        columns.extend(domains.iter().map(|domain| Column::Numbers(domain)));
        let row = |row: &RunRow| {
            let mut cells = vec![Cell::code(row.name.clone().unwrap_or_default())];
            cells.extend(sources.iter().map(|source| Cell::share(row.weights[*source])));
            cells.extend(domains.iter().map(|domain| Cell::decimal(row.losses[*domain], 4)));
            cells
        };
        let caption = html! { "The weights of each run, and its losses at the end." };
        let table = Table { id: "runs-table", caption, columns: &columns, rows: self.rows.iter().map(row).collect() };
        Section {
            id: "runs",
            title: "Runs",
            says: "The first is on the prior, the next on one source each as far as bounds allow, and the others on weights that were drawn. All of them \
                   stand in runs.jsonl, with their curves.",
            body: html! { (table) },
        }
    }
}
