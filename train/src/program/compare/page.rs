//! The page of a comparison, `report.html`: one file that needs no network and no script.
//!
//! Useful for: which data is better, and how sure that is. Not useful for: the course of a training; that stands in its folder.

use maud::{Markup, html};
use pages::{
    Page, Section,
    charts::{Axis, Chart, Colour, Dot, DotRow, Dots, Line, LinePoint, Lines, SERIES, Scale, Stroke, Unit},
    excerpt::short,
    numbers::grouped,
    table::{Cell, Column, Table},
    tile,
};

use super::outcome::{ArmOutcome, CompareOutcome, Difference};

/// The name of the file.
pub(super) const FILE: &str = "report.html";

/// Characters of a name beside a row of a chart, at most.
const LONGEST_NAME: usize = 24;

/// Arms in a chart of curves, at most.
const MOST_ARMS: usize = 14;

/// How lines of a chart are broken, one after the other.
static STROKES: [Stroke; 4] = [Stroke::Solid, Stroke::Dashed, Stroke::Dotted, Stroke::DashDot];

/// What the page shows.
pub(super) struct ComparePage<'p> {
    /// What the comparison is called.
    pub name: &'p str,
    pub outcome: &'p CompareOutcome,
}

impl ComparePage<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let page = Page {
            title: self.name,
            kind: "comparison of data",
            lead: self.lead(),
            sections: vec![self.differences(), self.curves(), self.domains(), self.seeds()],
        };
        page.html()
    }

    fn lead(&self) -> Markup {
        let CompareOutcome { baseline, seeds, stopped_early, tokens, parameters, .. } = self.outcome;
        let best_of = |decided: bool| {
            let arms = self.outcome.others().filter(|arm| !decided || (arm.is_decided && arm.difference.mean > 0.0));
            arms.max_by(|one, other| one.difference.mean.total_cmp(&other.difference.mean))
        };
        // what is known to be better comes before what only seems so
        let best = best_of(true).or_else(|| best_of(false));
        html! {
            p.verdict {
                @if let Some(ArmOutcome { name, difference, is_decided, token_efficiency, .. }) = best {
                    @let Difference { mean, .. } = difference;
                    @if *is_decided && *mean > 0.0 {
                        b { (name) } " is better than " b { (baseline) } ": its loss is less by " b { (format!("{mean:.4}")) }
                    } @else if *is_decided {
                        "Nothing is better than " b { (baseline) } ": the nearest, " b { (name) } ", has a loss that is more by "
                        b { (format!("{:.4}", -mean)) }
                    } @else {
                        "Nothing is known to be better than " b { (baseline) } ": the loss of " b { (name) } " is less by "
                        b { (format!("{mean:.4}")) }
                    }
                    " (" (between(difference)) ")"
                    @if let Some(times) = token_efficiency { ", and it has " (baseline) "'s last loss after 1/" (format!("{times:.2}")) " of the tokens" }
                    "."
                }
                @if *stopped_early { " It was decided before all seeds were trained." }
            }
            ul.tiles {
                (tile(&grouped(self.outcome.arms.len() as u64), "arms"))
                (tile(&grouped(*seeds), "seeds of each"))
                (tile(&grouped(*tokens), "tokens a model"))
                (tile(&grouped(*parameters), "parameters"))
            }
        }
    }

    fn differences(&self) -> Section {
        let CompareOutcome { baseline, arms, .. } = self.outcome;
        let row = |arm: &ArmOutcome| {
            let Difference { mean, interval, .. } = arm.difference;
            let shown = format!("{mean:+.4}");
            let said = format!("{shown} ({})", between(&arm.difference));
            let dot = Dot {
                what: format!("less than {baseline}"),
                value: mean,
                interval,
                shown,
                said,
                colour: Colour::Series(0),
            };
            let name = short(&arm.name, LONGEST_NAME);
            DotRow { name, full: arm.name.clone(), dots: vec![dot], reference: Some(0.0) }
        };
        let rows: Vec<DotRow> = self.outcome.others().map(row).collect();
        let values = self
            .outcome
            .others()
            .flat_map(|arm| arm.difference.interval.into_iter().flatten().chain([arm.difference.mean, 0.0]));
        let axis = Axis::new(format!("less than {baseline} (nats a token)"), Scale::around(values), Unit::Number);
        let said: Vec<String> = rows.iter().map(|row| format!("{} {}", row.full, row.dots[0].said)).collect();
        let label =
            format!("Points with intervals: how much less than {baseline} each arm reached. {}.", said.join("; "));
        let chart = Chart::of_dots("differences-chart", label, &Dots { axis, reference: baseline.clone(), rows });
        let columns = [
            Column::Words("arm"),
            Column::Numbers("loss"),
            Column::Numbers("spread"),
            Column::Numbers("less than the baseline"),
            Column::Numbers("95 %"),
            Column::Words("decided"),
            Column::Numbers("in deviations"),
            Column::Numbers("seeds needed"),
            Column::Numbers("token efficiency"),
        ];
        let row = |arm: &ArmOutcome| {
            let mut row = vec![Cell::code(&arm.name), Cell::decimal(arm.mean, 4), Cell::decimal(arm.deviation, 4)];
            if arm.name == *baseline {
                row.extend((0..6).map(|_| Cell::Empty));
                return row;
            }
            let difference = &arm.difference;
            row.extend([
                Cell::Number(format!("{:+.4}", difference.mean), difference.mean),
                Cell::Number(between(difference), difference.mean),
                Cell::words(if arm.is_decided { "yes" } else { "no" }),
                Cell::decimal(difference.in_deviations(), 1),
                difference.seeds_needed.map_or(Cell::Empty, Cell::count),
                Cell::decimal(arm.token_efficiency, 2),
            ]);
            row
        };
        let caption = html! { "Means over all domains and seeds, in nats a token." };
        let table = Table { id: "differences-table", caption, columns: &columns, rows: arms.iter().map(row).collect() };
        Section {
            id: "differences",
            title: "Differences",
            says: "Differences are taken seed by seed, and intervals by Student's t, each as if it were the only one. Decided is what differs by an interval that is as \
                   much wider as there are arms, and as it was looked at. Beside them stand the difference in deviations of single seeds, the \
                   seeds with which one of this size would be found in four trials of five, and how many times as many tokens the baseline takes until \
                   both have its last loss.",
            body: html! { (chart) (table) },
        }
    }

    fn curves(&self) -> Section {
        let line = |(number, arm): (usize, &ArmOutcome)| Line {
            what: arm.name.clone(),
            colour: Colour::Series(number % SERIES),
            stroke: Some(STROKES[number / SERIES % STROKES.len()]),
            has_points: arm.curve.len() <= 12,
            points: arm
                .curve
                .iter()
                .map(|[tokens, loss]| LinePoint {
                    along: *tokens,
                    value: *loss,
                    shown: format!("{loss:.4} after {tokens:.3e} tokens"),
                })
                .collect(),
        };
        let lines: Vec<Line> = self.outcome.arms.iter().take(MOST_ARMS).enumerate().map(line).collect();
        let points = || lines.iter().flat_map(|line| &line.points);
        let below =
            Axis::new("tokens", Scale::linear(points().map(|point| point.along).fold(0.0, f64::max)), Unit::Count);
        let left = Axis::new("loss (nats a token)", Scale::around(points().map(|point| point.value)), Unit::Number);
        let last = |line: &Line| Some(format!("{} {}", line.what, line.points.last()?.shown));
        let label =
            format!("Lines: the loss of each arm. {}.", lines.iter().filter_map(last).collect::<Vec<_>>().join("; "));
        let chart = Chart::of_lines("curves-chart", label, &Lines { below, left, lines });
        Section {
            id: "curves",
            title: "Curves",
            says: "Means over seeds and domains, at each evaluation.",
            body: html! { (chart) },
        }
    }

    fn domains(&self) -> Section {
        let CompareOutcome { baseline, arms, domains, .. } = self.outcome;
        let names: Vec<String> = domains.iter().map(|domain| format!("{domain}, less than the baseline")).collect();
        let mut columns = vec![Column::Words("arm")];
        for (domain, less) in domains.iter().zip(&names) {
            columns.extend([Column::Numbers(domain), Column::Numbers(less)]);
        }
        let row = |arm: &ArmOutcome| {
            let mut row = vec![Cell::code(&arm.name)];
            for domain in domains {
                let (loss, difference) = &arm.domains[domain];
                row.push(Cell::decimal(*loss, 4));
                row.push(if arm.name == *baseline {
                    Cell::Empty
                } else {
                    Cell::Number(format!("{:+.4} ({})", difference.mean, between(difference)), difference.mean)
                });
            }
            row
        };
        let caption = html! { "The mean loss on each domain, and how much less than the baseline's it is, with its 95 % interval." };
        let table = Table { id: "domains-table", caption, columns: &columns, rows: arms.iter().map(row).collect() };
        Section {
            id: "domains",
            title: "Domains",
            says: "What is better on the whole may be worse somewhere.",
            body: html! { (table) },
        }
    }

    fn seeds(&self) -> Section {
        let CompareOutcome { arms, seeds, .. } = self.outcome;
        let names: Vec<String> = (0..*seeds).map(|seed| format!("seed {seed}")).collect();
        let mut columns = vec![Column::Words("arm")];
        columns.extend(names.iter().map(|name| Column::Numbers(name)));
        let row = |arm: &ArmOutcome| {
            let mut row = vec![Cell::code(&arm.name)];
            row.extend(arm.losses.iter().map(|loss| Cell::decimal(*loss, 4)));
            row
        };
        let caption = html! { "The loss of each seed, the mean over all domains." };
        let table = Table { id: "seeds-table", caption, columns: &columns, rows: arms.iter().map(row).collect() };
        Section {
            id: "seeds",
            title: "Seeds",
            says: "Losses of one column began alike: their differences are those above.",
            body: html! { (table) },
        }
    }
}

/// The 95 % interval of a difference.
fn between(difference: &Difference) -> String {
    difference.between().unwrap_or_else(|| "no interval of one seed".to_owned())
}
