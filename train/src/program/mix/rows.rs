//! Runs as lines of JSON: `weights` by source, `losses` by domain, and, where they are known, `curves`, the losses before the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    mixing::Runs,
};

/// A run as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its share of each source.
    pub weights: BTreeMap<String, f64>,
    /// What it reached on each domain.
    pub losses: BTreeMap<String, f64>,
    /// What it had on each domain at evaluations before the end, in their order.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub curves: BTreeMap<String, Vec<f64>>,
}

impl RunRow {
    /// The runs of a file.
    ///
    /// # Errors
    /// When it cannot be read, or a line is no run like the first: with its number.
    pub fn read(path: &Path) -> Result<Runs> {
        let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
        let fault = |line: usize, message: String| Error::Data {
            path: path.to_owned(),
            message: format!("line {line}: {message}"),
        };
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let rows: Vec<(usize, Self)> = lines
            .map(|(number, line)| match serde_json::from_str(line) {
                Ok(row) => Ok((number, row)),
                Err(error) => Err(fault(number, error.to_string())),
            })
            .collect::<Result<_>>()?;
        let Some((_, first)) = rows.first() else {
            return Err(Error::Data { path: path.to_owned(), message: "it has no run".into() });
        };
        // a source that a run does not name has no weight in it
        let sources: BTreeSet<&String> = rows.iter().flat_map(|(_, row)| row.weights.keys()).collect();
        let domains: Vec<String> = first.losses.keys().cloned().collect();
        if domains.is_empty() {
            return Err(fault(rows[0].0, "it has no loss".into()));
        }
        let mut runs = Runs { sources: sources.iter().copied().cloned().collect(), domains, ..Runs::default() };
        for (number, row) in &rows {
            row.fault(first).map_or(Ok(()), |message| Err(fault(*number, message)))?;
            let own: Vec<f64> = sources.iter().map(|source| row.weights.get(*source).copied().unwrap_or(0.0)).collect();
            runs.weights.push(shares_of(&own).map_err(|message| fault(*number, message))?);
            runs.losses.push(row.losses.values().copied().collect());
            if !row.curves.is_empty() {
                runs.curves.push(row.curves.values().cloned().collect());
            }
        }
        Ok(runs)
    }

    /// What is wrong with a run, if something is, where another is the first.
    fn fault(&self, first: &Self) -> Option<String> {
        let known = || first.losses.keys().cloned().collect::<Vec<_>>().join("`, `");
        if self.losses.keys().ne(first.losses.keys()) {
            return Some(format!("it has losses of other domains than the first run, `{}`", known()));
        }
        if let Some((domain, loss)) = self.losses.iter().find(|(_, loss)| !loss.is_finite()) {
            return Some(format!("the loss on `{domain}` is {loss}"));
        }
        match [self, first].map(|row| row.curves.is_empty()) {
            [true, true] => return None,
            [true, false] => return Some("it has no `curves`, and the first run has".into()),
            [false, true] => return Some("it has `curves`, and the first run has none".into()),
            [false, false] => {}
        }
        if self.curves.keys().ne(first.losses.keys()) {
            return Some(format!("it has curves of other domains than `{}`", known()));
        }
        let evaluations = |row: &Self| row.curves.values().next().map_or(0, Vec::len);
        let wanted = evaluations(first);
        let (domain, curve) = self
            .curves
            .iter()
            .find(|(_, curve)| curve.len() != wanted || curve.iter().any(|loss| !loss.is_finite()))?;
        Some(format!(
            "the curve of `{domain}` has {} losses, and not {wanted} numbers as that of the first run",
            curve.len()
        ))
    }
}

/// Weights that add up to 1; or what is wrong with them.
pub(in crate::program) fn shares_of(weights: &[f64]) -> std::result::Result<Vec<f64>, String> {
    if weights.iter().any(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        return Err("a weight is 0 or more".into());
    }
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return Err("its weights add up to nothing".into());
    }
    Ok(weights.iter().map(|weight| weight / sum).collect())
}
