//! `train rlhf`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use schemas::toml_file::Setting;

use super::{printer::Printer, progress::ProgressDisplay, signals, training::out_of};
use crate::{
    device::DeviceName,
    program::{
        Options,
        rlhf::{Rounds, RoundsEnd, RoundsOutcome, run_rounds},
    },
};

/// Train a model on feedback in rounds: rankings of its answers, a reward model on these, and a policy against that.
#[derive(Debug, Args)]
pub struct RlhfArgs {
    /// The configuration (TOML).
    config: PathBuf,
    /// The output folder [default: out/NAME, with the name of the configuration's file].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to train: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// A folder of token ids that trainings share, so that no file is tokenized twice [default: `tokens` in the output folder].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Go on with the rounds in the output folder.
    #[arg(long)]
    resume: bool,
    /// Log lines instead of the dashboard of terminals.
    #[arg(long)]
    plain: bool,
    /// Replace a value of the configuration.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
}

impl RlhfArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let rounds = Rounds::read(&self.config, &self.settings)?;
        let go_on = self.go_on();
        let out = self.out();
        let Self { device, cache, resume, plain, .. } = self;
        let options = Options { out, device, resume, until: None, threads, cache };
        let name = options.out.display().to_string();
        printer.note(format_args!("{name} on {device}, {threads} threads"));
        let signals = signals::listen(printer)?;
        let mut display = ProgressDisplay::new(printer, signals, plain, &name);
        let RoundsOutcome { rounds, end } = run_rounds(&rounds, &options, &mut display)?;
        // a dashboard leaves the terminal before something is printed there
        drop(display);
        match end {
            RoundsEnd::Done => {
                rounds.iter().for_each(|round| printer.result(round));
                printer.result(name);
                Ok(ExitCode::SUCCESS)
            }
            RoundsEnd::Interrupted => {
                printer.note(format_args!("ended after {} rounds, and saved; go on with --resume", rounds.len()));
                Ok(ExitCode::from(signals::CODE))
            }
            RoundsEnd::Waiting { round, there, wanted, command } => {
                printer.note(format_args!(
                    "round {round} waits for people: {there} of {wanted} rankings are there. They rank on the page of\n  {}\nand with enough of \
                     them it goes on by\n  {}",
                    line(&command),
                    line(&go_on)
                ));
                Ok(ExitCode::from(signals::CODE))
            }
        }
    }

    fn out(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| out_of(&self.config))
    }

    /// The command that goes on, word by word.
    fn go_on(&self) -> Vec<String> {
        let Self { config, device, cache, settings, .. } = self;
        let mut words = vec!["train".to_owned(), "rlhf".to_owned(), config.display().to_string()];
        words.extend(["--out".to_owned(), self.out().display().to_string(), "--resume".to_owned()]);
        if *device != DeviceName::default() {
            words.extend(["--device".to_owned(), device.to_string()]);
        }
        if let Some(cache) = cache {
            words.extend(["--cache".to_owned(), cache.display().to_string()]);
        }
        for Setting { key, value } in settings {
            words.extend(["--set".to_owned(), format!("{}={value}", key.join("."))]);
        }
        words
    }
}

/// Words as a shell reads them.
fn line(words: &[String]) -> String {
    let is_plain = |word: &String| {
        !word.is_empty() && word.chars().all(|letter| letter.is_alphanumeric() || "-_./=:,+@".contains(letter))
    };
    let quoted = |word: &String| {
        if is_plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_a_shell_reads() {
        let words = ["train", "out/a b", "x=\"y\"", "it's", ""].map(str::to_owned);
        assert_eq!(line(&words), r#"train 'out/a b' 'x="y"' 'it'\''s' ''"#);
    }
}
