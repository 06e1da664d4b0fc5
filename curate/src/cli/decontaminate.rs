//! `curate decontaminate`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::bail;
use clap::Args;
use schemas::{
    paths::NamedFolders,
    task::{Folders, Task},
};

use super::{
    documents::{DocumentsArgs, judge},
    printer::Printer,
};
use crate::{
    decide::{Contamination, DecontaminationRule, SplitRule},
    error::Error,
    measure::{Family, FamilyConfig, OverlapsConfig},
    recipe::{Plan, StepPlan},
    run::{self, Outcome},
    source::{Benchmark, ExampleFile},
    text::overlap::NgramLengths,
};

/// Cut benchmarks out of documents: JSON lines or Parquet in, the documents without what they share with examples out.
///
/// An example is found by its 13-grams of words, without regard to case and punctuation; one of 8 to 12 words is found as a whole. What
/// is found is cut with 200 characters on either side, as GPT-3 did it. DIR then holds `survivors/`, the documents as they stood in
/// their files but for what was cut; `facts/contamination/`, with an account by benchmark and a list of the examples that were found;
/// and a ledger. `curate why DIR ID` says what was cut out of a document.
#[derive(Debug, Args)]
pub struct DecontaminateArgs {
    #[command(flatten)]
    documents: DocumentsArgs,
    /// The benchmarks: a task (`.toml`), JSON lines (`.jsonl`), a JSON value of which every object with strings is an example (`.json`),
    /// or text with an example a line (any other name); files may be packed. A benchmark has the name of its file up
    /// to the first dot, and may be several.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    against: Vec<PathBuf>,
    /// Words in an n-gram of a long example.
    #[arg(long, value_name = "N", default_value_t = NgramLengths::default().max, help_heading = "What is found")]
    max_ngram: usize,
    /// Fewest words of an example that is found as a whole.
    #[arg(long, value_name = "N", default_value_t = NgramLengths::default().min, help_heading = "What is found")]
    min_ngram: usize,
    /// An n-gram that stands in more documents than this is common, and stays.
    #[arg(long, value_name = "N", default_value_t = DecontaminationRule::default().max_documents, help_heading = "What is found")]
    max_documents: u64,
    /// Characters on either side of an n-gram that are cut with it.
    #[arg(long, value_name = "N", default_value_t = OverlapsConfig::CONTEXT_CHARS, help_heading = "What is cut")]
    context_chars: usize,
    /// Fewest characters that stay between two cuts; what is shorter goes, too.
    #[arg(long, value_name = "N", default_value_t = DecontaminationRule::default().min_piece, help_heading = "What is cut")]
    min_piece: u32,
    /// A document that is cut in more places than this is dropped.
    #[arg(long, value_name = "N", default_value_t = DecontaminationRule::default().max_cuts, help_heading = "What is cut")]
    max_cuts: u32,
}

/// The name of the source.
const FILES: &str = "files";

impl DecontaminateArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let plan = self.plan()?;
        let losses = self.documents.losses();
        let (options, runtime) = self.documents.start()?;
        let (outcome, contamination) = runtime.block_on(run::decontaminate(plan, FILES, &options, printer))?;
        printer.result(summary(&outcome, &contamination, &options.out)?);
        judge(printer, losses, &outcome.ledger, &options.out)
    }

    /// What the command asks for, as a plan like a recipe's.
    fn plan(&self) -> anyhow::Result<Plan> {
        let lengths = NgramLengths { max: self.max_ngram, min: self.min_ngram };
        let overlaps =
            OverlapsConfig::new(lengths, self.context_chars, benchmarks(&self.against)?).map_err(anyhow::Error::msg)?;
        let rule = DecontaminationRule {
            min_piece: self.min_piece,
            max_cuts: self.max_cuts,
            max_documents: self.max_documents,
        };
        let step = StepPlan { name: "decontaminate".into(), sources: vec![FILES.into()], kind: Arc::new(rule) };
        let recipe = serde_json::json!({ "overlaps": overlaps, "steps": [step] });
        Ok(Plan {
            path: PathBuf::new(),
            name: "decontaminate".into(),
            seed: 0,
            sources: vec![self.documents.source(FILES, &self.documents.files)?],
            keep_documents: false,
            families: vec![Family::new(FamilyConfig::Overlaps(overlaps))],
            verification: None,
            indexes: vec![],
            classifiers: vec![],
            steps: vec![step],
            splits: SplitRule::default(),
            mixtures: vec![],
            task_files: BTreeMap::new(),
            licences: BTreeMap::new(),
            recipe,
        })
    }
}

/// The benchmarks that files hold, in the order of their names.
fn benchmarks(files: &[PathBuf]) -> anyhow::Result<Vec<Benchmark>> {
    let mut benchmarks: BTreeMap<String, Benchmark> = BTreeMap::new();
    for path in files {
        let path = path.canonicalize().map_err(Error::file("read", path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split('.').next().unwrap_or_default().to_owned();
        let is_task = path.extension().is_some_and(|extension| extension == "toml");
        let found = if is_task {
            Benchmark::of_task(name.clone(), &Task::read(&path, Folders::Named(&NamedFolders::new()))?)?
        } else {
            Benchmark { name: name.clone(), files: vec![ExampleFile::new(path)?], fields: None, rules: None }
        };
        match benchmarks.get_mut(&name) {
            Some(benchmark) if benchmark.rules == found.rules => {
                benchmark.files.extend(found.files);
            }
            Some(_) => {
                bail!("two files called `{name}` are read in different ways, one by the fields of a task: rename one")
            }
            None => drop(benchmarks.insert(name, found)),
        }
    }
    for benchmark in benchmarks.values_mut() {
        benchmark.files.sort_by(|one, other| one.path.cmp(&other.path));
        benchmark.files.dedup();
    }
    Ok(benchmarks.into_values().collect())
}

/// What was done, in a few lines.
fn summary(outcome: &Outcome, contamination: &Contamination, out: &Path) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for entry in &outcome.ledger.stages {
        writeln!(text, "{:18} {:>9} in {:>9} kept  {}", entry.stage, entry.r#in, entry.kept, entry.reasons())?;
    }
    for entry in &outcome.ledger.cuts {
        writeln!(text, "{} documents cut, by {} bytes", entry.documents, entry.bytes)?;
    }
    writeln!(
        text,
        "{:18} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11}",
        "benchmark", "examples", "too short", "found", "as whole", "documents", "bytes"
    )?;
    for benchmark in &contamination.benchmarks {
        writeln!(
            text,
            "{:18} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11}",
            benchmark.benchmark,
            benchmark.examples,
            benchmark.short,
            benchmark.found,
            benchmark.whole,
            benchmark.documents,
            benchmark.bytes
        )?;
    }
    if contamination.common_ngrams > 0 {
        let ngrams = contamination.common_ngrams;
        writeln!(text, "{ngrams} n-grams stand in more documents than --max-documents, and were left alone")?;
    }
    write!(text, "{}", out.join("survivors").display())?;
    Ok(text)
}
