//! The rankings of a round: answers of the policy that it begins with, ranked by a program or by people.
//!
//! ```text
//! policy, prompts -> OUT/round-1/labels -> a program ranks them       -> OUT/round-1/rankings.jsonl
//!                                       -> people do: the round waits
//! rankings of all rounds so far                                       -> OUT/round-1/mixture.jsonl
//! ```
//!
//! Each file appears by rename, and is then what the round learns from: what people say later is not.
//!
//! Useful for: labels of one round. Not useful for: how they are drawn, shown and kept; see [`crate::label`].

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use system::AtomicFile;

use super::{inference_model::ReadyModel, rlhf_config::LabelConfig};
use crate::{
    checkpoint::Which,
    error::{Error, Result},
    inference::WeightFormat,
    label::{Collection, Kind, LabelSettings, SamplingSettings, export, run_script},
    trainer::Progress,
};

/// The folder of labels in that of a round.
const LABELS: &str = "labels";

/// The file of its rankings.
const RANKINGS: &str = "rankings.jsonl";

/// The file of the rankings of all rounds so far.
const MIXTURE: &str = "mixture.jsonl";

/// The share of prompts that all labelers see first: a program is the only one.
const OVERLAP: f64 = 0.0;

/// The labels of a round.
pub(super) struct RoundLabels<'l> {
    /// How many answers are ranked, and how they are drawn.
    pub config: &'l LabelConfig,
    /// The program that ranks; people do where there is none.
    pub labeler: Option<&'l Path>,
    /// The prompts.
    pub prompts: &'l Path,
    /// The folder of the model that answers.
    pub policy: &'l Path,
    /// Of the answers, and of the order of prompts.
    pub seed: u64,
    /// The folder of the round.
    pub folder: &'l Path,
}

/// How far the labels of a round have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labelled {
    /// As many as are wanted are there, and written as rows.
    Enough,
    /// It was told to stop.
    Interrupted,
    /// People have ranked so many, which are too few.
    Waiting(usize),
}

impl RoundLabels<'_> {
    /// Collects rankings, unless that was done.
    ///
    /// # Errors
    /// When the model cannot be read, the labels were begun otherwise, the labeler fails, or nothing was ranked.
    pub fn collect(&self, progress: &mut dyn Progress) -> Result<Labelled> {
        let rankings = self.folder.join(RANKINGS);
        if rankings.is_file() {
            return Ok(Labelled::Enough);
        }
        let labelled = match self.labeler {
            Some(program) => self.of_program(program, progress)?,
            None => self.of_people(progress)?,
        };
        if labelled == Labelled::Enough {
            // before anything says that the labels of the round are there
            if self.there()? == 0 {
                let message = "no prompt was ranked, and nothing can be learnt from that".to_owned();
                return Err(Error::Data { path: self.labels(), message });
            }
            let exported = export(&self.labels(), Some(Kind::Rankings), Some(rankings))?;
            progress.note(&format!("{}: {exported}", exported.path.display()));
        }
        Ok(labelled)
    }

    /// Has a program rank as many as are wanted, or as there are.
    fn of_program(&self, program: &Path, progress: &mut dyn Progress) -> Result<Labelled> {
        let wanted = self.config.count;
        let mut opened = Some(self.open(progress)?);
        let mut there = self.there()?;
        while there < wanted {
            if progress.should_stop() {
                return Ok(Labelled::Interrupted);
            }
            let collection = match opened.take() {
                Some(collection) => collection,
                None => self.open(progress)?,
            };
            let watched = &*progress;
            let asked = run_script(collection, program, Some(wanted - there), OVERLAP, &|| watched.should_stop());
            let asked = match asked {
                // a signal of the terminal ends the program, too
                Err(Error::Labeler { .. }) if progress.should_stop() => return Ok(Labelled::Interrupted),
                asked => asked?,
            };
            there = self.there()?;
            // what it passes over is made up for, as long as there are prompts
            if asked.judged + asked.skipped == 0 && !progress.should_stop() {
                progress.note(&format!("no prompt is left: there are {there} rankings, and {wanted} were wanted"));
                break;
            }
        }
        Ok(Labelled::Enough)
    }

    /// Begins a folder that people label into, and looks whether they have ranked as many as are wanted.
    fn of_people(&self, progress: &mut dyn Progress) -> Result<Labelled> {
        match self.open(progress) {
            // a page is served: it goes on as it was begun
            Ok(_) | Err(Error::LabelsHeld { .. }) => {}
            Err(error) => return Err(error),
        }
        let there = self.there()?;
        Ok(if there < self.config.count { Labelled::Waiting(there) } else { Labelled::Enough })
    }

    /// The command that serves a page to the people who rank, word by word.
    pub fn command(&self) -> Vec<String> {
        let LabelConfig { answers, tokens, temperature, .. } = self.config;
        let path = |path: &Path| path.display().to_string();
        let words = [
            "train".to_owned(),
            "label".to_owned(),
            "serve".to_owned(),
            path(&self.labels()),
            "--model".to_owned(),
            path(self.policy),
            "--prompts".to_owned(),
            path(self.prompts),
            "--answers".to_owned(),
            answers.to_string(),
            "--tokens".to_owned(),
            tokens.to_string(),
            "--temperature".to_owned(),
            temperature.to_string(),
            "--seed".to_owned(),
            self.seed.to_string(),
        ];
        words.into()
    }

    fn labels(&self) -> PathBuf {
        self.folder.join(LABELS)
    }

    /// Rankings that are there.
    fn there(&self) -> Result<usize> {
        Ok(export(&self.labels(), Some(Kind::Rankings), None)?.rows)
    }

    /// The folder of labels, which is begun where nothing is there.
    fn open(&self, progress: &mut dyn Progress) -> Result<Collection> {
        let LabelConfig { answers, tokens, temperature, .. } = *self.config;
        let ready = ReadyModel::open(self.policy, Which::Newest, WeightFormat::F32)?;
        ready.notes.iter().for_each(|note| progress.note(note));
        let model = self.policy.display().to_string();
        let sampling = SamplingSettings { model, fingerprint: ready.sha256, answers, tokens, temperature };
        let settings = LabelSettings { kind: Kind::Rankings, seed: self.seed, sampling: Some(sampling) };
        let model = Some((ready.model, ready.tokenizer));
        let collection = Collection::open(&self.labels(), self.prompts, &settings, model)?;
        collection.note().iter().for_each(|note| progress.note(note));
        Ok(collection)
    }
}

/// Writes the rankings of some rounds as one file, behind one another. Returns the file, and how many there are of the last round and of all.
///
/// - `folders`: of the rounds, the last of which is the one whose mixture it is
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn mix(folders: &[PathBuf]) -> Result<(PathBuf, [usize; 2])> {
    let path = folders.last().map(|folder| folder.join(MIXTURE)).unwrap_or_default();
    let mut file = AtomicFile::create(&path)?;
    let (mut last, mut all) = (0, 0);
    for folder in folders {
        let rankings = folder.join(RANKINGS);
        let rows = fs::read_to_string(&rankings).map_err(Error::file("read", &rankings))?;
        file.write_all(rows.as_bytes()).map_err(Error::file("write", &path))?;
        last = rows.lines().count();
        all += last;
    }
    file.publish()?;
    Ok((path, [last, all]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_of_all_rounds_are_one_mixture() -> Result<()> {
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        let folders = ["round-1", "round-2"].map(|name| out.path().join(name));
        for (folder, rows) in folders.iter().zip(["{\"a\": 1}\n{\"b\": 2}\n", "{\"c\": 3}\n"]) {
            fs::create_dir(folder).expect("it can be made");
            fs::write(folder.join(RANKINGS), rows).expect("it can be written");
        }
        assert_eq!(mix(&folders[..1])?.1, [2, 2]);
        let (path, counts) = mix(&folders)?;
        assert_eq!((path.as_path(), counts), (folders[1].join(MIXTURE).as_path(), [1, 3]));
        let text = fs::read_to_string(path).expect("it was written");
        assert_eq!(text, "{\"a\": 1}\n{\"b\": 2}\n{\"c\": 3}\n");
        Ok(())
    }
}
