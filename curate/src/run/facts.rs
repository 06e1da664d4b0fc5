//! The facts about the texts of one file: the columns that measure them, their files, and the marks of these.

use std::time::Instant;

use datafusion::{
    common::Column,
    logical_expr::Expr,
    prelude::{DataFrame, SessionContext},
};

use super::{context::Run, made::Files, source_file::SourceFile, tables::score_name};
use crate::{
    error::{InStage as _, Result},
    files::{
        Inputs, Layout, Publication,
        units::{Fingerprint, Mark},
    },
    measure::Family,
    source::read_table,
};

/// A table with one more column for each family.
pub fn with_facts(table: DataFrame, families: &[Family]) -> datafusion::error::Result<DataFrame> {
    let columns = table.schema().columns();
    let columns = columns.iter().map(|column| Expr::Column(Column::from_name(column.name())));
    let facts = families.iter().map(Family::expression);
    table.select(columns.chain(facts).collect::<Vec<_>>())
}

/// The files that the facts of some families about a file go to, one for each family.
pub fn facts_files(layout: &Layout, file: SourceFile<'_>, families: &[Family]) -> Vec<Publication> {
    let publication = |family: &Family| {
        let path = layout.facts(&family.name, &file.source.name, file.part);
        let columns = vec![("id".to_owned(), false), (family.column(), true)];
        Publication { columns, ..Publication::new(path, &family.schema()) }.where_present("text")
    };
    families.iter().map(publication).collect()
}

/// A session for plans that read sources: as many files at once as the largest source has, at most.
pub fn reading_session(run: &Run<'_>) -> SessionContext {
    let most = run.plan.sources.iter().map(|source| source.files.len()).max();
    run.session.reading(run.threads.min(most.unwrap_or(1)))
}

/// The facts about the texts of one file, each family a unit of its own.
///
/// - reads: its documents; the file itself where they are not kept
/// - writes: `facts/FAMILY/SOURCE/part-00000.parquet`
pub struct FileFacts<'r> {
    pub run: &'r Run<'r>,
    pub file: SourceFile<'r>,
    /// A hash by which the texts are known.
    pub texts: String,
}

impl FileFacts<'_> {
    /// Makes the families that are missing, in one reading.
    pub async fn make(&self, families: &[Family]) -> Result<()> {
        let Self { run, file, .. } = self;
        let missing: Vec<Family> = families.iter().filter(|family| !self.is_made(family)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let start = Instant::now();
        let context = reading_session(run);
        let inputs = Inputs::of("measure");
        let table = if run.plan.keep_documents {
            run.tables(&context, &inputs).documents(&file.source.name, file.part).await
        } else {
            context.read_table(read_table(file.reading()))
        };
        let table = table.in_stage("measure")?;
        run.units.verify(&inputs.close())?;
        let table = with_facts(table, &missing).in_stage("measure")?;
        let files = run.publish("measure", &context, table, facts_files(&run.layout, *file, &missing)).await?;
        self.mark(&missing, files, start.elapsed().as_secs_f64() / missing.len() as f64)
    }

    /// Marks families as done, each of which has one of the files and took so many seconds.
    pub fn mark(&self, families: &[Family], files: Files, seconds: f64) -> Result<()> {
        for (family, file) in families.iter().zip(files) {
            let fingerprint = self.fingerprint(family);
            let outputs = self.run.made().entries(&vec![file]);
            let mark = Mark { fingerprint, input: None, outputs, seconds };
            self.run.units.mark(&stage_of(family), &self.file.unit(), &mark)?;
        }
        Ok(())
    }

    fn is_made(&self, family: &Family) -> bool {
        let Self { run, file, .. } = self;
        let path = run.layout.facts(&family.name, &file.source.name, file.part);
        let is_found = || run.units.find(&stage_of(family), &file.unit(), &self.fingerprint(family)).is_some();
        run.made().holds(&path) || is_found()
    }

    /// What the facts of a family follow from. Those of a classifier follow from the code of its kind, too.
    fn fingerprint(&self, family: &Family) -> Fingerprint {
        let classifiers = &self.run.plan.classifiers;
        let scored = classifiers.iter().find(|classifier| score_name(&classifier.name) == family.name);
        let parts = scored.map_or_else(Vec::new, |classifier| classifier.versions(classifiers));
        self.run.units.fingerprint(family.version(), &parts, &(family, &self.texts))
    }
}

fn stage_of(family: &Family) -> String {
    format!("facts-{}", family.name)
}
