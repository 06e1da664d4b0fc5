//! Scores by the number of demonstrations: GPT-3's curve.
//!
//! Source: Brown et al. 2020 (GPT-3), figure 1.2.

use maud::html;
use pages::{
    Section,
    charts::{Chart, Colour, Curve, CurvePoint, Curves, SERIES},
};

use super::{
    data::{PageData, Run},
    plots,
};

/// A task by a template, with several numbers of demonstrations.
type Series<'r> = Vec<&'r Run>;

pub fn section(data: &PageData) -> Option<Section> {
    let series = series(data);
    if series.is_empty() {
        return None;
    }
    let places = places(&series);
    Some(Section {
        id: "shots",
        title: "Scores by demonstrations",
        says: "Examples of the training split with their answers before each prompt. A model that learns in context rises from left to right; one \
               that does not may still have to be shown the form of an answer.",
        body: html! {
            @for (number, series) in series.chunks(SERIES).take(plots::MOST_ROWS / SERIES).enumerate() { (chart(data, number, series, &places)) }
        },
    })
}

fn series(data: &PageData) -> Vec<Series<'_>> {
    let mut all: Vec<Series<'_>> = Vec::new();
    for run in data.runs.iter().filter(|run| run.own().is_some_and(|score| score.unit.share(score.value).is_some())) {
        match all.iter_mut().find(|series| series[0].is_of(run)) {
            Some(series) => series.push(run),
            None => all.push(vec![run]),
        }
    }
    all.retain(|series| series.len() > 1);
    all
}

/// All numbers of demonstrations: numbers in their order, then whatever else.
fn places(series: &[Series<'_>]) -> Vec<String> {
    let mut places: Vec<String> = series.iter().flatten().map(|run| run.shots.clone()).collect();
    places.sort_by_cached_key(|place| (place.parse::<u64>().unwrap_or(u64::MAX), place.clone()));
    places.dedup();
    places
}

fn chart(data: &PageData, number: usize, series: &[Series<'_>], places: &[String]) -> Chart {
    let point = |series: &Series<'_>, place: &String| {
        let score = series.iter().find(|run| run.shots == *place)?.own()?;
        Some(CurvePoint { value: score.unit.share(score.value)?, interval: score.interval(), shown: score.written() })
    };
    let curve = |(number, series): (usize, &Series<'_>)| Curve {
        what: plots::name(&series[0].name(&data.runs)),
        colour: Colour::Series(number),
        stroke: plots::STROKES[number % plots::STROKES.len()],
        points: places.iter().map(|place| point(series, place)).collect(),
    };
    let curves: Vec<Curve> = series.iter().enumerate().map(curve).collect();
    let said = |curve: &Curve| {
        let points = places.iter().zip(&curve.points);
        let points = points.filter_map(|(place, point)| Some(format!("{} with {place}", point.as_ref()?.shown)));
        format!("{} {}", curve.what, points.collect::<Vec<_>>().join(", "))
    };
    let label = format!(
        "Lines: the score of each task by the number of demonstrations. {}.",
        curves.iter().map(said).collect::<Vec<_>>().join("; ")
    );
    let curves = Curves { along: "demonstrations".to_owned(), places: places.to_vec(), left: plots::score(), curves };
    Chart::of_curves(format!("shots-{number}"), label, &curves)
}
