//! What a run of a sweep reached: `reached.json`, which says that it is done.

use std::{collections::BTreeMap, fmt, fs, io, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use system::AtomicFile;

use crate::{
    error::{Error, Result},
    program::json_rows,
};

/// The name of the file.
const FILE: &str = "reached.json";

/// What a run reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// What it has beside, or in place of, what the configuration says.
    pub settings: BTreeMap<String, String>,
    /// Steps.
    pub steps: u64,
    /// Tokens that it learned from, a repeated one each time.
    pub tokens: u64,
    /// Numbers of the model: all, and those of its embeddings.
    pub parameters: [u64; 2],
    /// Seconds that its steps took.
    pub seconds: f64,
    /// Evaluations, in their order; the last is that of its end.
    pub evaluations: Vec<Evaluated>,
}

/// An evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Steps that were taken.
    pub step: u64,
    /// The loss on the validation data of all sources together, in nats a token.
    pub validation_loss: f64,
    /// The loss on each source alone, where there are several, and on what was held out.
    #[serde(default)]
    pub held_out: BTreeMap<String, f64>,
    /// What tasks are judged by, by name.
    #[serde(default)]
    pub tasks: BTreeMap<String, f64>,
}

impl Reached {
    /// What the log of a training says, which has come to its end.
    ///
    /// - `parameters`: of the model: all, and those of its embeddings
    ///
    /// # Errors
    /// When the log cannot be read, or has no evaluation at its end.
    pub(super) fn of_log(
        folder: &Path,
        settings: BTreeMap<String, String>,
        parameters: [u64; 2],
        tokens_per_step: u64,
    ) -> Result<Self> {
        let path = folder.join("metrics.jsonl");
        let lines: Vec<Value> = json_rows::read(&path)?;
        let number = |line: &Value, key: &str| line[key].as_f64();
        let steps = lines.iter().filter(|line| line["tokens_per_second"].is_number());
        let seconds = steps.clone().filter_map(|line| number(line, "seconds")).sum();
        let last = lines.iter().filter_map(|line| line["step"].as_u64()).max().unwrap_or(0);
        let damaged = |message: String| Error::Damaged { path: path.clone(), message };
        let evaluated = |line: &Value| {
            if line["validation_loss"].is_null() {
                return Err(damaged(format!("the loss at step {} is no number: the training diverged", line["step"])));
            }
            Evaluated::deserialize(line)
                .map_err(|error| damaged(format!("the evaluation at step {}: {error}", line["step"])))
        };
        let evaluations = lines.iter().filter(|line| line.get("validation_loss").is_some());
        let evaluations: Vec<Evaluated> = evaluations.map(evaluated).collect::<Result<_>>()?;
        if evaluations.last().is_none_or(|evaluated| evaluated.step != last) {
            return Err(damaged(format!("it has no evaluation at its end, step {last}")));
        }
        Ok(Self { settings, steps: last, tokens: last * tokens_per_step, parameters, seconds, evaluations })
    }

    /// What a run reached, if it is done.
    ///
    /// # Errors
    /// When the file cannot be read, or is another.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(Error::file("read", &path))?,
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::Damaged { path, message: error.to_string() })
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).expect("numbers are JSON");
        Ok(AtomicFile::write_whole(&folder.join(FILE), &json)?)
    }

    /// The evaluation at its end.
    pub fn end(&self) -> &Evaluated {
        self.evaluations.last().expect("a run that is done was evaluated")
    }
}

impl Evaluated {
    /// The loss on a domain.
    ///
    /// # Errors
    /// When it was not judged by it.
    pub fn loss_on(&self, domain: &str) -> Result<f64> {
        self.held_out.get(domain).copied().ok_or_else(|| {
            let message = format!("the evaluation at step {} is not of `{domain}`", self.step);
            Error::Damaged { path: FILE.into(), message }
        })
    }
}

/// The losses at its end.
impl fmt::Display for Reached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.end();
        write!(formatter, "loss {:.4}", end.validation_loss)?;
        for (name, loss) in &end.held_out {
            write!(formatter, ", {name} {loss:.4}")?;
        }
        write!(formatter, "; {:.0} s", self.seconds)
    }
}
