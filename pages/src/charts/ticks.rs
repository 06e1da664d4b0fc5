//! Ticks: few round values of a scale.

use super::scale::Scale;

/// Steps from one tick to the next on a linear scale, at most.
const MOST_STEPS: f64 = 5.5;

/// Ticks on a scale by powers, at most.
const MOST_POWERS: usize = 7;

/// Room for what is lost in computing with floats.
const SLACK: f64 = 1e-9;

/// The values that are marked on a scale, from the least.
///
/// - `is_whole`: whether there is nothing between two whole numbers
pub fn ticks(scale: Scale, is_whole: bool) -> Vec<f64> {
    match scale {
        Scale::Linear { most } => linear(most, is_whole),
        Scale::Between { least, most } => between(least, most, is_whole),
        Scale::Root { most } => roots(scale, most),
        Scale::Log { least, most } => powers(least, most),
    }
}

/// How far apart ticks by square roots stand, at least, as a share of the axis.
const APART: f64 = 0.11;

/// How far apart ticks are that go over so much: 1, 2 or 5 times a power of ten.
fn step(length: f64, is_whole: bool) -> f64 {
    let rough = length / MOST_STEPS;
    let power = 10f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * (1.0 - SLACK)).unwrap_or(10.0);
    if is_whole { (round * power).max(1.0) } else { round * power }
}

/// Multiples of a step, 0 among them if it lies between.
fn between(least: f64, most: f64, is_whole: bool) -> Vec<f64> {
    let step = step(most - least, is_whole);
    let slack = (most - least) * SLACK;
    let first = ((least - slack) / step).ceil();
    let ticks = (0..=7).map(|count| (first + f64::from(count)) * step);
    // there is no 0 below 0
    ticks.take_while(|tick| *tick <= most + slack).map(|tick| if tick == 0.0 { 0.0 } else { tick }).collect()
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear(most: f64, is_whole: bool) -> Vec<f64> {
    let step = step(most, is_whole);
    (0..=6).map(|count| f64::from(count) * step).take_while(|tick| *tick <= most * (1.0 + SLACK)).collect()
}

/// 0, and 1, 2 or 5 times powers of ten, as many as have room.
fn roots(scale: Scale, most: f64) -> Vec<f64> {
    let power = |exponent: i32| 10f64.powf(most.log10().floor()) * 10f64.powi(-exponent);
    let candidates = (0..4).flat_map(|exponent| [5.0, 2.0, 1.0].map(|factor| factor * power(exponent)));
    let (mut ticks, mut next) = (Vec::new(), f64::INFINITY);
    for tick in candidates.filter(|tick| *tick <= most * (1.0 + SLACK)) {
        let place = scale.place(tick);
        if place >= APART && next - place >= APART {
            ticks.push(tick);
            next = place;
        }
    }
    ticks.push(0.0);
    ticks.reverse();
    ticks
}

/// Powers of ten; where these are few, 2 and 5 times them, too, and where they are many, every second or third.
fn powers(least: f64, most: f64) -> Vec<f64> {
    let multiples = |factors: &'static [f64]| {
        let all = (0..20).flat_map(move |exponent| factors.iter().map(move |factor| factor * 10f64.powi(exponent)));
        all.filter(|tick| (least * (1.0 - SLACK)..=most * (1.0 + SLACK)).contains(tick)).collect::<Vec<_>>()
    };
    let tens = multiples(&[1.0]);
    if tens.len() < 3 {
        return multiples(&[1.0, 2.0, 5.0]);
    }
    let every = tens.len().div_ceil(MOST_POWERS);
    tens.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_round() {
        let linear = |most, is_whole| ticks(Scale::linear(most), is_whole);
        assert_eq!(linear(1.0, false).len(), 6);
        assert_eq!(linear(23_000.0, true), [0.0, 5_000.0, 10_000.0, 15_000.0, 20_000.0]);
        assert_eq!(linear(3.0, true), [0.0, 1.0, 2.0, 3.0], "there is no half a document");
        let between = |least, most| ticks(Scale::Between { least, most }, false);
        assert_eq!(between(-2.0, 2.0), [-2.0, -1.0, 0.0, 1.0, 2.0]);
        assert_eq!(between(0.5, 7.0), [2.0, 4.0, 6.0]);
        assert_eq!(ticks(Scale::Root { most: 12.6 }, false), [0.0, 0.2, 1.0, 2.0, 5.0, 10.0]);
        assert_eq!(ticks(Scale::Root { most: 0.02 }, false).len(), 6);
        let powers = |most| ticks(Scale::powers(most), true);
        assert_eq!(powers(1.0), [1.0]);
        assert_eq!(powers(30.0), [1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(powers(40_000.0), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
        assert_eq!(powers(1e9).len(), 5);
    }
}
