//! `curate classifier`.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use rayon::prelude::*;
use schemas::{
    byte_order_mark,
    json_lines::{Field, fields},
    share::Share,
};

use super::{
    files::ended,
    inputs::{check, is_standard_input, rewindable},
    lost::{ErrorArgs, Errors, Losses, LostArgs},
    printer::Printer,
    threads,
};
use crate::{
    error::Error,
    learn::{
        Classifier, Document, Evaluation, FastTextConfig, FeaturesPreset, Kind, Label, Labelled, MIN_KNOWN, Score,
        Scratch, Training, evaluate, shown, train,
    },
    source::{Others, each_text, format_of, unpacked},
};

/// Train a classifier that tells good text from other text, test it on labels, and score documents with it.
#[derive(Debug, Args)]
pub struct ClassifierArgs {
    #[command(subcommand)]
    command: ClassifierCommand,
}

#[derive(Debug, Subcommand)]
enum ClassifierCommand {
    Train(TrainArgs),
    Test(TestArgs),
    Score(ScoreArgs),
}

/// Train a classifier: documents of two sides in, a model and its card out.
///
/// A tenth of the documents is held out to test the model, and a tenth to choose the strength of L2 regularization and to calibrate the scores. Several kinds
/// are trained each in a folder of its name below DIR, and their ensemble in DIR/ensemble.
#[derive(Debug, Args)]
struct TrainArgs {
    /// Documents of the reference: JSON lines, Parquet, or text (`.txt`, a document a file); packed or not.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    positive: Vec<PathBuf>,
    /// Documents that are to be told from it.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    negative: Vec<PathBuf>,
    /// The kind of model, or several.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "hashed")]
    kind: Vec<KindArg>,
    /// The output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// For hashed words: which features.
    #[arg(long, value_enum, default_value = "glam")]
    features: FeaturesArg,
    /// For hashed words and statistics: strength of L2 regularization [default for hashed words: the one that does best on held-out chunks].
    #[arg(long, value_name = "STRENGTH")]
    l2: Option<f64>,
    /// For fastText: buckets for word n-grams; each takes 400 bytes of the model.
    #[arg(long, value_name = "N", default_value_t = FastTextConfig::default().bucket)]
    bucket: u32,
    /// Words in a chunk of a document [default: 25; for statistics whole lines of 60 or more].
    #[arg(long, value_name = "N")]
    chunk_words: Option<usize>,
    /// Most chunks of one document.
    #[arg(long, value_name = "N", default_value_t = 100)]
    max_chunks: usize,
    /// Files that people have labelled, to try the model on: JSON lines with `text` and `label`, which is 1 or 0.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    labels: Vec<PathBuf>,
    /// The share of a document's words and n-grams that the model has to know to score it, from 0 to 1; for statistics the share of its letters
    /// that are in scripts of the training texts.
    #[arg(long, value_name = "SHARE", default_value_t = Share::of(MIN_KNOWN))]
    min_known: Share,
    /// What decides which documents are held out.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The key or column that holds the text.
    #[arg(long, value_name = "KEY", default_value = "text")]
    text: String,
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    errors: ErrorArgs,
    #[command(flatten)]
    lost: LostArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum KindArg {
    /// Logistic regression on hashed words.
    Hashed,
    /// fastText, with DCLM's settings.
    Fasttext,
    /// Logistic regression on shares of lines, punctuation and repetition.
    Statistics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FeaturesArg {
    /// Counts of words, as Spark makes them: GPT-3's.
    Gpt3,
    /// Words and bigrams, divided by their norm: as in `GLaM`.
    Glam,
}

/// Test a classifier on labels: prints how well its scores tell good documents from others, as JSON.
#[derive(Debug, Args)]
struct TestArgs {
    /// The model's folder, as `train` or a run made it.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// JSON lines with `text` and `label`, which is 1 for what is good and 0 for what is not.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
}

/// Score documents: JSON lines in, the same with a `score` and the share that is `known` out.
///
/// The share is of the document's words and n-grams that the model knows; for statistics, which know no words, of its letters that are in
/// scripts of the training texts, and 0 without a word. A document of which it knows too little has the score null, for the model would
/// give it what it gives to nothing.
#[derive(Debug, Args)]
struct ScoreArgs {
    /// The model's folder, as `train` or a run made it.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// JSON lines, packed or not; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key that holds the text.
    #[arg(long, value_name = "KEY", default_value = "text")]
    text: String,
    /// The key that the score is written to.
    #[arg(long, value_name = "KEY", default_value = "score")]
    score: String,
    /// The key that the known share is written to.
    #[arg(long, value_name = "KEY", default_value = "known")]
    known: String,
    /// The share that has to be known, from 0 to 1 [default: what the model was trained with].
    #[arg(long, value_name = "SHARE")]
    min_known: Option<Share>,
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    lost: LostArgs,
}

impl ClassifierArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        match self.command {
            ClassifierCommand::Train(args) => args.run(printer),
            ClassifierCommand::Test(args) => args.run(printer),
            ClassifierCommand::Score(args) => args.run(printer),
        }
    }
}

impl KindArg {
    fn name(self) -> &'static str {
        match self {
            Self::Hashed => "hashed",
            Self::Fasttext => "fasttext",
            Self::Statistics => "statistics",
        }
    }
}

impl TrainArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let (_, _runtime) = threads::start(self.threads)?;
        if self.l2.is_some_and(|l2| !(l2 >= 0.0 && l2.is_finite())) {
            bail!("--l2 is 0 or more");
        }
        check(&self.positive)?;
        check(&self.negative)?;
        let (mut losses, mut errors) = (self.lost.begin(), self.errors.begin());
        let mut documents = self.read(printer, &self.positive, Label::Positive, &mut losses, &mut errors)?;
        documents.extend(self.read(printer, &self.negative, Label::Negative, &mut losses, &mut errors)?);
        documents.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        documents.dedup_by(|one, other| one.id == other.id && one.label == other.label);
        let mut kinds = self.kind.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let single = kinds.len() == 1;
        for kind in &kinds {
            let folder = if single { self.out.clone() } else { self.out.join(kind.name()) };
            self.train(printer, self.model(*kind), kind.name(), &documents, &folder)?;
        }
        if !single {
            let of = kinds.iter().map(|kind| kind.name().to_owned()).collect();
            self.train(printer, Kind::Ensemble { of }, "ensemble", &documents, &self.out.join("ensemble"))?;
        }
        ended(documents.len(), losses)?;
        Ok(errors.judge()?)
    }

    /// The documents of one side. A file that cannot be read, or not to its end, is named.
    fn read(
        &self,
        printer: &Printer,
        files: &[PathBuf],
        label: Label,
        losses: &mut Losses,
        errors: &mut Errors,
    ) -> anyhow::Result<Vec<Document>> {
        let folder = tempfile::tempdir().context("a temporary folder cannot be made")?;
        let mut documents = Vec::new();
        for path in files {
            let before = documents.len();
            let kept = rewindable(path, folder.path())?;
            let source = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let take = |id, text| documents.push(Document { id, source: source.clone(), language: None, label, text });
            losses.file(printer, path, &kept);
            let Others { records, broken, lost } = match each_text(&format_of(path, &self.text), &kept, &source, take) {
                Ok(others) => others,
                Err(error) => {
                    losses.refuse(printer, &kept, &error);
                    continue;
                }
            };
            errors.count((documents.len() - before) as u64 + records, broken);
            lost.iter().for_each(|(bytes, why)| losses.lose(printer, path, *bytes, why));
            if records > 0 {
                printer.note(format_args!("{}: {records} records are no documents", path.display()));
            }
        }
        if documents.is_empty() && !losses.is_none() {
            bail!("no document was read of this side");
        }
        Ok(documents)
    }

    fn model(&self, kind: KindArg) -> Kind {
        match kind {
            KindArg::Hashed => {
                let preset = match self.features {
                    FeaturesArg::Gpt3 => FeaturesPreset::Gpt3,
                    FeaturesArg::Glam => FeaturesPreset::Glam,
                };
                Kind::Hashed { features: preset.features(), l2: self.l2, max_iterations: 100 }
            }
            KindArg::Fasttext => {
                Kind::Fasttext { config: FastTextConfig { bucket: self.bucket.max(1), ..FastTextConfig::default() } }
            }
            KindArg::Statistics => Kind::Statistics { l2: self.l2 },
        }
    }

    fn train(
        &self,
        printer: &Printer,
        kind: Kind,
        name: &str,
        documents: &[Document],
        folder: &Path,
    ) -> anyhow::Result<()> {
        let training = Training {
            name: name.to_owned(),
            chunk_words: self.chunk_words.unwrap_or(kind.chunk_words()).max(1),
            kind,
            max_chunks: self.max_chunks.max(1),
            seed: self.seed,
            labels: self.labels.clone(),
            min_known: self.min_known.get(),
        };
        let (_, card) = train(&training, documents, folder)?;
        for warning in &card.warnings {
            printer.note(format_args!("{name}: {warning}"));
        }
        let held_out = &card.held_out;
        let (f1, area) = (shown(held_out.f1, 4), held_out.area(4));
        let mut text = format!("{name:12} held out: F1 {f1}, area under ROC {area}");
        for Labelled { file, evaluation, .. } in &card.labelled {
            let _ = write!(text, "\n{:12} {file}: area under ROC {}", "", evaluation.area(4));
            if let Some([below, above]) = evaluation.above_length_interval {
                let _ = write!(text, ", above its length {below:+.4} to {above:+.4}");
            }
        }
        printer.result(text);
        Ok(())
    }
}

impl TestArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let classifier = Classifier::load(&self.model)?;
        let labelled = evaluate(&classifier, &self.labels)?;
        let Evaluation { positives, negatives, unscored, .. } = labelled.evaluation;
        if positives + negatives == 0 {
            let labels = self.labels.display();
            bail!("{labels}: none of the {unscored} documents has a score, for the model knows too little of them");
        }
        printer.result(serde_json::to_string_pretty(&labelled.evaluation)?);
        Ok(())
    }
}

/// Lines that are scored together.
const TOGETHER: usize = 4096;

impl ScoreArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let (_, _runtime) = threads::start(self.threads)?;
        let mut classifier = Classifier::load(&self.model)?;
        if let Some(min_known) = self.min_known {
            classifier.set_min_known(min_known.get());
        }
        check(std::slice::from_ref(&self.file))?;
        let read = |source| Error::File { action: "read", path: self.file.clone(), source };
        let is_input = is_standard_input(&self.file);
        let mut input: Box<dyn BufRead> = if is_input {
            Box::new(io::stdin().lock())
        } else {
            Box::new(unpacked(File::open(&self.file).map_err(read)?).map_err(read)?)
        };
        let mut losses = self.lost.begin();
        // what comes from a pipe has no size beforehand
        if !is_input && self.file.is_file() {
            losses.file(printer, &self.file, &self.file);
        }
        let mut output = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let (mut number, mut documents, mut unscored) = (0, 0, 0);
        byte_order_mark::pass_over(&mut input).map_err(read)?;
        loop {
            let mut lines = Vec::with_capacity(TOGETHER);
            let mut line = Vec::new();
            while lines.len() < TOGETHER {
                match input.read_until(b'\n', &mut line) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        let size = fs::metadata(&self.file).map_or(0, |metadata| metadata.len());
                        let bytes = compression::Error::of(&error).map(|fault| fault.lost(size));
                        let Some(bytes) = bytes.filter(|bytes| *bytes > 0) else { return Err(read(error).into()) };
                        if losses.is_none() {
                            losses.lose(printer, &self.file, bytes, &error.to_string());
                        }
                        break;
                    }
                }
                number += 1;
                if !line.trim_ascii().is_empty() {
                    lines.push((number, std::mem::take(&mut line)));
                }
                line.clear();
            }
            if lines.is_empty() {
                break;
            }
            let scored: Vec<anyhow::Result<(String, bool)>> = lines
                .par_iter()
                .map_init(Scratch::default, |scratch, (number, line)| {
                    let line = std::str::from_utf8(line.trim_ascii()).map_err(anyhow::Error::from);
                    let scored = line.and_then(|line| self.scored(line, &classifier, scratch));
                    scored.map_err(|error| anyhow!("{}, line {number}: {error}", self.file.display()))
                })
                .collect();
            for line in scored {
                let (line, has_score) = line?;
                writeln!(output, "{line}").context("standard output cannot be written")?;
                documents += 1;
                unscored += u64::from(!has_score);
            }
        }
        output.flush().context("standard output cannot be written")?;
        printer.note(format_args!("{documents} documents"));
        if unscored > 0 {
            printer.note(format_args!("{unscored} of them have no score: the model knows too little of them"));
        }
        ended(documents, losses)
    }

    /// A line with its score and what is known of it, all else as it stood; and whether it has a score.
    fn scored(&self, line: &str, classifier: &Classifier, scratch: &mut Scratch) -> anyhow::Result<(String, bool)> {
        let [text, score, known] = fields(line.as_bytes(), [&self.text, &self.score, &self.known])?;
        for (before, key, option) in [(score, &self.score, "--score"), (known, &self.known, "--known")] {
            if before != Field::Missing {
                bail!("there is a `{key}` already: choose another key by {option}");
            }
        }
        let Score { score, known } = classifier.score(&text.into_text(&self.text)?, scratch);
        let open = line.strip_suffix('}').context("an object ends with a bracket")?.trim_end();
        let (score_key, known_key) = (serde_json::to_string(&self.score)?, serde_json::to_string(&self.known)?);
        let shown = score.map_or_else(|| "null".to_owned(), |score| score.to_string());
        Ok((format!("{open},{score_key}:{shown},{known_key}:{known}}}"), score.is_some()))
    }
}
