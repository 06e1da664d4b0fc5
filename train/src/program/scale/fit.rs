//! The law of a ladder: fitted, held against what it has not seen, and sampled.

use std::{fmt, fs, path::Path};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use system::AtomicFile;

use crate::{
    error::{Error, Result},
    metrics::percentile,
    random::Stream,
    scaling::{LEAST_POINTS, LEAST_SIZES, Point, ScalingLaw},
};

/// The name of the file.
const FILE: &str = "scale.json";

/// How many times as large as its lower end the interval of a factor is that says nothing.
const WIDE: f64 = 10.0;

/// How many times as many tokens for each parameter a point has than another, at least.
const LEAST_SPREAD: f64 = 1.2;

/// What is asked of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleOptions {
    /// The largest sizes, of which the fit sees nothing.
    pub leave_out: usize,
    /// Samples of the points, with replacement, by which intervals are found.
    pub samples: u32,
    /// The seed of what is drawn.
    pub seed: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScaleFit {
    /// Which parameters were counted, in words.
    pub parameters: String,
    /// The points that the law was fitted to.
    pub points: Vec<Point>,
    /// The law.
    pub law: ScalingLaw,
    /// Between which 95 % of each number lie, over samples of the points: the lower ends, and the upper ones.
    pub intervals: [ScalingLaw; 2],
    /// By which power of the FLOPs the best number of parameters grows, and between which 95 % of that lie.
    pub compute_exponent: [f64; 3],
    /// The root of the mean squared difference of what the law expects of the points, as a share of their losses.
    pub error: f64,
    /// What it expects of those that it has not seen.
    pub forecasts: Vec<Forecast>,
    /// What one should know before one believes it.
    pub warnings: Vec<String>,
}

/// What a law expects of a training that it has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The training.
    pub point: Point,
    /// What is expected of it.
    pub expected: f64,
    /// Between which 95 % of that lie, over samples of the points.
    pub interval: [f64; 2],
    /// By which share of its loss that is too much, or too little where it is below 0.
    pub error: f64,
}

/// The points of a file of JSON lines: `parameters`, `tokens`, `loss`.
///
/// # Errors
/// When it cannot be read, or a line is no point: with its number.
pub fn read_points(path: &Path) -> Result<Vec<Point>> {
    let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
    let fault = |line: usize, message: String| Error::Data {
        path: path.to_owned(),
        message: format!("line {line}: {message}"),
    };
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let point = |(number, line): (usize, &str)| {
        let point: Point = serde_json::from_str(line).map_err(|error| fault(number, error.to_string()))?;
        let numbers = [("parameters", point.parameters), ("tokens", point.tokens), ("loss", point.loss)];
        match numbers.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            Some((key, value)) => Err(fault(number, format!("`{key}` is more than 0, and not {value}"))),
            None => Ok(point),
        }
    };
    lines.map(point).collect()
}

/// Fits the law to points.
///
/// - `parameters`: which were counted, in words
///
/// # Errors
/// When there are too few to tell its numbers apart: what is missing, in words.
pub fn fit_points(points: &[Point], parameters: &str, options: ScaleOptions) -> std::result::Result<ScaleFit, String> {
    let ScaleOptions { leave_out, samples, seed } = options;
    let mut sizes: Vec<f64> = points.iter().map(|point| point.parameters).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    if leave_out >= sizes.len() {
        return Err(format!("there are {} sizes, and {leave_out} are to be left out", sizes.len()));
    }
    let largest_seen = sizes[sizes.len() - 1 - leave_out];
    let (seen, unseen): (Vec<Point>, Vec<Point>) = points.iter().partition(|point| point.parameters <= largest_seen);
    let distinct = |of: fn(&Point) -> f64| {
        let mut values: Vec<f64> = seen.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values.len()
    };
    let (of_parameters, of_tokens) = (distinct(|point| point.parameters), distinct(|point| point.tokens));
    if seen.len() < LEAST_POINTS || of_parameters < LEAST_SIZES || of_tokens < LEAST_SIZES {
        return Err(format!(
            "the law has five unknowns: it wants {LEAST_POINTS} points, of {LEAST_SIZES} sizes and {LEAST_SIZES} numbers of tokens or more, and there are {} points, \
             {of_parameters} sizes and {of_tokens} numbers of tokens",
            seen.len()
        ));
    }
    let ratios = || seen.iter().map(|point| point.tokens / point.parameters);
    let [least, most] = [ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max)];
    if most < LEAST_SPREAD * least {
        return Err(format!(
            "all points have between {least:.3} and {most:.3} tokens for each parameter: what is due to parameters and what to tokens cannot be told"
        ));
    }
    let law = ScalingLaw::fit(&seen);
    let (stream, count) = (Stream::new(seed, "samples of points"), seen.len() as u64);
    let sample = |sample: u32| {
        let draw = |place: u64| {
            let number = stream.bits(u64::from(sample) * count + place) % count;
            seen[usize::try_from(number).expect("a point")]
        };
        law.refit(&(0..count).map(draw).collect::<Vec<_>>())
    };
    let sampled: Vec<ScalingLaw> = (0..samples).into_par_iter().map(sample).collect();
    let ends = |of: &dyn Fn(&ScalingLaw) -> f64| {
        let mut values: Vec<f64> = sampled.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        [percentile(&values, 0.025), percentile(&values, 0.975)]
    };
    let numbers = [
        ends(&|law| law.floor),
        ends(&|law| law.parameter_factor),
        ends(&|law| law.parameter_exponent),
        ends(&|law| law.token_factor),
        ends(&|law| law.token_exponent),
    ];
    let intervals = [0, 1].map(|end| ScalingLaw {
        floor: numbers[0][end],
        parameter_factor: numbers[1][end],
        parameter_exponent: numbers[2][end],
        token_factor: numbers[3][end],
        token_exponent: numbers[4][end],
    });
    let [low, high] = ends(&ScalingLaw::compute_exponent);
    let squares: f64 =
        seen.iter().map(|point| (law.predict(point.parameters, point.tokens) / point.loss - 1.0).powi(2)).sum();
    let forecast = |point: &Point| {
        let expected = law.predict(point.parameters, point.tokens);
        let interval = ends(&|law| law.predict(point.parameters, point.tokens));
        Forecast { point: *point, expected, interval, error: expected / point.loss - 1.0 }
    };
    Ok(ScaleFit {
        parameters: parameters.to_owned(),
        warnings: warnings(&law, &intervals),
        forecasts: unseen.iter().map(forecast).collect(),
        error: (squares / count as f64).sqrt(),
        points: seen,
        law,
        intervals,
        compute_exponent: [law.compute_exponent(), low, high],
    })
}

/// What one should know of a fit.
fn warnings(law: &ScalingLaw, [low, high]: &[ScalingLaw; 2]) -> Vec<String> {
    let factors = [("A", low.parameter_factor, high.parameter_factor), ("B", low.token_factor, high.token_factor)];
    let is_wide = |(_, low, high): &(&str, f64, f64)| *high > WIDE * *low || !high.is_finite();
    let warning = |(name, low, high): (&str, f64, f64)| {
        format!(
            "the points do not determine {name}: 95 % of samples lie between {low:.3e} and {high:.3e}. Believe losses and exponents with their \
             intervals, and not this number alone"
        )
    };
    let mut warnings: Vec<String> = factors.into_iter().filter(is_wide).map(warning).collect();
    if !law.falls() || !low.falls() {
        let which = if law.falls() { "in some samples" } else { "by the law" };
        warnings.push(format!(
            "{which} the loss does not fall with parameters or with tokens: sizes lie too near each other, or losses have too much noise"
        ));
    }
    warnings
}

impl ScaleFit {
    /// Writes it into a folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))?;
        let json = serde_json::to_vec_pretty(self).expect("numbers are JSON");
        Ok(AtomicFile::write_whole(&folder.join(FILE), &json)?)
    }

    /// The numbers of the law by name, with their intervals.
    pub(super) fn numbers(&self) -> [(&'static str, &'static str, f64, [f64; 2]); 5] {
        let [low, high] = &self.intervals;
        let law = &self.law;
        [
            ("E", "the loss that is left at any size", law.floor, [low.floor, high.floor]),
            ("A", "the factor of parameters", law.parameter_factor, [low.parameter_factor, high.parameter_factor]),
            (
                "alpha",
                "the exponent of parameters",
                law.parameter_exponent,
                [low.parameter_exponent, high.parameter_exponent],
            ),
            ("B", "the factor of tokens", law.token_factor, [low.token_factor, high.token_factor]),
            ("beta", "the exponent of tokens", law.token_exponent, [low.token_exponent, high.token_exponent]),
        ]
    }
}

/// A number with four digits that count.
pub(super) fn four_digits(number: f64) -> String {
    let size = number.abs().log10().floor();
    if !(-4.0..6.0).contains(&size) {
        return format!("{number:.3e}");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
    let digits = (3.0 - size).max(0.0) as usize;
    format!("{number:.digits$}")
}

/// As a table.
impl fmt::Display for ScaleFit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { points, parameters, error, forecasts, compute_exponent: [exponent, low, high], warnings, .. } = self;
        writeln!(
            formatter,
            "loss = E + A / N^alpha + B / D^beta, of {} points ({parameters}), which it misses by {:.2} %\n",
            points.len(),
            100.0 * error
        )?;
        for (name, what, value, [low, high]) in self.numbers() {
            let [value, low, high] = [value, low, high].map(four_digits);
            writeln!(formatter, "{name:6} {value:>10}   {:24} {what}", format!("{low} to {high}"))?;
        }
        write!(formatter, "\nthe best number of parameters grows by FLOPs^{exponent:.3} ({low:.3} to {high:.3})")?;
        if !forecasts.is_empty() {
            write!(
                formatter,
                "\n\n{:>10} {:>10} {:>8} {:>8} {:>18} {:>8}",
                "parameters", "tokens", "loss", "forecast", "95 %", "error"
            )?;
        }
        for Forecast { point, expected, interval: [low, high], error } in forecasts {
            let Point { parameters, tokens, loss } = point;
            let between = format!("{low:.4} to {high:.4}");
            write!(
                formatter,
                "\n{parameters:10.3e} {tokens:10.3e} {loss:8.4} {expected:8.4} {between:>18} {:+7.2} %",
                100.0 * error
            )?;
        }
        warnings.iter().try_for_each(|warning| write!(formatter, "\n\ntake care: {warning}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (number, written) in [
            (0.1582, "0.1582"),
            (12.345, "12.35"),
            (2085.4, "2085"),
            (123_456.7, "123457"),
            (1.5e9, "1.500e9"),
            (0.0, "0.000e0"),
        ] {
            assert_eq!(four_digits(number), written);
        }
    }
}
