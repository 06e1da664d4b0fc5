//! `curate check`.

use std::{fmt::Write as _, fs, io::Read as _, path::PathBuf};

use clap::Args;
use schemas::toml_file::Setting;

use super::{printer::Printer, size::decimal};
use crate::{
    decide::{Budget, Share, Unit, Verification, largest_whole},
    learn::Kind,
    recipe::{MixturePlan, Plan, unused_sources},
    source::{Cleaning, Source, Windows},
    write::{Content, PairsFrom},
};

/// Check a recipe: say what would run, and what it would need.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The recipe (TOML).
    recipe: PathBuf,
    /// Replace a value of the recipe, or a folder in its [folders].
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
}

impl CheckArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let plan = Plan::read(&self.recipe, &self.settings)?;
        printer.result(describe(&plan)?);
        Ok(())
    }
}

/// Unpacked bytes for each packed one, as crawls and corpora have them.
const UNPACKED: u64 = 4;

fn describe(plan: &Plan) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "{}, seed {}", plan.name, plan.seed)?;
    writeln!(text, "\nsources")?;
    let mut bytes = 0;
    for source in &plan.sources {
        let size = size(source);
        bytes += size;
        let files = match source.files.len() {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        write!(text, "  {:16} {:12} {files}, {}", source.name, source.format.name(), decimal(size))?;
        let clean: Vec<&str> = source.clean.iter().map(Cleaning::name).collect();
        writeln!(text, "{}{}", if clean.is_empty() { "" } else { "; cleaned: " }, clean.join(", "))?;
        if let Some((window, file)) = longest_window(source) {
            let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            let most = plan.sources.iter().map(|source| source.files.len()).max().unwrap_or(1);
            let memory = Windows::memory_for(window, threads.min(most));
            let shown = decimal(window);
            writeln!(text, "  {:16} needs --memory {memory}: {} has a window of {shown}", "", file.display())?;
        }
    }
    writeln!(text, "\nfacts")?;
    for family in &plan.families {
        writeln!(text, "  {:16} {}", family.name, family.config.description())?;
    }
    if let Some(verification) = plan.verification {
        let Verification { similarity, max_bucket, .. } = verification;
        writeln!(text, "  {:16} similar to {similarity} or more; with {max_bucket} of a band at most", "clusters")?;
    }
    for classifier in &plan.classifiers {
        let kind = match &classifier.kind {
            Kind::Hashed { .. } => "hashed words, ".to_owned(),
            Kind::Fasttext { .. } => "fastText, ".to_owned(),
            Kind::Statistics { .. } => "statistics, ".to_owned(),
            Kind::LoadedFasttext { model, .. } => format!("fastText from {}", model.display()),
            Kind::Ensemble { of } => format!("the mean of {}, ", of.join(", ")),
        };
        let (positive, negative) = (classifier.positive.join(", "), classifier.negative.join(", "));
        let sides = if positive.is_empty() { String::new() } else { format!("{positive} against {negative}") };
        writeln!(text, "  score-{:10} {kind}{sides}", classifier.name)?;
    }
    writeln!(text, "\nsteps")?;
    for (number, step) in plan.steps.iter().enumerate() {
        let (what, sources) = (step.kind.description(), step.sources.join(", "));
        writeln!(text, "  {} {:22} {what} (on {sources})", number + 1, step.name)?;
    }
    writeln!(text, "\nmixtures")?;
    for mixture in &plan.mixtures {
        let content = match &mixture.content {
            Content::Text => mixture.weights.description(),
            Content::Pairs(pairs) => {
                let question = match pairs.from {
                    PairsFrom::Title => "titles",
                    PairsFrom::InverseCloze { .. } => "sentences",
                };
                let words = pairs.words;
                format!("{}, {question} with passages of {words} words", mixture.weights.description())
            }
            Content::Examples(examples) => {
                let templates: usize = examples.tasks.values().map(|task| task.templates.len()).sum();
                let each = if examples.sample_template { ", one for each example" } else { "" };
                let count = if templates == 1 { "1 template".to_owned() } else { format!("{templates} templates") };
                format!("{}, in {count}{each}", mixture.weights.description())
            }
        };
        writeln!(text, "  {:16} {content}", mixture.name)?;
    }
    for warning in warnings(plan) {
        writeln!(text, "\nwarning: {warning}")?;
    }
    // text and facts are about as large as the packed input; a mixture is about as large as its sources
    let of_mixture = |mixture: &MixturePlan| {
        let sources = mixture.weights.sources();
        plan.sources.iter().filter(|source| sources.contains(&source.name)).map(size).sum::<u64>()
    };
    let disk = 2 * bytes + plan.mixtures.iter().map(of_mixture).sum::<u64>();
    write!(
        text,
        "\nneeds about {} of disk for {} of input ({} unpacked); memory as --memory says, and up to 1 GB for text on its way",
        decimal(disk),
        decimal(bytes),
        decimal(bytes * UNPACKED)
    )?;
    Ok(text)
}

/// The share of sources that a mixture leaves unused, by the sizes of files, from which on that is said: files are packed, or not.
const UNUSED: f64 = 0.9;

/// The share of documents that are held out from which on that is said.
const HELD_OUT: f64 = 0.3;

/// What can be seen before a run, and would be missed in what comes of it.
fn warnings(plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    let names = plan.sources.iter().map(|source| source.name.as_str());
    let mixed: Vec<String> = plan.mixtures.iter().flat_map(|mixture| mixture.weights.sources()).collect();
    for source in unused_sources(&plan.recipe, names, &mixed.iter().map(String::as_str).collect()) {
        warnings.push(format!("source {source} is read, and stands in no mixture"));
    }
    let held_out = plan.splits.validation + plan.splits.test;
    if held_out >= HELD_OUT {
        warnings.push(format!("{:.0} % of all documents are held out for validation and testing", held_out * 100.0));
    }
    warnings.extend(plan.mixtures.iter().filter_map(|mixture| held_back(plan, mixture)));
    warnings
}

/// The source that holds others back in a mixture without a budget, by the sizes of files.
fn held_back(plan: &Plan, mixture: &MixturePlan) -> Option<String> {
    // weights by size follow what there is
    if mixture.budget.is_some() || mixture.unit == Unit::Documents || mixture.weights.follow_sizes() {
        return None;
    }
    let sizes = plan.sources.iter().map(|source| (source.name.clone(), size(source))).collect();
    let Budget { shares } = Budget::divide(&mixture.weights, None, &sizes, &mixture.max_epochs);
    let allowed = |(source, of): &(&String, &Share)| {
        largest_whole(of.available, mixture.max_epochs.get(*source).copied().unwrap_or(1.0), of.weight)
    };
    let weighed = || shares.iter().filter(|(_, of)| of.weight > 0.0);
    let (limiting, Share { weight, .. }) = weighed().min_by(|one, other| allowed(one).total_cmp(&allowed(other)))?;
    let others = || weighed().filter(|(name, _)| *name != limiting);
    let available: u64 = others().map(|(_, of)| of.available).sum();
    let used: u64 = others().map(|(_, of)| of.asked.min(of.available)).sum();
    let unused = (available - used) as f64 / available as f64; // not a number of nothing, which is over no limit
    (unused >= UNUSED).then(|| {
        format!(
            "mixture {}: by the sizes of files, `{limiting}` at a weight of {weight:.2} leaves {:.0} % of the other sources unused; raise its \
             `max_epochs`, or lower its weight",
            mixture.name,
            100.0 * unused
        )
    })
}

/// Bytes from the start of a file within which its window is looked for, behind frames without data.
const LOOKED_AT: u64 = 1 << 16;

/// Windows that need no mention, in bytes.
const SHORT_WINDOW: u64 = 128 << 20;

/// The longest window of a source's files, as their first frames say it, and the file, where that is long.
fn longest_window(source: &Source) -> Option<(u64, &PathBuf)> {
    let window = |file: &PathBuf| {
        let mut start = Vec::new();
        fs::File::open(file).ok()?.take(LOOKED_AT).read_to_end(&mut start).ok()?;
        compression::window(&start)
    };
    let windows = source.files.iter().filter_map(|file| Some((window(file)?, file)));
    windows.max_by_key(|(window, _)| *window).filter(|(window, _)| *window > SHORT_WINDOW)
}

fn size(source: &Source) -> u64 {
    source.files.iter().filter_map(|file| fs::metadata(file).ok()).map(|metadata| metadata.len()).sum()
}
