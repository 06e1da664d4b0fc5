//! Scores: of what a step drew from, and of what a classifier was tried on.

use std::{collections::BTreeMap, fmt::Write as _};

use pages::{
    charts::{Bins, Chart, Colour, Layer, SERIES, Shape, Side, Stroke},
    excerpt::short,
    numbers::{grouped, percent, percent_of, share},
};
use schemas::ledger::Ledger;

use super::{NAME, counts, score, score_bin, share_of, sources::Sources};
use crate::{
    learn::{BINS, Card},
    report::findings::{SCORE_BINS, Scores},
    text::draw::pareto_keeps,
};

/// Fewest documents of a score from which it is said which share of them was kept.
const TELLING: u64 = 5;

/// Scores of kept and dropped documents, with the share that the draw should keep at each, and the share that it did.
pub fn scores(number: usize, stage: &str, scores: &Scores) -> Chart {
    let layer = |what: &str, colour, shape, side, values| Layer { what: what.to_owned(), colour, shape, side, values };
    let columns = |what: &str, colour, counts: &[u64; SCORE_BINS]| {
        let values = counts.iter().map(|count| Some(*count as f64)).collect();
        layer(what, colour, Shape::Columns, Side::Left, values)
    };
    let both = || scores.kept.iter().zip(&scores.dropped).map(|(kept, dropped)| (*kept, kept + dropped));
    let mut titles: Vec<String> = both()
        .enumerate()
        .map(|(bin, (kept, all))| {
            let (bin, dropped) = (score_bin(bin, SCORE_BINS), grouped(all - kept));
            format!("{bin}\nkept: {}, {}\ndropped: {dropped}", grouped(kept), percent_of(kept, all))
        })
        .collect();
    let mut layers =
        vec![columns("kept", Colour::Kept, &scores.kept), columns("dropped", Colour::Dropped, &scores.dropped)];
    let (kept, dropped): (u64, u64) = (scores.kept.iter().sum(), scores.dropped.iter().sum());
    let mut label =
        format!("Bars: documents of step {stage} by score; {} kept, {} dropped.", grouped(kept), grouped(dropped));
    if let Some(alpha) = scores.alpha {
        let keeps: Vec<f64> = middles(SCORE_BINS).map(|score| pareto_keeps(score, alpha)).collect();
        titles.iter_mut().zip(&keeps).for_each(|(title, keeps)| {
            write!(title, "\nshare to keep: {}", percent(*keeps)).expect("a text can be written");
        });
        let shares = both().map(|(kept, all)| share(kept, all).filter(|_| all >= TELLING)).collect();
        let curve = keeps.into_iter().map(Some).collect();
        let what = format!("share to keep, Pareto({alpha})");
        layers.push(layer(&what, Colour::Series(5), Shape::Line(Stroke::Solid), Side::Right, curve));
        layers.push(layer("share kept", Colour::Series(1), Shape::Points, Side::Right, shares));
        label = format!(
            "{label} Line: the share that a Pareto draw of shape {alpha} keeps, from {} at score 0 to {} at score 1; points: the share that was kept.",
            percent(pareto_keeps(0.0, alpha)),
            percent(pareto_keeps(1.0, alpha))
        );
    }
    let most = both().map(|(_, all)| all).max().unwrap_or_default();
    let right = scores.alpha.map(|_| share_of("share kept"));
    let bins = Bins { along: score(), left: counts("documents", most), right, titles, layers };
    Chart::of_bins(format!("scores-{number}"), label, &bins)
}

/// Which share of a source's held-out documents has which score.
pub fn held_out(number: usize, card: &Card, ledger: &Ledger) -> Option<Chart> {
    let mut sources: BTreeMap<&str, [u64; BINS]> = BTreeMap::new();
    for scores in &card.scores {
        let sums = sources.entry(&scores.source).or_default();
        sums.iter_mut().zip(scores.documents).for_each(|(sum, count)| *sum += count);
    }
    let mut sources: Vec<_> = sources.into_iter().collect();
    sources.sort_by_key(|(source, counts)| (u64::MAX - counts.iter().sum::<u64>(), *source));
    sources.retain(|(_, counts)| counts.iter().any(|count| *count > 0));
    sources.truncate(SERIES);
    if sources.is_empty() {
        return None;
    }
    let strokes = [Stroke::Solid, Stroke::Dashed, Stroke::Dotted, Stroke::DashDot];
    let colours = Sources::of(ledger);
    let mut titles: Vec<String> = (0..BINS).map(|bin| score_bin(bin, BINS)).collect();
    let mut layers = Vec::new();
    let mut said = Vec::new();
    for ((source, counts), stroke) in sources.into_iter().zip(strokes.into_iter().cycle()) {
        let whole: u64 = counts.iter().sum();
        let shares: Vec<f64> = counts.iter().filter_map(|count| share(*count, whole)).collect();
        said.push(format!("{source} {} above one half", percent(shares.iter().skip(BINS / 2).sum())));
        let what = short(source, NAME);
        titles.iter_mut().zip(counts.iter().zip(&shares)).for_each(|(title, (count, share))| {
            write!(title, "\n{what}: {}, {} documents", percent(*share), grouped(*count))
                .expect("a text can be written");
        });
        let values = shares.into_iter().map(Some).collect();
        let shape = Shape::LineWithPoints(stroke);
        layers.push(Layer { what, colour: colours.colour(source), shape, side: Side::Left, values });
    }
    let label = format!("Lines: the share of each source's held-out documents by score, {}.", said.join(", "));
    let bins = Bins { along: score(), left: share_of("share of the source"), right: None, titles, layers };
    Some(Chart::of_bins(format!("held-out-{number}"), label, &bins))
}

/// The middles of so many bins between 0 and 1.
fn middles(bins: usize) -> impl Iterator<Item = f64> {
    (0..bins).map(move |bin| (bin as f64 + 0.5) / bins as f64)
}
