//! Two models on the same examples.

use maud::{Markup, html};
use pages::{
    Section,
    charts::{Axis, Chart, Colour, Dot, DotRow, Dots, Scale, Unit},
    numbers::grouped,
    table::{Cell, Column, Table},
};

use super::{
    data::{Against, Compared, PageData},
    names, plots,
};

/// Below which chance of error a difference is taken for one.
pub const SURE: f64 = 0.05;

pub fn section(data: &PageData) -> Option<Section> {
    let against = data.against.as_ref()?;
    Some(Section {
        id: "against",
        title: "Two models",
        says: "Both models on the same examples. An interval that does not reach 0 is a difference that chance seldom makes; p says how seldom, by \
               exchanging the models' scores example by example. One of twenty differences of nothing has a p below 0.05.",
        body: html! {
            @if against.runs.is_empty() { p { "The two evaluations have no run in common." } }
            @else {
                @let drawn = drawn(against);
                p { "This is " b { (data.model) } ", beside " b { (against.model) } "." }
                @for said in differing(against) { p.warning { (said) } }
                @if !drawn.is_empty() { (chart(data, against, &drawn)) }
                @if let Some(said) = plots::left_out(drawn.len()) { p.soft { (said) } }
                (table(data, against))
            }
        },
    })
}

/// Runs whose differences are some of 100 points: not those of texts, which have a log-likelihood by byte.
fn drawn(against: &Against) -> Vec<&Compared> {
    against.runs.iter().filter(|run| run.unit.share(0.0).is_some()).collect()
}

/// What is said of runs that differ in more than the model.
fn differing(against: &Against) -> Vec<String> {
    let runs = against.runs.iter().filter(|run| !run.differs.is_empty()).take(plots::MOST_ROWS);
    let said = |run: &Compared| format!("{}, {}: {}.", run.name(&against.runs), run.shots, run.differs.join("; "));
    runs.map(said).collect()
}

/// A difference as it is written: in points, or as it is.
fn written(run: &Compared, difference: f64) -> String {
    match run.unit.share(difference) {
        Some(_) => signed(points(run, difference)),
        None => format!("{difference:+.4}").replace('-', "−"),
    }
}

/// A difference in hundredths, as both shares and points have them.
fn points(run: &Compared, difference: f64) -> f64 {
    100.0 * run.unit.share(difference).unwrap_or(difference / 100.0)
}

fn signed(points: f64) -> String {
    let sign = if points > 0.0 { "+" } else { "" };
    format!("{sign}{points:.1}").replace('-', "−")
}

fn p_value(run: &Compared) -> String {
    if run.test.p_value < 0.001 { "< 0.001".to_owned() } else { format!("{:.3}", run.test.p_value) }
}

fn chart(data: &PageData, against: &Against, drawn: &[&Compared]) -> Chart {
    let runs = || drawn.iter().copied().take(plots::MOST_ROWS);
    let ends = runs().flat_map(|run| run.test.interval.map(|end| points(run, end).abs()));
    let most = ends.fold(1.0, f64::max) * 1.05;
    let row = |run: &Compared| {
        let difference = points(run, run.test.difference);
        let (what, colour) = match run.test.p_value < SURE {
            true if difference > 0.0 => ("better", Colour::Kept),
            true => ("worse", Colour::Series(1)),
            false => ("cannot be told", Colour::Dropped),
        };
        let [low, high] = run.test.interval.map(|end| signed(points(run, end)));
        let name = run.name(&against.runs);
        DotRow {
            name: plots::name(&format!("{name} · {}", run.shots)),
            full: format!("{name}, demonstrations: {}", run.shots),
            dots: vec![Dot {
                what: what.to_owned(),
                value: difference,
                interval: Some(run.test.interval.map(|end| points(run, end))),
                shown: signed(difference),
                said: format!("{}, from {low} to {high}, p {}", signed(difference), p_value(run)),
                colour,
            }],
            reference: Some(0.0),
        }
    };
    let rows: Vec<DotRow> = runs().map(row).collect();
    let said = |row: &DotRow| format!("{} {} ({})", row.full, row.dots[0].shown, row.dots[0].what);
    let label = format!(
        "Points: the score of {} less that of {}, in points. {}.",
        data.model,
        against.model,
        rows.iter().map(said).collect::<Vec<_>>().join("; ")
    );
    let axis = Axis::new("difference in points", Scale::Between { least: -most, most }, Unit::Number);
    Chart::of_dots("against-chart", label, &Dots { axis, reference: "no difference".to_owned(), rows })
}

fn table(data: &PageData, against: &Against) -> Markup {
    let rows = against.runs.iter().map(|run| {
        let [low, high] = run.test.interval.map(|end| written(run, end));
        let [better, worse] = run.test.better_and_worse;
        vec![
            names::cell(&run.name(&against.runs)),
            Cell::Number(run.shots.clone(), run.shots.parse().unwrap_or(f64::MAX)),
            Cell::Number(run.unit.written(run.other), run.other),
            Cell::Number(run.unit.written(run.own), run.own),
            Cell::Number(written(run, run.test.difference), run.test.difference),
            Cell::Number(format!("{low} to {high}"), run.test.interval[0]),
            Cell::Number(p_value(run), run.test.p_value),
            Cell::Number(format!("{} : {}", grouped(better as u64), grouped(worse as u64)), better as f64),
            Cell::count(run.test.count as u64),
        ]
    });
    let columns = [
        Column::Words("task"),
        Column::Numbers("demonstrations"),
        Column::Numbers(&against.model),
        Column::Numbers(&data.model),
        Column::Numbers("difference"),
        Column::Numbers("95 % interval"),
        Column::Numbers("p"),
        Column::Numbers("better : worse"),
        Column::Numbers("examples"),
    ];
    let caption = html! { "Mean scores on the examples of which both have one; differences in points, of texts in nats by byte, and on how many \
    examples the one and the other is better." };
    let table = Table { id: "against-table", caption, columns: &columns, rows: rows.collect() };
    html! { (table) }
}
