//! How sure the model was of its choices, beside how often it was right.

use maud::{Markup, html};
use pages::{
    Section,
    charts::{Axis, Bins, Chart, Colour, Layer, Scale, Shape, Side, Stroke, Unit},
    numbers::{grouped, percent},
    table::{Cell, Column, Table},
};

use super::{
    data::{PageData, Run},
    names,
    scores::demonstrations,
};
use crate::metrics::{CalibrationBin, calibration_error, max_calibration_error};

/// Charts that are shown without being asked for.
const FIRST: usize = 2;

/// The narrowest bin that can be seen.
const NARROWEST: f64 = 0.01;

/// - `most`: charts that are shown
pub fn section(data: &PageData, most: usize) -> Option<Section> {
    let runs: Vec<&Run> = data.runs.iter().filter(|run| !run.calibration.is_empty()).collect();
    if runs.is_empty() {
        return None;
    }
    let (first, others) = runs.split_at(runs.len().min(FIRST));
    let others = &others[..others.len().min(most.saturating_sub(FIRST))];
    let charts = |runs: &[&Run], from: usize| {
        html! {
            @for (number, run) in runs.iter().enumerate() {
                h3 { (run.name(&data.runs)) ", " (demonstrations(&run.shots)) }
                (chart(data, from + number, run))
            }
        }
    };
    Some(Section {
        id: "calibration",
        title: "Calibration",
        says: "Answers by the probability that the model gave them. A model that is as sure as it should be has its points on the dashed line: of \
               the answers that it gives 70 %, 70 % are right. Points below are answers of which it is too sure.",
        body: html! {
            (charts(first, 0))
            @if !others.is_empty() { details { summary { (others.len()) " more" @if runs.len() > most { "; the table has all" } } (charts(others, FIRST)) } }
            (table(data, &runs))
        },
    })
}

fn chart(data: &PageData, number: usize, run: &Run) -> Chart {
    let bins = bins(&run.calibration);
    let whole: u64 = run.calibration.iter().map(|bin| bin.count).sum();
    let share = |bin: &CalibrationBin| bin.count as f64 / whole as f64;
    let count = bins.len() as f64;
    let title = |(place, bin): (usize, &Option<CalibrationBin>)| {
        let (from, to) = (percent(place as f64 / count), percent((place + 1) as f64 / count));
        match bin {
            Some(bin) => format!(
                "probability {from} to {to}\nanswers: {}, {}\nright: {}\nmean probability: {}",
                grouped(bin.count),
                percent(share(bin)),
                percent(bin.accuracy),
                percent(bin.confidence)
            ),
            None => format!("probability {from} to {to}\nno answers"),
        }
    };
    let layer = |what: &str, colour, shape, side, values| Layer { what: what.to_owned(), colour, shape, side, values };
    let each = |of: &dyn Fn(&CalibrationBin) -> f64| bins.iter().map(|bin| bin.as_ref().map(of)).collect();
    let middles = (0..bins.len()).map(|place| Some((place as f64 + 0.5) / count)).collect();
    let most = run.calibration.iter().map(share).fold(0.0, f64::max);
    let bins = Bins {
        along: Axis::new("probability of the answer", Scale::linear(1.0), Unit::Share),
        left: Axis::new("share right", Scale::linear(1.0), Unit::Share),
        right: Some(Axis::new("share of answers", Scale::linear(most), Unit::Share)),
        titles: bins.iter().enumerate().map(title).collect(),
        layers: vec![
            layer("answers", Colour::Asked, Shape::Columns, Side::Right, each(&share)),
            layer("as sure as right", Colour::Dropped, Shape::Line(Stroke::Dashed), Side::Left, middles),
            layer(
                "share right",
                Colour::Series(0),
                Shape::LineWithPoints(Stroke::Solid),
                Side::Left,
                each(&|bin| bin.accuracy),
            ),
        ],
    };
    let label = format!(
        "Points: the share of {}'s answers that is right, by the probability that the model gave them; the expected calibration error is {}.",
        run.name(&data.runs),
        percent(calibration_error(&run.calibration))
    );
    Chart::of_bins(format!("calibration-{number}"), label, &bins)
}

/// All bins from 0 to 1, those without answers among them.
fn bins(found: &[CalibrationBin]) -> Vec<Option<CalibrationBin>> {
    let width = found.iter().map(|bin| bin.range[1] - bin.range[0]).fold(1.0, f64::min).max(NARROWEST);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bins")]
    let whole = |number: f64| number as usize;
    let mut bins = vec![None; whole((1.0 / width).round())];
    let last = bins.len() - 1;
    for bin in found {
        let middle = f64::midpoint(bin.range[0], bin.range[1]);
        bins[whole(middle * (last + 1) as f64).min(last)] = Some(*bin);
    }
    bins
}

fn table(data: &PageData, runs: &[&Run]) -> Markup {
    let rows = runs.iter().map(|run| {
        let answers = run.calibration.iter().map(|bin| bin.count).sum::<u64>();
        let mean = |of: fn(&CalibrationBin) -> f64| {
            run.calibration.iter().map(|bin| bin.count as f64 * of(bin)).sum::<f64>() / answers as f64
        };
        vec![
            names::cell(&run.name(&data.runs)),
            Cell::Number(run.shots.clone(), run.shots.parse().unwrap_or(f64::MAX)),
            Cell::share(calibration_error(&run.calibration)),
            Cell::share(max_calibration_error(&run.calibration)),
            Cell::share(mean(|bin| bin.confidence)),
            Cell::share(mean(|bin| bin.accuracy)),
            Cell::count(answers),
        ]
    });
    let columns = [
        Column::Words("task"),
        Column::Numbers("demonstrations"),
        Column::Numbers("expected error"),
        Column::Numbers("largest error"),
        Column::Numbers("mean probability"),
        Column::Numbers("right"),
        Column::Numbers("answers"),
    ];
    let caption = html! {
        "The expected calibration error is the mean distance of a bin's share of right answers from their mean probability, by answers; the largest \
         is that of one bin."
    };
    let table = Table { id: "calibration-table", caption, columns: &columns, rows: rows.collect() };
    html! { (table) }
}
