//! What came of a comparison: means, and differences seed by seed.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};
use system::AtomicFile;

use crate::{
    error::Result,
    metrics::{mean, mean_and_deviation},
};

/// The name of the file.
const FILE: &str = "compare.json";

/// The share of samples in which an interval of 95 % does not hold.
pub(super) const ALPHA: f64 = 0.05;

/// The share of trials in which a difference is to be found.
const POWER: f64 = 0.8;

/// Seeds that are counted, at most.
const MOST_SEEDS: u64 = 100_000;

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompareOutcome {
    /// The arm that others are compared with.
    pub baseline: String,
    /// Seeds of each arm.
    pub seeds: u64,
    /// Whether it ended before all seeds were trained, since it was decided.
    pub stopped_early: bool,
    /// Tokens that each model learned from.
    pub tokens: u64,
    /// Numbers of each model.
    pub parameters: u64,
    /// The domains that count.
    pub domains: Vec<String>,
    /// The baseline, and the others in the order of their names.
    pub arms: Vec<ArmOutcome>,
}

/// What an arm reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmOutcome {
    /// Its name.
    pub name: String,
    /// The loss of each seed, the mean over all domains, in nats a token.
    pub losses: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their deviation.
    pub deviation: f64,
    /// How much less than the baseline it reached.
    pub difference: Difference,
    /// Whether it differs from the baseline, with an interval that is as much wider as there are arms, and as it was looked at.
    pub is_decided: bool,
    /// The same on each domain, with the mean loss.
    pub domains: BTreeMap<String, (f64, Difference)>,
    /// How many times as many tokens the baseline takes as this arm, until it has the baseline's last loss; none where it never has.
    pub token_efficiency: Option<f64>,
    /// The mean loss over seeds and domains at each evaluation: tokens, and the loss.
    pub curve: Vec<[f64; 2]>,
}

/// How much less than the baseline an arm reached, seed by seed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The mean.
    pub mean: f64,
    /// The deviation of single differences.
    pub deviation: f64,
    /// The 95 % interval of the mean, by Student's t; none of one seed.
    pub interval: Option<[f64; 2]>,
    /// Seeds with which a difference of this size would be found in 80 % of trials, by Student's t; none where there is none, or one seed.
    pub seeds_needed: Option<u64>,
}

impl Difference {
    /// Of losses of a baseline and an arm, seed by seed.
    #[must_use]
    pub fn of(baseline: &[f64], arm: &[f64]) -> Self {
        let won: Vec<f64> = baseline.iter().zip(arm).map(|(baseline, arm)| baseline - arm).collect();
        let [mean, deviation] = mean_and_deviation(&won);
        let half = half_width(&won, ALPHA);
        let interval = half.is_finite().then_some([mean - half, mean + half]);
        let seeds_needed = if mean == 0.0 || won.len() < 2 { None } else { seeds_needed(deviation / mean.abs()) };
        Self { mean, deviation, interval, seeds_needed }
    }

    /// The interval as it is written.
    pub(super) fn between(&self) -> Option<String> {
        self.interval.map(|[low, high]| format!("{low:+.4} to {high:+.4}"))
    }

    /// The mean in deviations of single differences.
    #[must_use]
    pub fn in_deviations(&self) -> Option<f64> {
        (self.deviation > 0.0).then(|| self.mean / self.deviation)
    }
}

/// Half the width of the interval of a mean in which it lies but for a share `alpha` of samples, by Student's t; infinite for one value.
pub(super) fn half_width(values: &[f64], alpha: f64) -> f64 {
    let freedom = values.len() as f64 - 1.0;
    if freedom < 1.0 {
        return f64::INFINITY;
    }
    let [_, deviation] = mean_and_deviation(values);
    student(freedom, 1.0 - alpha / 2.0) * deviation / (values.len() as f64).sqrt()
}

/// The quantile of Student's t with so many degrees of freedom, 1 or more.
fn student(freedom: f64, share: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).expect("the degrees of freedom are 1 or more").inverse_cdf(share)
}

/// The fewest seeds with which a difference is found in [`POWER`] of trials, whose deviation is `noise` times its mean.
fn seeds_needed(noise: f64) -> Option<u64> {
    let is_enough = |seeds: u64| {
        let freedom = seeds as f64 - 1.0;
        seeds as f64 >= ((student(freedom, 1.0 - ALPHA / 2.0) + student(freedom, POWER)) * noise).powi(2)
    };
    // the more seeds, the fewer are wanted: the first that are enough are found by halving
    let (mut low, mut high) = (2, MOST_SEEDS);
    if !is_enough(high) {
        return None;
    }
    while low < high {
        let middle = u64::midpoint(low, high);
        if is_enough(middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

/// How many times as many tokens a baseline takes as an arm, until both have its last loss; none where one has it at its first evaluation, before
/// which nothing is known.
pub(super) fn token_efficiency(baseline: &[[f64; 2]], arm: &[[f64; 2]]) -> Option<f64> {
    let [_, wanted] = *baseline.last()?;
    Some(tokens_until(baseline, wanted)? / tokens_until(arm, wanted)?)
}

/// The tokens after which a curve first has a loss, which is taken to be on a line between evaluations; none where it never has.
fn tokens_until(curve: &[[f64; 2]], wanted: f64) -> Option<f64> {
    let mut before: Option<[f64; 2]> = None;
    for &[at, loss] in curve {
        if loss <= wanted {
            let [from, above] = before?;
            return Some(from + (at - from) * (above - wanted) / (above - loss));
        }
        before = Some([at, loss]);
    }
    None
}

/// The mean of some curves that were taken at the same places.
pub(super) fn mean_curve(curves: &[Vec<[f64; 2]>]) -> Vec<[f64; 2]> {
    let places = curves.iter().map(Vec::len).min().unwrap_or(0);
    let at = |place: usize| {
        let losses: Vec<f64> = curves.iter().map(|curve| curve[place][1]).collect();
        [curves[0][place][0], mean(&losses)]
    };
    (0..places).map(at).collect()
}

impl CompareOutcome {
    /// Writes it into a folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, out: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).expect("numbers are JSON");
        Ok(AtomicFile::write_whole(&out.join(FILE), &json)?)
    }

    /// The arms that are compared with the baseline.
    pub(super) fn others(&self) -> impl Iterator<Item = &ArmOutcome> {
        self.arms.iter().filter(|arm| arm.name != self.baseline)
    }
}

/// As a table.
impl fmt::Display for CompareOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { baseline, seeds, stopped_early, tokens, domains, arms, .. } = self;
        let early = if *stopped_early { ", with which it is decided" } else { "" };
        writeln!(formatter, "{seeds} seeds of {tokens} tokens each{early}; less than {baseline}, seed by seed\n")?;
        let widest = arms.iter().map(|arm| arm.name.chars().count()).max().unwrap_or(0).max(4);
        write!(
            formatter,
            "{:widest$} {:>8} {:>8} {:>9} {:>20} {:>7} {:>10} {:>7} {:>9}",
            "arm", "loss", "spread", "less", "95 %", "decided", "deviations", "seeds", "tokens"
        )?;
        for domain in domains {
            write!(formatter, " {domain:>12}")?;
        }
        for arm in arms {
            let ArmOutcome { name, mean, deviation, difference, token_efficiency, .. } = arm;
            write!(formatter, "\n{name:widest$} {mean:8.4} {deviation:8.4}")?;
            if name == baseline {
                write!(formatter, " {:>9} {:>20} {:>7} {:>10} {:>7} {:>9}", "", "", "", "", "", "")?;
            } else {
                let Difference { mean, seeds_needed, .. } = difference;
                let deviations = difference.in_deviations().map_or("-".into(), |number| format!("{number:.1}"));
                let needed = seeds_needed.map_or("-".into(), |seeds| seeds.to_string());
                let efficiency = token_efficiency.map_or("-".into(), |times| format!("{times:.2}x"));
                let decided = if arm.is_decided { "yes" } else { "no" };
                let between = difference.between().unwrap_or("-".into());
                write!(
                    formatter,
                    " {mean:+9.4} {between:>20} {decided:>7} {deviations:>10} {needed:>7} {efficiency:>9}"
                )?;
            }
            for domain in domains {
                write!(formatter, " {:12.4}", arm.domains[domain].0)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: differences 0.1, 0.2, 0.3 have a mean of 0.2 and a deviation of 0.1, and t of two degrees of freedom is 4.3027.
    #[test]
    fn differences_are_paired() {
        let found = Difference::of(&[5.0, 6.0, 7.0], &[4.9, 5.8, 6.7]);
        assert!((found.mean - 0.2).abs() < 1e-12 && (found.deviation - 0.1).abs() < 1e-12, "{found:?}");
        let half = 4.302_653 * 0.1 / 3f64.sqrt();
        let [low, high] = found.interval.expect("there are three");
        assert!((low - (0.2 - half)).abs() < 1e-6 && (high - (0.2 + half)).abs() < 1e-6, "{found:?}");
        // of four degrees of freedom ((2.7764 + 0.9410) 0.5)^2 = 3.5, and of three ((3.1824 + 0.9785) 0.5)^2 = 4.3
        assert_eq!(found.seeds_needed, Some(5));
        assert_eq!(Difference::of(&[5.0, 6.0], &[5.0, 6.0]).seeds_needed, None);
        let alone = Difference::of(&[5.0], &[4.0]);
        assert_eq!((alone.interval, alone.seeds_needed), (None, None));
        // with so many, the normal distribution's (2.8016 x 9.165)^2 = 659.3 are hardly too few
        let many = Difference::of(&[5.0, 5.0, 5.0], &[4.9, 5.3, 4.7]).seeds_needed;
        assert!(many.is_some_and(|seeds| (660..=663).contains(&seeds)), "{many:?}");
    }

    #[test]
    fn tokens_are_counted_until_the_loss_of_the_other() {
        let baseline = [[100.0, 5.0], [200.0, 4.0], [300.0, 3.0]];
        let faster = [[100.0, 4.0], [200.0, 2.0], [300.0, 1.0]];
        assert_eq!(token_efficiency(&baseline, &faster), Some(2.0));
        assert_eq!(token_efficiency(&baseline, &baseline), Some(1.0));
        assert_eq!(token_efficiency(&faster, &baseline), None);
        // there from the first evaluation on, or evaluated once: nobody knows since when
        assert_eq!(token_efficiency(&baseline, &[[100.0, 2.0], [200.0, 1.0]]), None);
        assert_eq!(token_efficiency(&[[100.0, 2.0]], &[[100.0, 1.0]]), None);
        // one that rises at its end had that loss before
        let rising = [[100.0, 5.0], [200.0, 1.0], [300.0, 3.0]];
        assert_eq!(token_efficiency(&rising, &rising), Some(1.0));
        let curves = [vec![[1.0, 2.0], [2.0, 1.0]], vec![[1.0, 4.0], [2.0, 2.0], [3.0, 0.0]]];
        assert_eq!(mean_curve(&curves), [[1.0, 3.0], [2.0, 1.5]]);
    }
}
