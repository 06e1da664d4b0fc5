//! The first stage: every source is read once, and what is measured then is written beside its documents.

use std::{path::Path, time::Instant};

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _},
        datatypes::{Int64Type, UInt64Type},
    },
    common::{Column, internal_datafusion_err},
    functions_aggregate::expr_fn::{count, sum},
    logical_expr::Expr,
    prelude::{DataFrame, SessionContext, col, lit},
};
use futures::{StreamExt as _, TryStreamExt as _};
use schemas::{columns, manifest::FileEntry};

use super::context::{Files, Run};
use crate::{
    error::{Error, Result},
    files::{
        Inputs, Publication, Quarantined, hash_file,
        units::{Fingerprint, Mark, Stamp},
        write_quarantine,
    },
    measure::Family,
    source::{ROWS_VERSION, Reading, Source, read_table, records},
};

/// Records after which `max_error_rate` is judged before a source's end.
const JUDGED_AFTER: u64 = 1000;

/// A file to read.
struct Unit<'a> {
    source: &'a Source,
    part: u32,
    path: &'a Path,
}

impl Run<'_> {
    /// Reads all sources, several files at a time, and judges their faults in the order of the files.
    pub async fn read_sources(&self) -> Result<()> {
        let start = Instant::now();
        let units: u64 = self.plan.sources.iter().map(|source| source.files.len() as u64).sum();
        self.progress.begin("read", units);
        for source in &self.plan.sources {
            let mut counts = Counts::default();
            let of = bytes_of(source)?;
            let files = (0u32..).zip(&source.files).map(|(part, path)| self.read_file(Unit { source, part, path }));
            let mut of_files = futures::stream::iter(files).buffered(self.threads);
            while let Some(of_file) = of_files.try_next().await? {
                counts.add(of_file);
                self.progress.advance();
                self.judge_lost(source, counts, of).await?;
                if counts.read >= JUDGED_AFTER {
                    self.judge(source, counts).await?;
                }
            }
            if counts.read == 0 {
                return Err(empty(source));
            }
            self.judge(source, counts).await?;
            self.list_faults(source).await?;
        }
        let made = self.made().inputs.values().map(|(stamp, _)| stamp.bytes).sum::<u64>();
        self.progress.end("read", start.elapsed().as_secs_f64(), &format!("{units} files, {} MB", made / 1_000_000));
        Ok(())
    }

    /// Files that are read at once, at most.
    pub fn files_at_once(&self) -> usize {
        let most = self.plan.sources.iter().map(|source| source.files.len()).max();
        self.threads.min(most.unwrap_or(1))
    }

    /// Reads a file, or those of its facts that are missing.
    async fn read_file(&self, unit: Unit<'_>) -> Result<Counts> {
        let Unit { source, part, path } = unit;
        let name = format!("{}/part-{part:05}", source.name);
        let reading = reading(source, part, path);
        let fingerprint = self.fingerprint(ROWS_VERSION, &reading.versions(), &reading);
        let documents = match self.find("documents", &name, &fingerprint) {
            Some(mark) => mark,
            None => self.read_anew(&name, &reading, fingerprint).await?,
        };
        self.measure(&name, source, part, &self.texts_hash(&documents), &self.plan.families).await?;
        self.count(source, part, &documents).await
    }

    /// One reading: documents, what is known of records, and all families at once.
    async fn read_anew(&self, name: &str, reading: &Reading, fingerprint: Fingerprint) -> Result<Mark> {
        let start = Instant::now();
        let failed = |error| Error::from_plan("read", error);
        let context = self.session.reading(self.files_at_once());
        let families = &self.plan.families;
        let table = context.read_table(read_table(reading.clone())).map_err(failed)?;
        let table = with_facts(table, families).map_err(failed)?;
        let (source, part) = (reading.source.as_str(), reading.part);
        let documents = self.layout.documents(source, part);
        let documents = Publication::new(documents, &columns::documents()).where_present("text");
        let records = Publication::new(self.layout.facts("records", source, part), &records());
        let mut publications: Vec<Publication> =
            self.plan.keep_documents.then_some(documents).into_iter().chain([records]).collect();
        let own = publications.len();
        publications.extend(self.facts_files(source, part, families));
        let hashing = tokio::task::spawn_blocking({
            let path = reading.path.clone();
            move || Stamp::of(&path)
        });
        let mut files = self.publish("read", &context, table, publications).await?;
        let stamp = hashing.await.expect("hashing a file does not panic")?;
        let facts = files.split_off(own);
        let seconds = start.elapsed().as_secs_f64();
        let mark = Mark { fingerprint, input: Some(stamp), outputs: self.entries(&files), seconds };
        self.mark("documents", name, &mark)?;
        for (family, file) in families.iter().zip(facts) {
            let fingerprint = self.facts_fingerprint(family, &self.texts_hash(&mark));
            self.mark_facts(name, family, fingerprint, &vec![file], 0.0)?;
        }
        Ok(mark)
    }

    /// What the texts of a file are known by: the hash of its documents, and where these are not kept, all that they follow from.
    fn texts_hash(&self, documents: &Mark) -> String {
        let kept = documents.outputs.first().filter(|_| self.plan.keep_documents);
        let read = documents.input.as_ref().map_or("", |stamp| &stamp.sha256);
        kept.map_or_else(|| format!("{} {read}", documents.fingerprint.as_str()), |file| file.sha256.clone())
    }

    /// What the facts of a family about the texts of one file follow from. Those of a classifier follow from the code of its kind, too.
    fn facts_fingerprint(&self, family: &Family, texts: &str) -> Fingerprint {
        let classifiers = &self.plan.classifiers;
        let scored = classifiers.iter().find(|classifier| score_name(&classifier.name) == family.name);
        let parts = scored.map_or_else(Vec::new, |classifier| classifier.versions(classifiers));
        self.fingerprint(family.version(), &parts, &(family, texts))
    }

    /// Makes the families that are missing for one file, whose texts are known by a hash, from its documents; from the file itself where
    /// they are not kept.
    pub async fn measure(
        &self,
        name: &str,
        source: &Source,
        part: u32,
        texts: &str,
        families: &[Family],
    ) -> Result<()> {
        let fresh = |family: &&Family| {
            let stage = format!("facts-{}", family.name);
            let known = self.made().outputs.contains_key(&self.layout.relative(&self.layout.facts(
                &family.name,
                &source.name,
                part,
            )));
            known || self.find(&stage, name, &self.facts_fingerprint(family, texts)).is_some()
        };
        let missing: Vec<Family> = families.iter().filter(|family| !fresh(family)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let start = Instant::now();
        let failed = |error| Error::from_plan("measure", error);
        let context = self.session.reading(self.files_at_once());
        let inputs = Inputs::of("measure");
        let table = if self.plan.keep_documents {
            self.tables(&context, &inputs).documents(&source.name, part).await.map_err(failed)?
        } else {
            let path = &source.files[part as usize];
            context.read_table(read_table(reading(source, part, path))).map_err(failed)?
        };
        self.verify(&inputs.close())?;
        let table = with_facts(table, &missing).map_err(failed)?;
        let files = self.publish("measure", &context, table, self.facts_files(&source.name, part, &missing)).await?;
        let seconds = start.elapsed().as_secs_f64();
        for (family, file) in missing.iter().zip(files) {
            let fingerprint = self.facts_fingerprint(family, texts);
            self.mark_facts(name, family, fingerprint, &vec![file], seconds / missing.len() as f64)?;
        }
        Ok(())
    }

    /// The texts of all documents of some sources, in their stored order: `id` and `text`.
    pub async fn texts(&self, context: &SessionContext, sources: &[String], inputs: &Inputs) -> Result<DataFrame> {
        let failed = |error| Error::from_plan("read", error);
        if self.plan.keep_documents {
            return self.tables(context, inputs).texts(sources).await.map_err(failed);
        }
        let mut all: Option<DataFrame> = None;
        for source in self.plan.sources.iter().filter(|source| sources.contains(&source.name)) {
            for (part, path) in (0u32..).zip(&source.files) {
                inputs.open(path)?;
                let texts = context
                    .read_table(read_table(reading(source, part, path)))
                    .and_then(|table| table.filter(col("text").is_not_null()))
                    .and_then(|table| table.select_columns(&["id", "text"]))
                    .map_err(failed)?;
                all = Some(match all {
                    Some(all) => all.union(texts).map_err(failed)?,
                    None => texts,
                });
            }
        }
        all.ok_or_else(|| failed(internal_datafusion_err!("there is no source")))
    }

    fn facts_files(&self, source: &str, part: u32, families: &[Family]) -> Vec<Publication> {
        let file = |family: &Family| {
            let path = self.layout.facts(&family.name, source, part);
            let columns = vec![("id".to_owned(), false), (family.column(), true)];
            Publication { columns, ..Publication::new(path, &family.schema()) }.where_present("text")
        };
        families.iter().map(file).collect()
    }

    fn mark_facts(
        &self,
        name: &str,
        family: &Family,
        fingerprint: Fingerprint,
        files: &Files,
        seconds: f64,
    ) -> Result<()> {
        let mark = Mark { fingerprint, input: None, outputs: self.entries(files), seconds };
        self.mark(&format!("facts-{}", family.name), name, &mark)
    }

    /// How many records a file has, how many of them are broken, and how much of the file is lost.
    async fn count(&self, source: &Source, part: u32, documents: &Mark) -> Result<Counts> {
        let failed = |error| Error::from_plan("read", error);
        let context = self.session.streaming();
        let inputs = Inputs::of("read");
        let path = self.layout.facts("records", &source.name, part);
        let table = self.tables(&context, &inputs).parquet(vec![path], &records()).await.map_err(failed)?;
        self.verify(&inputs.close())?;
        let counts = table.aggregate(
            vec![],
            vec![
                count(lit(1)).alias("rows"),
                count(col("fault")).alias("faults"),
                count(col("lost")).alias("stretches"),
                sum(col("lost")).alias("lost"),
            ],
        );
        let batches = self.collect("read", &context, counts.map_err(failed)?).await?;
        let number = |column: usize| {
            let batch = batches.first().expect("an aggregate has one row");
            u64::try_from(batch.column(column).as_primitive::<Int64Type>().value(0)).expect("a count is not negative")
        };
        // a stretch that is lost stands in a row, and is no record
        let (rows, faults, stretches) = (number(0), number(1), number(2));
        let lost = batches.first().expect("an aggregate has one row").column(3).as_primitive::<UInt64Type>();
        let lost = if lost.is_valid(0) { lost.value(0) } else { 0 };
        let (read, broken) = (rows - stretches, faults - stretches);
        if let Some(stamp) = &documents.input {
            self.made().inputs.insert(stamp.path.clone(), (stamp.clone(), Some(read)));
        }
        Ok(Counts { read, broken, stretches, lost })
    }

    /// Whether no more bytes of a source, of all that its files have, are lost than may be.
    async fn judge_lost(&self, source: &Source, counts: Counts, of: u64) -> Result<()> {
        let Counts { stretches, lost, .. } = counts;
        let some_may_be = source.max_lost_rate > 0.0 && lost as f64 <= source.max_lost_rate * of as f64;
        // where no file has a byte, it is better said that nothing was read
        if stretches == 0 || some_may_be || of == 0 {
            return Ok(());
        }
        let list = self.list_faults(source).await?;
        let first = list.into_iter().find(|found| found.lost.is_some());
        let Quarantined { file, offset, fault, detail, .. } = first.expect("what is lost is listed");
        Err(Error::TooMuchLost {
            name: source.name.clone(),
            lost,
            of,
            limit: source.max_lost_rate,
            first: format!("{file}: {fault} at byte {offset}: {}", detail.unwrap_or_default()),
            quarantine: self.layout.quarantine(&source.name),
        })
    }

    async fn judge(&self, source: &Source, counts: Counts) -> Result<()> {
        let Counts { read, broken, .. } = counts;
        if broken as f64 <= source.max_error_rate * read as f64 {
            return Ok(());
        }
        self.list_faults(source).await?;
        Err(Error::TooManyFaults {
            name: source.name.clone(),
            quarantine: self.layout.quarantine(&source.name),
            broken,
            read,
            limit: source.max_error_rate,
        })
    }

    /// Writes the list of a source's broken records and lost stretches, as far as they have been read, and gives it back.
    async fn list_faults(&self, source: &Source) -> Result<Vec<Quarantined>> {
        let failed = |error| Error::from_plan("read", error);
        let context = self.session.streaming();
        let inputs = Inputs::of("read");
        let mut list = Vec::new();
        for (part, file) in (0u32..).zip(&source.files) {
            let path = self.layout.facts("records", &source.name, part);
            if !self.made().outputs.contains_key(&self.layout.relative(&path)) {
                continue;
            }
            let table = self.tables(&context, &inputs).parquet(vec![path], &records()).await.map_err(failed)?;
            let broken = table
                .filter(col("fault").is_not_null())
                .and_then(|table| table.select_columns(&["offset", "record", "fault", "detail", "lost"]))
                .and_then(|table| table.sort(vec![col("offset").sort(true, false)]))
                .map_err(failed)?;
            for batch in self.collect("read", &context, broken).await? {
                let offsets = batch.column(0).as_primitive::<UInt64Type>();
                let lost = batch.column(4).as_primitive::<UInt64Type>();
                let text = |column: usize, row: usize| {
                    let texts = batch.column(column).as_string_view();
                    texts.is_valid(row).then(|| texts.value(row).to_owned())
                };
                for row in 0..batch.num_rows() {
                    list.push(Quarantined {
                        file: file.display().to_string(),
                        offset: offsets.value(row),
                        record: text(1, row),
                        fault: text(2, row).unwrap_or_default(),
                        detail: text(3, row),
                        lost: lost.is_valid(row).then(|| lost.value(row)),
                    });
                }
            }
        }
        if list.is_empty() {
            return Ok(list);
        }
        let path = self.layout.quarantine(&source.name);
        write_quarantine(&list, &path)?;
        let written = hash_file(&path)?;
        let entry = FileEntry {
            path: self.layout.relative(&path),
            rows: Some(list.len() as u64),
            bytes: written.bytes,
            sha256: written.sha256,
        };
        self.made().outputs.insert(entry.path.clone(), entry);
        Ok(list)
    }
}

/// What files hold.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    /// Records, and how many of them are broken.
    read: u64,
    broken: u64,
    /// Stretches that are lost, and their bytes.
    stretches: u64,
    lost: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.read += other.read;
        self.broken += other.broken;
        self.stretches += other.stretches;
        self.lost += other.lost;
    }
}

/// Bytes of a source's files.
fn bytes_of(source: &Source) -> Result<u64> {
    let size = |path: &std::path::PathBuf| Ok(std::fs::metadata(path).map_err(Error::file("read", path))?.len());
    source.files.iter().map(size).sum()
}

fn reading(source: &Source, part: u32, path: &Path) -> Reading {
    Reading {
        source: source.name.clone(),
        part,
        path: path.to_owned(),
        format: source.format.clone(),
        clean: source.clean.clone(),
    }
}

fn empty(source: &Source) -> Error {
    let files: Vec<String> = source.files.iter().map(|file| file.display().to_string()).collect();
    Error::EmptySource { name: source.name.clone(), files: files.join(", ") }
}

/// The name of the family of a classifier's scores.
pub(super) fn score_name(classifier: &str) -> String {
    format!("score-{classifier}")
}

/// A table with one more column for each family.
pub(super) fn with_facts(table: DataFrame, families: &[Family]) -> datafusion::error::Result<DataFrame> {
    let columns = table.schema().columns();
    let columns = columns.iter().map(|column| Expr::Column(Column::from_name(column.name())));
    let facts = families.iter().map(Family::expression);
    table.select(columns.chain(facts).collect::<Vec<_>>())
}
