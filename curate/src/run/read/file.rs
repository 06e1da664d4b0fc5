//! One reading of a file: documents, what is known of records, and all families at once.

use std::time::Instant;

use schemas::columns;

use super::counts::Counts;
use crate::{
    error::{InStage as _, Result},
    files::{
        Publication,
        units::{Fingerprint, Mark, Stamp},
    },
    run::{
        context::Run,
        facts::{FileFacts, facts_files, reading_session, with_facts},
        source_file::SourceFile,
    },
    source::{ROWS_VERSION, Reading, read_table, records},
};

/// A file to read.
#[derive(Clone, Copy)]
pub struct ReadFile<'r> {
    pub run: &'r Run<'r>,
    pub file: SourceFile<'r>,
}

impl<'r> ReadFile<'r> {
    /// Reads the file, or makes those of its facts that are missing.
    pub async fn read(self) -> Result<Counts> {
        let Self { run, file } = self;
        let reading = file.reading();
        let fingerprint = run.units.fingerprint(ROWS_VERSION, &reading.versions(), &reading);
        let documents = match run.units.find("documents", &file.unit(), &fingerprint) {
            Some(mark) => mark,
            None => self.read_anew(&reading, fingerprint).await?,
        };
        self.facts(&documents).make(&run.plan.families).await?;
        Counts::of(run, file, &documents).await
    }

    async fn read_anew(self, reading: &Reading, fingerprint: Fingerprint) -> Result<Mark> {
        let Self { run, file } = self;
        let start = Instant::now();
        let context = reading_session(run);
        let families = &run.plan.families;
        let table = context
            .read_table(read_table(reading.clone()))
            .and_then(|table| with_facts(table, families))
            .in_stage("read")?;
        let (source, part) = (file.source.name.as_str(), file.part);
        let documents = run.layout.documents(source, part);
        let documents = Publication::new(documents, &columns::documents()).where_present("text");
        let records = Publication::new(run.layout.facts("records", source, part), &records());
        let mut publications: Vec<Publication> =
            run.plan.keep_documents.then_some(documents).into_iter().chain([records]).collect();
        let own = publications.len();
        publications.extend(facts_files(&run.layout, file, families));
        let hashing = tokio::task::spawn_blocking({
            let path = reading.path.clone();
            move || Stamp::of(&path)
        });
        let mut files = run.publish("read", &context, table, publications).await?;
        let stamp = hashing.await.expect("hashing a file does not panic")?;
        let facts = files.split_off(own);
        let seconds = start.elapsed().as_secs_f64();
        let mark = Mark { fingerprint, input: Some(stamp), outputs: run.made().entries(&files), seconds };
        run.units.mark("documents", &file.unit(), &mark)?;
        self.facts(&mark).mark(families, facts, 0.0)?;
        Ok(mark)
    }

    /// The facts about its texts. They are known by the hash of the documents, and where these are not kept, by all that they follow from.
    fn facts(self, documents: &Mark) -> FileFacts<'r> {
        let Self { run, file } = self;
        let kept = documents.outputs.first().filter(|_| run.plan.keep_documents);
        let read = documents.input.as_ref().map_or("", |stamp| &stamp.sha256);
        let texts =
            kept.map_or_else(|| format!("{} {read}", documents.fingerprint.as_str()), |file| file.sha256.clone());
        FileFacts { run, file, texts }
    }
}
