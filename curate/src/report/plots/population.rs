//! Lengths, languages and hosts, before the first step and behind the last.

use pages::{
    charts::{Arrangement, Axis, Bars, Bins, Chart, Colour, Layer, Scale, Shape, Side, Unit},
    numbers::grouped,
};

use super::{counted, counts, powers, row};
use crate::report::findings::{BeforeAfter, Population};

/// Documents by length in words, on a scale of powers.
pub fn lengths(population: &Population) -> Option<Chart> {
    let (first, last) = (*population.lengths.keys().next()?, *population.lengths.keys().next_back()?);
    let of_bin = |bin: u32| population.lengths.get(&bin).copied().unwrap_or_default();
    let layer = |what: &str, colour, pick: fn(&BeforeAfter<u64>) -> u64| Layer {
        what: what.to_owned(),
        colour,
        shape: Shape::Area,
        side: Side::Left,
        values: (first..=last).map(|bin| Some(pick(&of_bin(bin)) as f64)).collect(),
    };
    let title = |bin: u32| {
        let count = of_bin(bin);
        format!("{}\nread: {}\nkept: {}", words(bin), grouped(count.before), grouped(count.after))
    };
    let most = population.lengths.iter().max_by_key(|(bin, count)| (count.before, u32::MAX - **bin))?;
    let label = format!(
        "Areas: documents by number of words, read and kept. Most have about {} words.",
        grouped(1 << (*most.0 / 2))
    );
    let scale = Scale::Log { least: begin(first), most: begin(last + 1) };
    let bins = Bins {
        along: Axis::new("words in a document", scale, Unit::Count),
        left: counts("documents", most.1.before),
        right: None,
        titles: (first..=last).map(title).collect(),
        layers: vec![
            layer("documents read", Colour::Dropped, |count| count.before),
            layer("kept by all steps", Colour::Kept, |count| count.after),
        ],
    };
    Some(Chart::of_bins("lengths-chart", label, &bins))
}

/// Where a bin of lengths begins, in words.
fn begin(bin: u32) -> f64 {
    2f64.powf(f64::from(bin) / 2.0)
}

/// The lengths of a bin.
fn words(bin: u32) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the largest bin ends at 2^64")]
    let [from, to] = [begin(bin).ceil() as u64, begin(bin + 1).ceil() as u64 - 1];
    match bin {
        0 => "at most one word".to_owned(),
        // no whole number lies there
        1 => "between one word and two".to_owned(),
        _ if from == to => format!("{} words", grouped(from)),
        _ => format!("{} to {} words", grouped(from), grouped(to)),
    }
}

/// Documents by something that has names, such as a language.
pub fn before_after(id: &str, what: &str, counts: &[(String, BeforeAfter<u64>)]) -> Option<Chart> {
    let (most, count) = counts.first()?;
    let label = format!(
        "Bars: documents by {what}, read and kept, on a scale of powers of ten. Most: {most}, {}.",
        grouped(count.before)
    );
    let rows = counts.iter().map(|(name, count)| {
        row(name, vec![counted("read", count.before, Colour::Dropped), counted("kept", count.after, Colour::Kept)])
    });
    let axis = powers("documents", count.before);
    Some(Chart::of_bars(id, label, &Bars { axis, arrangement: Arrangement::Grouped, rows: rows.collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_of_lengths_meet() {
        assert_eq!(
            [0, 2, 3, 4, 5].map(words),
            ["at most one word", "2 words", "3 words", "4 to 5 words", "6 to 7 words"]
        );
        assert!(
            words(127).ends_with("18\u{202f}446\u{202f}744\u{202f}073\u{202f}709\u{202f}551\u{202f}614 words"),
            "{}",
            words(127)
        );
    }
}
