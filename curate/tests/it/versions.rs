//! Results know their code: what each piece of code gives on a fixed corpus stands in a table beside its version, and may change with that alone.
//!
//! `tests/corpus/outputs.txt` has one line for each version: `name number hash`. When an output changes, raise the number beside the code, then
//!
//! ```text
//! TAMIS_VERSIONS=accept cargo test -p curate --test it versions::
//! ```
//!
//! takes the new lines. It takes none whose number was not raised; who removes the table has all of it made anew.
//!
//! What decides and writes is given facts and documents that are made here by hash, so that a change further up is not taken for one there.

#![expect(clippy::cast_possible_truncation, reason = "what is drawn is taken modulo small numbers")]
#![expect(clippy::from_iter_instead_of_collect, reason = "columns of many types stand below each other")]

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use curate::{
    decide::{
        self, AfterCutsRule, BenchmarkAccount, C4Quality, ClusterConfig, ClusterExec, DecontaminationRule, DedupKey,
        DuplicateFacts, DuplicateRule, FinewebQuality, FittedAlpha, GopherQuality, GopherRepetition, KeepPolicy,
        LanguageRule, LengthRule, LinkedRule, MixtureAccount, MixtureRule, NemoQuality, ParetoRule, Rule, Sampled,
        ShareUnit, SizeFacts, SplitRule, SplitShards, SubstringsConfig, SubstringsExec, Tables, ThresholdRule, TopRule,
        Totals, Unit, Unknown, UrlRule, Weights,
    },
    engine::{Engine, Limits, Session},
    extract::{Extractor, PageLimits},
    files::{Inputs, Layout, Publication, PublishExec},
    learn::{
        Classifier, Document, FastTextConfig, FeaturesPreset, Kind, Label, MIN_KNOWN, Score, Scratch, Training, train,
    },
    measure::{BandsConfig, Family, FamilyConfig, ModelFile, OverlapsConfig, PostFiles, UrlFiles},
    source::{
        Benchmark, Cleaning, Columns, CsvOptions, ExampleFile, ExampleKind, Format, Kept, Reading, TextOptions,
        UnicodeForm, WarcOptions, copy_records, read_table, records, rows_schema,
    },
    text::{
        c4::LineRules, overlap::NgramLengths, refinedweb::RefinedwebLines, sameness::Sameness, shingles::Shingle,
        substrings::SubstringUnit,
    },
    write::{
        self, CardFacts, Content, ExamplesContent, Negatives, Pairing, PairsContent, PairsFrom, Pool, Rendering, Route,
        Rows, SplitSize,
    },
};
use datafusion::{
    arrow::{
        array::{
            ArrayRef, BooleanArray, Float64Array, Int64Array, ListBuilder, RecordBatch, StringViewArray, StructBuilder,
            UInt32Array, UInt32Builder, UInt64Array, UInt64Builder,
        },
        datatypes::{DataType, Field, Schema},
        ipc::writer::FileWriter,
        util::pretty::pretty_format_batches,
    },
    physical_plan::ExecutionPlan,
    prelude::{DataFrame, SessionContext, col},
};
use schemas::{
    columns,
    examples::ExampleRules,
    ledger::MixtureEntry,
    share::Share,
    task::{Folders, Task},
    toml_file::TomlFile,
};

use crate::support::{root, temporary};

/// Hashes of outputs, by the name of the code that gives them.
type Outputs = BTreeMap<&'static str, String>;

/// A line of the table.
type Line = (u32, String);

#[tokio::test(flavor = "multi_thread")]
async fn an_output_changes_with_its_version_alone() {
    let folder = temporary();
    let found = outputs(folder.path()).await;
    let versions = versions();
    let named: Vec<&str> = found.keys().copied().collect();
    let known: Vec<&str> = versions.keys().map(String::as_str).collect();
    assert_eq!(named, known, "each version in the sources has an output here, and each output has a version there");

    let path = corpus("outputs.txt");
    let table = fs::read_to_string(&path).unwrap_or_default();
    let table: BTreeMap<&str, Line> = table.lines().map(line).collect();
    let (mut faults, mut lines) = (Vec::new(), String::new());
    for (name, hash) in &found {
        let (number, file) = &versions[*name];
        writeln!(lines, "{name} {number} {hash}").expect("a string takes all");
        let file = file.display();
        match table.get(name) {
            None => faults.push(format!("`{name}` is new")),
            Some((before, was)) if before == number && was == hash => {}
            Some((before, _)) if before == number => faults
                .push(format!("the output of `{name}` changed: raise its version {number} in {file}, then accept")),
            Some((before, _)) if before > number => {
                faults.push(format!("the version of `{name}` in {file} went back from {before} to {number}"));
            }
            Some((before, _)) => faults.push(format!("the version of `{name}` was raised from {before}: accept")),
        }
    }
    faults.extend(table.keys().filter(|name| !found.contains_key(*name)).map(|name| format!("`{name}` is gone")));
    let refused = faults.iter().any(|fault| fault.starts_with("the output") || fault.contains("went back"));
    if env::var_os("TAMIS_VERSIONS").is_some_and(|word| word == "accept") && !refused {
        fs::write(&path, lines).expect("the table can be written");
        return;
    }
    assert!(faults.is_empty(), "{}\n\naccept: TAMIS_VERSIONS=accept, in {}", faults.join("\n"), path.display());
}

fn line(line: &str) -> (&str, Line) {
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (name, number, hash) = (word(), word(), word());
    (name, (number.parse().unwrap_or_default(), hash.to_owned()))
}

/// The versions that stand in the sources: numbers and files, by name.
fn versions() -> BTreeMap<String, (u32, PathBuf)> {
    let pattern = regex::Regex::new(r#"Version::new\(\s*"([a-z0-9_/]+)",\s*(\d+)\s*\)"#).expect("it is a pattern");
    let mut versions = BTreeMap::new();
    let mut waiting = vec![root().join("curate/src")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the sources can be listed");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        for found in pattern.captures_iter(&text).filter(|found| !found[1].starts_with("test/")) {
            let number = found[2].parse().expect("it is a number");
            let file = path.strip_prefix(root()).expect("the sources lie in the repository").to_owned();
            let twice = versions.insert(found[1].to_owned(), (number, file));
            assert!(twice.is_none(), "two pieces of code have the version `{}`", &found[1]);
        }
    }
    versions
}

fn corpus(name: &str) -> PathBuf {
    root().join("curate/tests/corpus").join(name)
}

async fn outputs(folder: &Path) -> Outputs {
    let limits = Limits { threads: 2, memory: 256 << 20, spill: folder.join("spill") };
    let session = Engine::Local.session(limits).expect("the folder can be written");
    let mut outputs = Outputs::new();
    readings(&session, folder, &mut outputs).await;
    families(&session, folder, &mut outputs).await;
    classifiers(folder, &mut outputs);
    let made = Run::make(folder);
    decisions(&session, &made, &mut outputs).await;
    writing(&session, &made, &mut outputs).await;
    outputs
}

fn hash(bytes: &[u8]) -> String {
    system::sha256(bytes)[..16].to_owned()
}

fn rows_of(batches: &[RecordBatch]) -> String {
    pretty_format_batches(batches).expect("rows can be shown").to_string()
}

async fn rows(table: DataFrame) -> String {
    rows_of(&table.collect().await.expect("the plan runs"))
}

async fn rows_hash(table: DataFrame) -> String {
    hash(rows(table).await.as_bytes())
}

/// Readers, extractors, cleanings, and how files are written.
async fn readings(session: &Session, folder: &Path, outputs: &mut Outputs) {
    let table = folder.join("table.parquet");
    write_file(&table, &texts_batch());
    let arrow = folder.join("table.arrow");
    write_arrow(&arrow, &texts_batch());
    let rules = ExampleRules { fields: vec!["question".into(), "answer".into()], ..ExampleRules::default() };
    let begins = Some("^CHAPTER".to_owned());
    for (name, file, format) in [
        ("source/warc", corpus("records.warc"), Format::Warc(WarcOptions::default())),
        ("source/json_lines", corpus("texts.jsonl"), Format::JsonLines(Columns::default())),
        ("source/parquet", table, Format::Parquet(Columns::default())),
        ("source/arrow", arrow, Format::Arrow(Columns::default())),
        ("source/csv", corpus("table.csv"), Format::Csv(CsvOptions { columns: Columns::default(), delimiter: b',' })),
        ("source/plain_text", corpus("plain.txt"), Format::Text(TextOptions { begins })),
        ("source/examples", corpus("examples.jsonl"), Format::Examples(Box::new(rules))),
    ] {
        outputs.insert(name, rows_hash(read(session, &file, format, vec![])).await);
    }
    // what all of them share: ids and columns
    let jsonl = || Format::JsonLines(Columns::default());
    let ids = read(session, &corpus("texts.jsonl"), jsonl(), vec![]).select_columns(&["id", "part", "offset", "bytes"]);
    let schema = format!("{:?}", rows_schema().fields());
    let ids = rows(ids.expect("the columns are there")).await;
    outputs.insert("source/rows", hash(format!("{schema}\n{ids}").as_bytes()));

    let page = fs::read_to_string(corpus("page.html")).expect("the corpus is there");
    for (name, extractor) in [
        ("extract/tamis", Extractor::Tamis),
        ("extract/trafilatura", Extractor::Trafilatura),
        ("extract/boilerplate", Extractor::Boilerplate),
    ] {
        let extracted = extractor.extract(&page, &PageLimits::default());
        outputs.insert(name, hash(format!("{extracted:?}").as_bytes()));
    }
    for (name, cleanings) in [
        (
            "clean/normal_form",
            vec![UnicodeForm::Nfc, UnicodeForm::Nfkc].into_iter().map(Cleaning::NormalForm).collect(),
        ),
        ("clean/white_space", vec![Cleaning::WhiteSpace]),
        ("clean/c4_lines", vec![Cleaning::C4Lines(LineRules::default())]),
        ("clean/refinedweb_lines", vec![Cleaning::RefinedwebLines(RefinedwebLines::default())]),
        ("clean/plain_wikitext", vec![Cleaning::PlainWikitext]),
        ("clean/plain_markdown", vec![Cleaning::PlainMarkdown]),
        ("clean/mask_addresses", vec![Cleaning::MaskAddresses]),
    ] {
        let cleaned = read(session, &corpus("texts.jsonl"), jsonl(), cleanings);
        let cleaned = cleaned.select_columns(&["record", "text", "taken", "reason"]).expect("the columns are there");
        outputs.insert(name, rows_hash(cleaned).await);
    }

    let target = folder.join("copy.jsonl");
    let cut = vec![4..9, 20..21];
    let kept = [Kept { offset: 0, cuts: cut }].into_iter().map(Ok);
    copy_records(&jsonl(), &corpus("texts.jsonl"), kept, &target).expect("the first line can be copied");
    outputs.insert("source/copy", hash(&fs::read(&target).expect("it was just written")));

    let path = folder.join("published.parquet");
    let context = session.streaming();
    let table = read(session, &corpus("texts.jsonl"), jsonl(), vec![]);
    let plan = table.create_physical_plan().await.expect("it can be planned");
    let publication = Publication::new(&path, &columns::documents()).where_present("text");
    let plan = Arc::new(PublishExec::new(plan, vec![publication]).expect("it has one partition"));
    session.collect("publish", &context, plan).await.expect("the file can be written");
    outputs.insert("files/publish", hash(&fs::read(&path).expect("it was just written")));
}

fn read(session: &Session, path: &Path, format: Format, clean: Vec<Cleaning>) -> DataFrame {
    let reading = Reading { source: "corpus".into(), part: 0, path: path.to_owned(), format, clean };
    session.streaming().read_table(read_table(reading)).expect("a reading is a table")
}

/// The texts of the corpus and their URLs.
fn texts() -> Vec<(String, String)> {
    let lines = fs::read_to_string(corpus("texts.jsonl")).expect("the corpus is there");
    let objects = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let text = |object: &serde_json::Value, key: &str| object[key].as_str().unwrap_or_default().to_owned();
    objects
        .filter(|object| object["url"].is_string())
        .map(|object| (text(&object, "text"), text(&object, "url")))
        .collect()
}

fn texts_batch() -> RecordBatch {
    let texts = texts();
    let column = |values: Vec<String>| Arc::new(StringViewArray::from_iter_values(values)) as ArrayRef;
    let ids = (0..texts.len()).map(|number| format!("row {number}")).collect();
    let (texts, urls) = texts.into_iter().unzip();
    RecordBatch::try_from_iter([("id", column(ids)), ("url", column(urls)), ("text", column(texts))])
        .expect("the columns are of one length")
}

fn write_file(path: &Path, batch: &RecordBatch) {
    fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the folder can be made");
    let file = fs::File::create(path).expect("the folder can be written");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("the schema is one");
    writer.write(batch).and_then(|()| writer.close().map(drop)).expect("the file can be written");
}

fn write_arrow(path: &Path, batch: &RecordBatch) {
    let file = fs::File::create(path).expect("the folder can be written");
    let mut writer = FileWriter::try_new(file, &batch.schema()).expect("the schema is one");
    writer.write(batch).and_then(|()| writer.finish()).expect("the file can be written");
}

fn model(path: PathBuf) -> ModelFile {
    let sha256 = curate::files::hash_file(&path).expect("the file is there").sha256;
    ModelFile { path, sha256 }
}

fn family(name: &str, config: FamilyConfig) -> Family {
    Family { name: name.into(), config }
}

const BANDS: BandsConfig = BandsConfig { shingle: Shingle::Words(3), bands: 6, rows: 2 };

/// Each family of facts, on the texts of the corpus.
async fn families(session: &Session, folder: &Path, outputs: &mut Outputs) {
    let statistics = folder.join("statistics");
    trained("statistics", Kind::Statistics { l2: None }, &statistics);
    let benchmark = corpus("benchmark.jsonl");
    let file = ExampleFile { sha256: model(benchmark.clone()).sha256, path: benchmark, kind: ExampleKind::JsonLine };
    let benchmark = Benchmark { name: "corpus".into(), files: vec![file], fields: None, rules: None };
    let lengths = NgramLengths { min: 3, max: 8 };
    let overlaps = OverlapsConfig::new(lengths, 10, vec![benchmark]).expect("the lengths are some");
    let list = |name: &str| vec![model(corpus(name))];
    let lists = UrlFiles {
        domains: list("domains.txt"),
        words: list("words.txt"),
        soft_words: list("words.txt"),
        parts: vec![],
    };
    let posts = PostFiles { files: list("posts.jsonl"), url: "url".into(), score: "score".into() };
    for (name, config) in [
        ("measure/words", FamilyConfig::Words),
        ("measure/c4_lines", FamilyConfig::C4Lines(LineRules::default())),
        ("measure/urls", FamilyConfig::Urls(lists)),
        ("measure/language", FamilyConfig::Language(model(root().join("fixtures/language.bin")))),
        ("measure/bands", FamilyConfig::Bands(BANDS)),
        ("measure/links", FamilyConfig::Links(posts)),
        ("measure/overlaps", FamilyConfig::Overlaps(overlaps)),
        ("measure/score", FamilyConfig::Score(model(statistics.join("model.json")))),
        ("measure/tokens", FamilyConfig::Tokens(model(corpus("tokenizer.json")))),
    ] {
        let family = family(name, config);
        assert_eq!(family.version().name(), name);
        let batch = texts_batch();
        let table = session.streaming().read_batch(batch).expect("rows are a table");
        let facts = table.select(vec![col("id"), family.expression()]).expect("it is a function of the text");
        outputs.insert(name, rows_hash(facts).await);
    }
    // one code for both ways to compare
    let alike = [Sameness::Exact, Sameness::Normalized].map(FamilyConfig::Fingerprints);
    let [exact, normalized] = alike.map(|config| family("fingerprints", config).expression());
    let columns = vec![col("id"), exact.alias("exact"), normalized.alias("normalized")];
    let facts = session.streaming().read_batch(texts_batch()).and_then(|table| table.select(columns));
    outputs.insert("measure/fingerprints", rows_hash(facts.expect("it is a function of the text")).await);
}

/// Documents of two kinds, made of the sentences of the corpus: prose, and menus with marks.
fn labelled() -> Vec<Document> {
    let texts = texts();
    let sentences: Vec<&str> =
        texts.iter().flat_map(|(text, _)| text.split(['.', '\n'])).filter(|text| text.len() > 9).collect();
    let document = |number: u64| {
        let label = if number.is_multiple_of(2) { Label::Positive } else { Label::Negative };
        let (some, joint) = if label == Label::Positive { (12, ". ") } else { (9, "\n- ") };
        let pick = |place: u64| sentences[(drawn(number, place) % sentences.len() as u64) as usize];
        let text = (0..some).map(pick).collect::<Vec<_>>().join(joint);
        let own = if label == Label::Positive { "and it was so, they said" } else { "read more" };
        let text = format!("{own}{joint}{text}");
        Document { id: id(number), source: "corpus".into(), language: None, label, text }
    };
    (0..160).map(document).collect()
}

fn trained(name: &str, kind: Kind, folder: &Path) {
    let training = Training {
        name: name.into(),
        chunk_words: kind.chunk_words(),
        kind,
        max_chunks: 8,
        seed: 7,
        labels: vec![],
        min_known: MIN_KNOWN,
    };
    train(&training, &labelled(), folder).expect("it can be trained");
}

/// Each kind of classifier, by its scores to four digits: the last ones are another processor's to say.
fn classifiers(folder: &Path, outputs: &mut Outputs) {
    let features = FeaturesPreset::Glam.features();
    let config = FastTextConfig { dim: 8, epochs: 3, bucket: 1 << 12, threads: 1, ..FastTextConfig::default() };
    let of = vec!["learn-hashed".to_owned(), "learn-fasttext".to_owned()];
    for (name, kind) in [
        ("learn/hashed", Kind::Hashed { features, l2: None, max_iterations: 20 }),
        ("learn/fasttext", Kind::Fasttext { config }),
        ("learn/statistics", Kind::Statistics { l2: None }),
        ("learn/ensemble", Kind::Ensemble { of }),
    ] {
        assert_eq!(kind.version().name(), name);
        let target = folder.join("models").join(name.replace('/', "-"));
        trained(name, kind, &target);
        let (classifier, mut scratch) = (Classifier::load(&target).expect("it was just written"), Scratch::default());
        let scores = texts()
            .iter()
            .map(|(text, _)| {
                let Score { score, known } = classifier.score(text, &mut scratch);
                format!("{score:.4?} {known:.4}\n")
            })
            .collect::<String>();
        outputs.insert(name, hash(scores.as_bytes()));
        if name == "learn/statistics" {
            let card = fs::read_to_string(target.join("card.json")).expect("it was just written");
            outputs.insert("learn/training", hash(rounded(&card).as_bytes()));
        }
    }
}

/// A text with four digits of each of its fractions.
fn rounded(text: &str) -> String {
    let fraction = regex::Regex::new(r"-?\d+\.\d+(e-?\d+)?").expect("it is a pattern");
    let short = |found: &regex::Captures<'_>| format!("{:.4}", found[0].parse::<f64>().expect("it is a number"));
    fraction.replace_all(text, short).into_owned()
}

/// A number that depends on two others alone.
fn drawn(one: u64, other: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(&one.to_le_bytes(), other)
}

fn id(number: u64) -> String {
    format!("{:016x}{:016x}", drawn(number, 1), drawn(number, 2))
}

/// A run whose facts were drawn.
struct Run {
    layout: Layout,
    parts: BTreeMap<String, u32>,
    inputs: Inputs,
}

/// Documents in each file of the run.
const DOCUMENTS: u64 = 150;

/// The files of the run: source and part.
const FILES: [(&str, u32); 3] = [("a", 0), ("a", 1), ("b", 0)];

fn sources() -> Vec<String> {
    vec!["a".into(), "b".into()]
}

fn words() -> Family {
    family("words", FamilyConfig::Words)
}

fn score() -> Family {
    family("score", FamilyConfig::Score(ModelFile { path: PathBuf::new(), sha256: String::new() }))
}

fn fact_families() -> Vec<Family> {
    let none = OverlapsConfig::new(NgramLengths { min: 3, max: 8 }, 10, vec![]).expect("the lengths are some");
    let no_lists = UrlFiles { domains: vec![], words: vec![], soft_words: vec![], parts: vec![] };
    let no_posts = PostFiles { files: vec![], url: String::new(), score: String::new() };
    let no_model = || ModelFile { path: PathBuf::new(), sha256: String::new() };
    vec![
        words(),
        score(),
        family("c4_lines", FamilyConfig::C4Lines(LineRules::default())),
        family("urls", FamilyConfig::Urls(no_lists)),
        family("language", FamilyConfig::Language(no_model())),
        family("fingerprints", FamilyConfig::Fingerprints(Sameness::Exact)),
        family("bands", FamilyConfig::Bands(BANDS)),
        family("links", FamilyConfig::Links(no_posts)),
        family("overlaps", FamilyConfig::Overlaps(none)),
        family("tokens", FamilyConfig::Tokens(no_model())),
    ]
}

impl Run {
    fn make(folder: &Path) -> Self {
        let layout = Layout::new(folder.join("run"));
        let texts = texts();
        for (place, (source, part)) in (0u64..).zip(FILES) {
            let numbers: Vec<u64> = (place * DOCUMENTS..(place + 1) * DOCUMENTS).collect();
            for family in fact_families() {
                write_file(&layout.facts(&family.name, source, part), &facts(&family.schema(), &numbers));
            }
            write_file(&layout.facts("records", source, part), &facts(&records(), &numbers));
            let documents = facts(&columns::documents(), &numbers);
            let object = |number: &u64| match source {
                "a" => texts[(*number % texts.len() as u64) as usize].0.clone(),
                _ => serde_json::json!({"question": format!("What is {number}?"), "answer": number.to_string()})
                    .to_string(),
            };
            let own = Arc::new(StringViewArray::from_iter_values(numbers.iter().map(object))) as ArrayRef;
            let last = documents.num_columns() - 1;
            let all = documents.columns()[..last].iter().cloned().chain([own]).collect();
            let documents = RecordBatch::try_new(documents.schema(), all).expect("the columns are of one length");
            write_file(&layout.documents(source, part), &documents);
        }
        let parts = BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]);
        Self { layout, parts, inputs: Inputs::of("versions") }
    }

    fn tables<'t>(&'t self, context: &'t SessionContext, after_cuts: Option<&'t str>) -> Tables<'t> {
        let Self { layout, parts, inputs } = self;
        Tables { context, layout, parts, repeats: false, after_cuts, indexes: &[], inputs }
    }

    /// Runs a plan and leaves its rows where a stage's decisions stand.
    async fn decide(&self, stage: &str, table: DataFrame) -> String {
        let batches = table.collect().await.expect("the plan runs");
        let batch = datafusion::arrow::compute::concat_batches(&batches[0].schema(), &batches).expect("one schema");
        write_file(&self.layout.decisions(stage), &batch);
        hash(rows_of(&batches).as_bytes())
    }
}

/// Columns of drawn values, in which shares, scores and key are such that every rule finds something.
fn facts(schema: &Schema, numbers: &[u64]) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| column(field, numbers)).collect();
    RecordBatch::try_new(Arc::new(schema.clone()), columns).expect("the columns are of the schema")
}

fn column(field: &Field, numbers: &[u64]) -> ArrayRef {
    let seed = xxhash_rust::xxh3::xxh3_64(field.name().as_bytes()) >> 8;
    let of = |number: u64| drawn(number, seed);
    // every ninth value is missing, where one may be
    let is_missing = |number: u64| field.is_nullable() && drawn(number, seed + 1).is_multiple_of(9);
    let present = |number: u64| (!is_missing(number)).then_some(number);
    match (field.name().as_str(), field.data_type()) {
        ("id", _) => Arc::new(StringViewArray::from_iter_values(numbers.iter().map(|number| id(*number)))),
        ("part", _) => Arc::new(UInt32Array::from_iter_values(
            numbers.iter().map(|number| u32::from(*number >= DOCUMENTS && *number < 2 * DOCUMENTS)),
        )),
        ("offset", _) => Arc::new(UInt64Array::from_iter_values(numbers.iter().map(|number| number * 1000))),
        ("reason" | "fault" | "detail" | "taken" | "links", data_type) => {
            datafusion::arrow::array::new_null_array(data_type, numbers.len())
        }
        ("language", _) => Arc::new(StringViewArray::from_iter(
            numbers.iter().map(|number| present(*number).map(|number| ["en", "de", "fr"][(of(number) % 3) as usize])),
        )),
        ("date", _) => Arc::new(StringViewArray::from_iter(
            numbers
                .iter()
                .map(|number| present(*number).map(|number| format!("20{:02}-01-01T00:00:00Z", of(number) % 20))),
        )),
        (_, DataType::Utf8View) => Arc::new(StringViewArray::from_iter(
            numbers.iter().map(|number| present(*number).map(|number| format!("https://{}.example/", of(number) % 97))),
        )),
        (_, DataType::Float64) => Arc::new(Float64Array::from_iter(
            numbers.iter().map(|number| present(*number).map(|number| (of(number) % 1_000_001) as f64 / 1e6)),
        )),
        (_, DataType::Boolean) => {
            Arc::new(BooleanArray::from_iter(numbers.iter().map(|number| Some(of(*number) % 5 == 0))))
        }
        (_, DataType::Int64) => Arc::new(Int64Array::from_iter(
            numbers.iter().map(|number| present(*number).map(|number| (of(number) % 9).cast_signed())),
        )),
        ("short_hash", _) => Arc::new(UInt64Array::from_iter_values(numbers.iter().map(|number| of(*number) % 97))),
        (name, DataType::UInt64) => {
            Arc::new(UInt64Array::from_iter_values(numbers.iter().map(|number| counted(name, *number, of(*number)))))
        }
        (name, DataType::UInt32) => Arc::new(UInt32Array::from_iter_values(numbers.iter().map(|number| match name {
            "bytes" | "characters" => u32::try_from(counted(name, *number, of(*number))).expect("it is small"),
            _ => u32::try_from(of(*number) % 4).expect("it is small"),
        }))),
        (_, DataType::List(item)) if matches!(item.data_type(), DataType::UInt64) => {
            let mut lists = ListBuilder::new(UInt64Builder::new());
            for number in numbers {
                lists.append_value((0..4).map(|place| Some(drawn(*number, seed + place) % 400)));
            }
            Arc::new(lists.finish())
        }
        (_, DataType::List(item)) if matches!(item.data_type(), DataType::UInt32) => {
            let mut lists = ListBuilder::new(UInt32Builder::new());
            numbers.iter().for_each(|_| lists.append(true));
            Arc::new(lists.finish())
        }
        (_, DataType::List(item)) => {
            let DataType::Struct(fields) = item.data_type() else { unreachable!("{field:?} is no list of structs") };
            let mut lists =
                ListBuilder::new(StructBuilder::from_fields(fields.clone(), 0)).with_field(Arc::clone(item));
            for number in numbers {
                let bytes = u32::try_from(counted("bytes", *number, 0)).expect("it is small");
                for place in 0..u32::try_from(of(*number) % 4).expect("it is small") {
                    let (ngram, start) = (drawn(*number, u64::from(place)) % 60, bytes / 5 * place);
                    let values = lists.values();
                    values.field_builder::<UInt64Builder>(0).expect("the n-gram").append_value(ngram);
                    for (column, value) in (1..).zip([0, start + 5, start + 25, start, start + 30, start, start + 30]) {
                        values.field_builder::<UInt32Builder>(column).expect("a number").append_value(value);
                    }
                    values.append(true);
                }
                lists.append(of(*number) % 4 > 0);
            }
            Arc::new(lists.finish())
        }
        (name, other) => unreachable!("no values are drawn for `{name}`, of {other}"),
    }
}

/// A count of the name, in a document of so many words that others are shares of.
fn counted(name: &str, number: u64, drawn_value: u64) -> u64 {
    let words = 20 + drawn(number, 3) % 900;
    match name {
        "words" => words,
        "tokens" => words * 8 / 7,
        "bytes" | "characters" => words * 6,
        "word_characters" => words * (2 + drawn_value % 10),
        "twice_median_word_characters" => drawn_value % 24,
        "letter_tokens" => words * (70 + drawn_value % 31) / 100,
        "stop_words" => drawn_value % 9,
        "line_feeds" | "lines" | "paragraphs" => words / 8 + 1,
        _ if name.ends_with("_characters") => words * 6 * (drawn_value % 30) / 100,
        _ => drawn_value % (words / 10 + 1),
    }
}

/// Each stage that decides, on the drawn facts.
async fn decisions(session: &Session, run: &Run, outputs: &mut Outputs) {
    let context = session.relational();
    let sources = sources();
    let tables = run.tables(&context, None);
    outputs.insert("decide/read", run.decide("read", decide::read(tables).await.expect("it can be planned")).await);
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let rules: [(&'static str, &str, Box<dyn Rule + Sync>); 11] = [
        (
            "decide/language",
            "language",
            Box::new(LanguageRule { keep: list(&["en", "de"]), min_probability: Share::of(0.3) }),
        ),
        (
            "decide/length",
            "words",
            Box::new(LengthRule { min_words: Some(200), max_characters: Some(4000), ..LengthRule::default() }),
        ),
        ("decide/gopher_quality", "words", Box::new(GopherQuality::default())),
        ("decide/gopher_repetition", "words", Box::new(GopherRepetition::default())),
        ("decide/fineweb_quality", "words", Box::new(FinewebQuality::default())),
        ("decide/c4_quality", "c4_lines", Box::new(C4Quality::default())),
        ("decide/nemo_quality", "words", Box::new(NemoQuality::default())),
        ("decide/linked", "links", Box::new(LinkedRule { min_karma: 3, exclude_domains: list(&["7.example"]) })),
        ("decide/urls", "urls", Box::new(UrlRule::default())),
        ("decide/threshold", "score", Box::new(ThresholdRule { min: 0.4, unknown: Unknown::Drop })),
        (
            "decide/pareto",
            "score",
            Box::new(ParetoRule { alpha: 9.0, seed: 3, stage: "pareto".into(), unknown: Unknown::Drop }),
        ),
    ];
    let all = fact_families();
    for (name, wanted, rule) in rules {
        assert_eq!(rule.version().name(), name);
        let family = all.iter().find(|family| family.name == wanted).expect("it was drawn");
        let table = decide::apply(tables, "read", family, &sources, rule.as_ref()).await.expect("it can be planned");
        outputs.insert(name, run.decide(&name.replace('/', "-"), table).await);
    }
    // the columns and the order that all share
    let shown = run.tables(&context, None).decisions("decide-threshold").await.expect("it was just written");
    let order = rows(shown.select_columns(&["id", "source", "verdict", "reason"]).expect("it has them")).await;
    outputs.insert("decide/verdict", hash(order.as_bytes()));

    let rule =
        TopRule { share: 0.5, by: ShareUnit::Words, each_source: true, each_language: true, unknown: Unknown::Drop };
    let language = all.iter().find(|family| family.name == "language");
    let table = decide::top(tables, "read", &score(), &words(), language, &sources, rule).await;
    outputs.insert("decide/top", run.decide("top", table.expect("it can be planned")).await);

    clusters(session, run, outputs).await;
    let mut alike = String::new();
    let fingerprints = all.iter().find(|family| family.name == "fingerprints");
    let facts = DuplicateFacts { fingerprints, words: Some(&words()), score: Some(&score()) };
    for (key, keep) in [
        (DedupKey::Text(Sameness::Exact), KeepPolicy::Longest),
        (DedupKey::Url, KeepPolicy::Earliest),
        (DedupKey::Cluster, KeepPolicy::Score("score".into())),
    ] {
        let rule = DuplicateRule { keep, prefer: list(&["b"]), against: vec![] };
        let table = decide::duplicates(tables, "read", key, &rule, facts, &sources).await;
        alike += &run.decide(&format!("{key:?}"), table.expect("it can be planned")).await;
    }
    outputs.insert("decide/duplicates", hash(alike.as_bytes()));

    let overlaps = all.iter().find(|family| family.name == "overlaps").expect("it was drawn");
    let rule = DecontaminationRule { min_piece: 20, max_cuts: 2, max_documents: 6 };
    let common = decide::common_ngrams(tables, "read", overlaps, &sources, rule).await.expect("it can be planned");
    let common = rows(common).await;
    let ngrams: Vec<u64> = (0..60).filter(|ngram| common.contains(&format!(" {ngram} "))).collect();
    // in the words that the table was first made with
    let account =
        format!("{:?} Leaks {{ common: {ngrams:?}, min_piece: {} }}", BenchmarkAccount::default(), rule.min_piece);
    let table = decide::decontaminate(tables, "read", overlaps, &sources, ngrams, rule).await;
    let cut = run.decide("decontaminate", table.expect("it can be planned")).await;
    outputs.insert("decide/decontaminate", hash(format!("{common}{account}{cut}").as_bytes()));

    let rule = AfterCutsRule { min_bytes: 400 };
    let stages = list(&["decontaminate"]);
    let table = decide::after_cuts(tables, "decontaminate", &stages, &words(), rule).await;
    outputs.insert("decide/after_cuts", run.decide("after_cuts", table.expect("it can be planned")).await);

    let scores = |source: &str| -> Vec<(f64, u64)> {
        let mut scores: Vec<(f64, u64)> =
            (0..99).map(|place| ((drawn(place, source.len() as u64) % 1000) as f64 / 1e3, 1)).collect();
        scores.sort_by(|one, other| one.0.total_cmp(&other.0));
        scores
    };
    let fitted = FittedAlpha::fit(&scores("documents"), &scores("reference")).expect("neither is empty");
    let counts = decide::score_counts(tables, "read", &score(), &sources, None).await.expect("it can be planned");
    let alpha = format!("{:.4} {}", fitted.alpha, rows(counts).await);
    outputs.insert("decide/alpha", hash(alpha.as_bytes()));

    let streaming = session.streaming();
    let wanted = Sampled { language: None, languages: language, linked: None, count: 40 };
    let table = decide::sample(run.tables(&streaming, None), &sources, wanted, 5).await.expect("it can be planned");
    outputs.insert("decide/sample", rows_hash(table).await);
    mixture(run, &context, outputs).await;
}

async fn clusters(session: &Session, run: &Run, outputs: &mut Outputs) {
    let context = session.streaming();
    let all = fact_families();
    let bands = all.iter().find(|family| family.name == "bands").expect("it was drawn");
    let tables = run.tables(&context, None);
    let hashes = tables.hashes(bands, &sources()).await.expect("it can be planned");
    let hashes = hashes.create_physical_plan().await.expect("it can be planned");
    let account = run.layout.cluster_account();
    let config = ClusterConfig { verification: None, budget: 1 << 20, account: account.clone() };
    let plan: Arc<dyn ExecutionPlan> = Arc::new(ClusterExec::new(hashes, None, config));
    let batches = session.collect("clusters", &context, plan).await.expect("the plan runs");
    let account = fs::read_to_string(account).expect("it was just written");
    outputs.insert("decide/clusters", hash(format!("{account}{}", rows_of(&batches)).as_bytes()));
    let batch = datafusion::arrow::compute::concat_batches(&batches[0].schema(), &batches).expect("one schema");
    write_file(&run.layout.clusters(), &batch);

    let texts = || async {
        let texts = tables.texts(&sources()).await.expect("they were drawn");
        (texts.clone().select_columns(&["id"]).expect("it has ids"), texts)
    };
    let (ids, texts) = texts().await;
    let wanted = ids.clone().create_physical_plan().await.expect("it can be planned");
    let (ids, texts) = (ids.create_physical_plan().await, texts.create_physical_plan().await);
    let config =
        SubstringsConfig { unit: SubstringUnit::Lines, sameness: Sameness::Exact, keep_first: true, budget: 1 << 20 };
    let substrings = SubstringsExec::new(wanted, ids.expect("planned"), texts.expect("planned"), config);
    let batches = session.collect("substrings", &context, Arc::new(substrings)).await.expect("the plan runs");
    outputs.insert("decide/substrings", hash(rows_of(&batches).as_bytes()));
}

fn mixture_rule() -> MixtureRule {
    let weights = Weights::Shares([("a".to_owned(), 2.0), ("b".to_owned(), 1.0)].into());
    let splits = SplitRule { seed: 3, validation: 0.1, test: 0.05, declared: BTreeMap::new() };
    let max_epochs = [("a".to_owned(), 2.0), ("b".to_owned(), 4.0)].into();
    MixtureRule {
        name: "mixed".into(),
        weights,
        unit: Unit::Words,
        budget: Some(150_000),
        max_epochs,
        max_examples: decide::MaxExamples::default(),
        splits,
        requirement: None,
    }
}

async fn mixture(run: &Run, context: &SessionContext, outputs: &mut Outputs) {
    let (rule, words) = (mixture_rule(), words());
    let facts = SizeFacts { words: &words, tokens: None, clustered: true };
    let tables = run.tables(context, None);
    let totals = decide::totals(tables, "read", facts, &rule).await.expect("it can be planned");
    let totals = Totals::collect(&totals.collect().await.expect("the plan runs")).expect("they are totals");
    let of = |source: &str| totals[&("train".to_owned(), source.to_owned())].size;
    let sizes = sources().into_iter().map(|source| (source.clone(), of(&source))).collect();
    let budget = decide::Budget::divide(&rule.weights, rule.budget, &sizes, &rule.max_epochs);
    let table = decide::mixture(tables, "read", facts, &rule, &budget).await.expect("it can be planned");
    let decided = run.decide("mixture-mixed", table).await;
    let account = MixtureAccount::new(&rule, &budget, &sizes);
    curate::files::write_json(&run.layout.mixture_account("mixed"), &account).expect("the folder can be written");
    outputs.insert("decide/mixture", hash(format!("{decided}{account:?}{totals:?}").as_bytes()));
}

/// Each step of writing, on drawn documents and the decisions above.
async fn writing(session: &Session, run: &Run, outputs: &mut Outputs) {
    let shards = [("train", 0, 2), ("validation", 2, 1), ("test", 3, 1)].map(|(split, first, count)| SplitShards {
        split: split.into(),
        first,
        count,
    });
    let context = session.streaming();
    let tables = run.tables(&context, None);
    let path = corpus("task.toml");
    let task = TomlFile::read(&path).expect("the corpus is there");
    let task = Task::parse(&task, Folders::Unread).expect("it is a task");
    let stage = "mixture-mixed";
    let (mut places, mut routed_hash, mut sharded) = (String::new(), String::new(), String::new());
    let examples = Content::Examples(ExamplesContent {
        tasks: [("b".to_owned(), task.clone())].into(),
        sample_template: false,
        demonstrations: None,
        negatives: Negatives::default(),
    });
    let pool = Pool { stage, source: "a", seed: 3, size: 100, clustered: true, cut: true };
    let pooled = write::pool(tables, pool).await.expect("it can be planned").collect().await.expect("the plan runs");
    outputs.insert("write/pool", hash(rows_of(&pooled).as_bytes()));
    let pool = run.layout.work().join("pool.parquet");
    write_file(&pool, &datafusion::arrow::compute::concat_batches(&pooled[0].schema(), &pooled).expect("one schema"));
    let negatives = Negatives { hard: 1, drawn: 1 };
    let pairs = |from| PairsContent { from, words: 12, negatives };
    let paired = [PairsFrom::Title, PairsFrom::InverseCloze { kept: 0.5 }]
        .map(|from| ("pairs", Content::Pairs(pairs(from)), "a"));
    for (name, content, source) in [("text", Content::Text, "a"), ("examples", examples, "b")].into_iter().chain(paired)
    {
        let placed = write::places(tables, "mixed", stage, &content, 3, &shards).await.expect("it can be planned");
        let batches = placed.collect().await.expect("the plan runs");
        // pairs are placed and sorted as documents are
        let counts = !matches!(content, Content::Pairs(_));
        if counts {
            places += &rows_of(&batches);
        }
        let batch = datafusion::arrow::compute::concat_batches(&batches[0].schema(), &batches).expect("one schema");
        let path = run.layout.work().join(format!("{name}-places.parquet"));
        write_file(&path, &batch);
        let (seed, mixture) = (3, "mixed".to_owned());
        let rows = match &content {
            Content::Text => Rows::Documents,
            Content::Examples(_) => Rows::Examples(Box::new(Rendering {
                task: task.clone(),
                seed,
                mixture,
                demonstrations: None,
                negatives: Negatives::default(),
                pool: None,
            })),
            Content::Pairs(pairs) => {
                Rows::Pairs(Pairing { pairs: pairs.clone(), seed, mixture, pool: Some(pool.clone()) })
            }
        };
        let route = Route { places: path, content: &content, rows, clustered: true, source, part: 0 };
        let batches = write::route(tables, route).await.expect("it can be planned").collect().await;
        let batches = batches.expect("the plan runs");
        routed_hash += &rows_of(&batches);
        let batch = datafusion::arrow::compute::concat_batches(&batches[0].schema(), &batches).expect("one schema");
        let routed = run.layout.work().join(format!("{name}-routed.parquet"));
        write_file(&routed, &batch);
        let plan = write::shard(tables, &[routed], &content, 0..2).await.expect("it can be planned");
        let rows = rows_of(&session.collect("shard", &context, plan).await.expect("the plan runs"));
        if counts {
            sharded += &rows;
        }
    }
    outputs.insert("write/places", hash(places.as_bytes()));
    outputs.insert("write/route", hash(routed_hash.as_bytes()));
    outputs.insert("write/shard", hash(sharded.as_bytes()));
    let account: MixtureAccount =
        curate::files::read_json(&run.layout.mixture_account("mixed")).expect("it was written");
    let entry = |split: &str, source: &str| MixtureEntry {
        mixture: "mixed".into(),
        split: split.into(),
        source: source.into(),
        documents: 10,
        copies: 12,
        templates: 1,
        rows: 12,
    };
    let size = SplitSize { packed: 1000, unpacked: 4000 };
    let card = write::dataset_card(&CardFacts {
        name: "mixed",
        content: &Content::Text,
        shards: &shards,
        entries: &[entry("train", "a"), entry("train", "b"), entry("validation", "a")],
        account: &account,
        licences: &[("a".to_owned(), "cc0-1.0".to_owned())].into(),
        sizes: &shards.iter().map(|shards| (shards.split.clone(), size)).collect(),
    });
    outputs.insert("write/card", hash(card.as_bytes()));
}
