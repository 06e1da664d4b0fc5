//! `curate dedup`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::bail;
use clap::Args;

use super::{
    documents::{DocumentsArgs, judge},
    printer::Printer,
};
use crate::{
    decide::{Dedup, DedupKey, DuplicateIndex, DuplicateRule, KeepPolicy, SplitRule, Verification},
    error::Result,
    measure::{BandsChoice, BandsPreset, Family, FamilyConfig},
    recipe::{Plan, StepPlan},
    run::{self, Survivors},
    text::shingles::Shingle,
};

/// Remove near-duplicates: JSON lines or Parquet in, the documents that stay out.
///
/// Two documents are near-duplicates when they share a band of a MinHash signature, or have the same words, whatever the case, accents,
/// signs and numbers; a text that is shorter than --shingle-words has exact duplicates alone. Near-duplicates, and those of them in turn,
/// are a cluster, and one document of each stays. DIR then holds `survivors/`, the records as they stood in their files, `clusters.parquet`
/// (`id`, `root`, `size`, `kept`), and a ledger. A removal that was stopped goes on where it was; `curate why DIR ID` says which document
/// one duplicates.
#[derive(Debug, Args)]
pub struct DedupArgs {
    #[command(flatten)]
    documents: DocumentsArgs,
    /// Remove what stands in these files, too; of them nothing is removed.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
    /// Remove what earlier removals or runs have kept, too: their folders, made with the same parameters of MinHash.
    #[arg(long, value_name = "DIR", num_args = 1..)]
    index: Vec<PathBuf>,
    /// The parameters of MinHash [default: fineweb].
    #[arg(long, value_name = "NAME", help_heading = "Near-duplicates")]
    preset: Option<PresetArg>,
    /// Compare texts by shingles of N words.
    #[arg(long, value_name = "N", help_heading = "Near-duplicates", conflicts_with = "shingle_characters")]
    shingle_words: Option<usize>,
    /// Compare texts by shingles of N characters.
    #[arg(long, value_name = "N", help_heading = "Near-duplicates")]
    shingle_characters: Option<usize>,
    /// Bands of a signature.
    #[arg(long, value_name = "N", help_heading = "Near-duplicates")]
    bands: Option<usize>,
    /// Hashes in a band.
    #[arg(long, value_name = "N", help_heading = "Near-duplicates")]
    rows: Option<usize>,
    /// Choose bands and rows so that they tell this similarity best.
    #[arg(long, value_name = "SIMILARITY", help_heading = "Near-duplicates")]
    threshold: Option<f64>,
    /// Hashes to do so with [default: 128].
    #[arg(long, value_name = "N", help_heading = "Near-duplicates")]
    hashes: Option<usize>,
    /// Read the texts that share a band once more, and join those whose Jaccard similarity is this or more [default: a band is enough;
    /// 0.8 for the preset gpt3].
    #[arg(long, value_name = "SIMILARITY", help_heading = "Near-duplicates")]
    verify: Option<f64>,
    /// Texts of one band that a text is compared with, at most: those that come next in size.
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Near-duplicates")]
    max_bucket: usize,
    /// Which document of a cluster stays.
    #[arg(long, value_enum, default_value = "smallest-id")]
    keep: KeepArg,
}

/// [`BandsPreset`] as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PresetArg {
    /// 14 bands of 8 on shingles of 5 words.
    Fineweb,
    /// 10 bands of 1 on single words, verified.
    Gpt3,
    /// 20 bands of 13 on shingles of 24 characters.
    Nemo,
    /// 26 bands of 11 on shingles of 5 words.
    Dolma3,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum KeepArg {
    /// The one with the smallest of our ids: as good as chance, and always the same.
    SmallestId,
    /// The one whose text has the most bytes.
    Longest,
    /// The one with the first `date`.
    Earliest,
    /// The one with the last `date`.
    Latest,
}

/// The names of the two sources.
const FILES: &str = "files";
const AGAINST: &str = "against";

impl DedupArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let plan = self.plan()?;
        let losses = self.documents.losses();
        let (options, runtime) = self.documents.start()?;
        let survivors = runtime.block_on(run::dedup(plan, FILES, &options, printer))?;
        printer.result(summary(&survivors, &options.out)?);
        judge(printer, losses, &survivors.outcome.ledger, &options.out)
    }

    /// What the command asks for, as a plan like a recipe's.
    fn plan(&self) -> anyhow::Result<Plan> {
        let choice = BandsChoice {
            preset: self.preset.map(|preset| match preset {
                PresetArg::Fineweb => BandsPreset::Fineweb,
                PresetArg::Gpt3 => BandsPreset::Gpt3,
                PresetArg::Nemo => BandsPreset::Nemo,
                PresetArg::Dolma3 => BandsPreset::Dolma3,
            }),
            shingle: self.shingle_words.map(Shingle::Words).or(self.shingle_characters.map(Shingle::Characters)),
            bands: self.bands,
            rows: self.rows,
            threshold: self.threshold,
            hashes: self.hashes,
        };
        let bands = choice.config().map_err(anyhow::Error::msg)?;
        let similarity = self.verify.or(choice.verified_at());
        if similarity.is_some() && !self.index.is_empty() {
            bail!("an index holds no texts, so what is found by it cannot be verified: leave out --index or --verify");
        }
        let indexes = self.index.iter().map(|folder| DuplicateIndex::open(folder, bands)).collect::<Result<_, _>>()?;
        let verification = similarity.map(|similarity| Verification::new(bands.shingle, similarity, self.max_bucket));
        let verification = verification.transpose().map_err(anyhow::Error::msg)?;
        let keep = match self.keep {
            KeepArg::SmallestId => KeepPolicy::SmallestId,
            KeepArg::Longest => KeepPolicy::Longest,
            KeepArg::Earliest => KeepPolicy::Earliest,
            KeepArg::Latest => KeepPolicy::Latest,
        };
        let mut families = vec![Family::new(FamilyConfig::Bands(bands))];
        if keep == KeepPolicy::Longest {
            families.push(Family::new(FamilyConfig::Words));
        }
        let mut sources = vec![self.documents.source(FILES, &self.documents.files)?];
        let step = |name: &str, rule| StepPlan {
            name: name.into(),
            sources: vec![FILES.into()],
            kind: Arc::new(Dedup { by: DedupKey::Cluster, rule }),
        };
        let mut steps = vec![step("fuzzy_dedup", DuplicateRule { keep, ..DuplicateRule::default() })];
        if !self.against.is_empty() {
            sources.insert(0, self.documents.source(AGAINST, &self.against)?);
            let rule = DuplicateRule { against: vec![AGAINST.into()], ..DuplicateRule::default() };
            steps.insert(0, step("against", rule));
        }
        let recipe = serde_json::json!({ "bands": bands, "verification": verification, "steps": steps });
        Ok(Plan {
            path: PathBuf::new(),
            name: "dedup".into(),
            seed: 0,
            sources,
            keep_documents: false,
            families,
            verification,
            indexes,
            classifiers: vec![],
            steps,
            splits: SplitRule::default(),
            mixtures: vec![],
            task_files: std::collections::BTreeMap::new(),
            licences: std::collections::BTreeMap::new(),
            recipe,
        })
    }
}

/// What was done, in a few lines.
fn summary(survivors: &Survivors, out: &Path) -> Result<String, std::fmt::Error> {
    let Survivors { outcome, account } = survivors;
    let mut text = String::new();
    for entry in outcome.ledger.stages.iter().filter(|entry| entry.source == FILES) {
        writeln!(text, "{:18} {:>9} in {:>9} kept  {}", entry.stage, entry.r#in, entry.kept, entry.reasons())?;
    }
    writeln!(text, "{} documents in {} clusters", account.members, account.clusters)?;
    if account.pairs_compared > 0 {
        let (compared, alike) = (account.pairs_compared, account.pairs_alike);
        writeln!(text, "{compared} pairs of texts compared, {alike} near-duplicates")?;
    }
    if account.pairs_left > 0 {
        let (buckets, left) = (account.buckets_over_limit, account.pairs_left);
        writeln!(text, "{left} pairs not compared, in {buckets} bands of more documents than --max-bucket")?;
    }
    write!(text, "{}", out.join("survivors").display())?;
    Ok(text)
}
