//! What the report shows, gathered from what a run left on disk.

use std::{collections::BTreeMap, fs};

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _, RecordBatch},
        datatypes::{Float64Type, UInt32Type, UInt64Type},
    },
    functions_aggregate::expr_fn::sum,
    prelude::{DataFrame, col, lit},
};
use schemas::{ledger::Ledger, manifest::Manifest};

use crate::{
    decide::{ClusterAccount, Contamination, FittedAlpha},
    engine::browsing,
    error::{Error, Result},
    files::{Layout, Quarantined, ledger, read_json, units::Mark},
    learn::Card,
};

/// Broken records that the report lists, at most.
const LISTED_FAULTS: usize = 20;

/// Clusters that the report lists, at most.
const LARGEST_CLUSTERS: usize = 10;

/// Bars of a histogram of scores.
pub const SCORE_BINS: usize = 40;

/// Everything that the report shows.
#[derive(Debug)]
pub struct Findings {
    pub manifest: Manifest,
    pub ledger: Ledger,
    pub cards: Vec<Card>,
    pub scores: Vec<Scores>,
    pub clusters: Option<Clusters>,
    pub contaminations: Vec<Contamination>,
    pub mixtures: Vec<Mixture>,
    pub faults: Vec<(String, Quarantined)>,
    /// Seconds of work by stage, in the order of the names.
    pub seconds: BTreeMap<String, f64>,
}

/// The scores of the documents that a stage drew from.
#[derive(Debug)]
pub struct Scores {
    pub stage: String,
    pub alpha: Option<f64>,
    /// How the shape was chosen, where it was.
    pub fitted: Option<FittedAlpha>,
    /// Documents kept and dropped, by score.
    pub kept: [u64; SCORE_BINS],
    pub dropped: [u64; SCORE_BINS],
}

/// Documents that are like others.
#[derive(Debug)]
pub struct Clusters {
    pub account: ClusterAccount,
    /// The largest clusters: an id, which `curate why` takes, and how many documents are alike.
    pub largest: Vec<(String, u32)>,
}

/// What each source gives to the training split of a mixture.
#[derive(Debug)]
pub struct Mixture {
    pub name: String,
    /// Source, the share that was asked for, bytes.
    pub shares: Vec<(String, f64, u64)>,
}

impl Findings {
    pub async fn gather(layout: &Layout) -> Result<Self> {
        let manifest: Manifest = read_json(&layout.manifest())?;
        let ledger = ledger::read(&layout.ledger())?;
        let mut scores = Vec::new();
        let mut stages: Vec<&str> = ledger.stages.iter().map(|entry| entry.stage.as_str()).collect();
        stages.dedup();
        for stage in &stages {
            scores.extend(score_histogram(layout, stage, &manifest).await?);
        }
        let mut contaminations = Vec::new();
        for stage in &stages {
            let [account, _] = layout.contamination(stage);
            if account.is_file() {
                contaminations.push(read_json(&account)?);
            }
        }
        let mut mixtures = Vec::new();
        for (name, recipe) in named(&manifest.recipe, "mixture") {
            mixtures.push(mixture(layout, name, recipe).await?);
        }
        let mut cards = Vec::new();
        for (name, _) in named(&manifest.recipe, "classifier") {
            cards.push(read_json(&layout.model(name).join("card.json"))?);
        }
        let clusters = clusters(layout).await?;
        let (faults, seconds) = (faults(layout)?, seconds(layout));
        Ok(Self { manifest, ledger, cards, scores, clusters, contaminations, mixtures, faults, seconds })
    }
}

/// The tables of a kind in the recipe, such as its mixtures, by name.
fn named<'a>(recipe: &'a serde_json::Value, kind: &str) -> impl Iterator<Item = (&'a str, &'a serde_json::Value)> {
    recipe[kind].as_object().into_iter().flatten().map(|(name, table)| (name.as_str(), table))
}

async fn collect(table: datafusion::error::Result<DataFrame>) -> Result<Vec<RecordBatch>> {
    let failed = |error| Error::from_plan("report", error);
    table.map_err(failed)?.collect().await.map_err(failed)
}

/// The scores that a stage wrote down, if it did.
async fn score_histogram(layout: &Layout, stage: &str, manifest: &Manifest) -> Result<Option<Scores>> {
    let table = browsing(&layout.decisions(stage)).await?;
    if table.schema().field_with_unqualified_name("score").is_err() {
        return Ok(None);
    }
    let steps = manifest.recipe["step"].as_array().into_iter().flatten();
    let own_step = |step: &&serde_json::Value| step["name"].as_str().unwrap_or("pareto") == stage;
    let mut steps = steps.filter(|step| step["pareto"].is_object()).filter(own_step);
    let mut alpha = steps.next().and_then(|step| step["pareto"]["alpha"].as_f64());
    let path = layout.fitted_alpha(stage);
    let fitted: Option<FittedAlpha> = if path.is_file() { Some(read_json(&path)?) } else { None };
    alpha = fitted.map(|fitted| fitted.alpha).or(alpha);
    let mut scores = Scores { stage: stage.to_owned(), alpha, fitted, kept: [0; SCORE_BINS], dropped: [0; SCORE_BINS] };
    for batch in collect(table.select_columns(&["score", "verdict"])).await? {
        let (values, verdicts) = (batch.column(0).as_primitive::<Float64Type>(), batch.column(1).as_string_view());
        for row in (0..batch.num_rows()).filter(|row| values.is_valid(*row)) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a score is between 0 and 1")]
            let bin = ((values.value(row) * SCORE_BINS as f64) as usize).min(SCORE_BINS - 1);
            let counts = if verdicts.value(row) == "keep" { &mut scores.kept } else { &mut scores.dropped };
            counts[bin] += 1;
        }
    }
    Ok(Some(scores))
}

async fn mixture(layout: &Layout, name: &str, recipe: &serde_json::Value) -> Result<Mixture> {
    let table = browsing(&layout.decisions(&format!("mixture-{name}"))).await?;
    let sizes = table
        .filter(col("verdict").eq(lit("keep")).and(col("split").eq(lit("train"))))
        .and_then(|table| table.aggregate(vec![col("source")], vec![sum(col("bytes") * col("copies")).alias("bytes")]))
        .and_then(|table| table.sort(vec![col("source").sort(true, false)]));
    let weights = recipe["weights"].as_object();
    let whole: f64 = weights.map_or(1.0, |weights| weights.values().filter_map(serde_json::Value::as_f64).sum());
    let asked = |source: &str| {
        let weight = weights.map(|weights| weights.get(source).and_then(serde_json::Value::as_f64).unwrap_or_default());
        weight.unwrap_or(1.0) / whole
    };
    let mut shares = Vec::new();
    for batch in collect(sizes).await? {
        let (sources, bytes) = (batch.column(0).as_string_view(), batch.column(1).as_primitive::<UInt64Type>());
        for (source, bytes) in sources.iter().flatten().zip(bytes.values()) {
            shares.push((source.to_owned(), asked(source), *bytes));
        }
    }
    Ok(Mixture { name: name.to_owned(), shares })
}

/// The clusters, if the run looked for them.
async fn clusters(layout: &Layout) -> Result<Option<Clusters>> {
    if !layout.cluster_account().is_file() {
        return Ok(None);
    }
    let account = read_json(&layout.cluster_account())?;
    let largest = browsing(&layout.clusters())
        .await?
        .filter(col("member").eq(col("cluster")))
        .and_then(|table| table.sort(vec![col("members").sort(false, false), col("cluster").sort(true, false)]))
        .and_then(|table| table.limit(0, Some(LARGEST_CLUSTERS)))
        .and_then(|table| table.select_columns(&["cluster", "members"]));
    let mut clusters = Vec::new();
    for batch in collect(largest).await? {
        let (ids, sizes) = (batch.column(0).as_string_view(), batch.column(1).as_primitive::<UInt32Type>());
        clusters.extend(ids.iter().flatten().map(str::to_owned).zip(sizes.values().iter().copied()));
    }
    Ok(Some(Clusters { account, largest: clusters }))
}

/// The first broken records of all sources.
fn faults(layout: &Layout) -> Result<Vec<(String, Quarantined)>> {
    let folder = layout.out().join("quarantine");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.filter_map(std::result::Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    let mut faults = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")) {
        let source = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
        for line in text.lines().take(LISTED_FAULTS) {
            let fault = serde_json::from_str(line)
                .map_err(|error| Error::Damaged { path: path.clone(), message: error.to_string() })?;
            faults.push((source.clone(), fault));
        }
    }
    Ok(faults)
}

/// Seconds of work, from the marks of finished units. What cannot be read is left out: nothing depends on it.
fn seconds(layout: &Layout) -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    let Ok(stages) = fs::read_dir(layout.work().join("marks")) else { return seconds };
    for stage in stages.filter_map(std::result::Result::ok) {
        let mut sum = 0.0;
        let mut folders = vec![stage.path()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().filter_map(std::result::Result::ok) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(mark) = read_json::<Mark>(&path) {
                    sum += mark.seconds;
                }
            }
        }
        seconds.insert(stage.file_name().to_string_lossy().into_owned(), sum);
    }
    seconds
}
