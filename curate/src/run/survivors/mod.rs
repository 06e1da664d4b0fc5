//! Documents that stay, copied from their files as they stand there, but for what was cut out of them, and clusters by the ids that documents came with.

mod copy;
mod names;
mod tables;

use datafusion::prelude::{DataFrame, SessionContext};
use futures::{StreamExt as _, TryStreamExt as _};

use self::{
    copy::FileCopy,
    names::names,
    tables::{kept_places, named_clusters, named_schema, places_schema},
};
use super::{clusters::clustered_by, context::Run, source_file::SourceFile, units::Origin};
use crate::{
    error::{Error, InStage as _, Result},
    files::{Inputs, Publication},
    source::{COPY_VERSION, Source},
};

/// What the last stage kept of a source.
///
/// - reads: its files; the decisions of the last stage, records, clusters
/// - writes: `survivors/`; `clusters.parquet`, where clusters were made
pub struct SurvivorFiles<'r> {
    pub run: &'r Run<'r>,
    pub source: &'r Source,
}

impl<'r> SurvivorFiles<'r> {
    /// The survivors of a source, which the plan has.
    pub fn of(run: &'r Run<'r>, name: &str) -> Self {
        let source = run.plan.sources.iter().find(|source| source.name == name).expect("the plan has the source");
        Self { run, source }
    }

    /// Copies what the last stage kept of the source, and names the clusters.
    pub async fn write(&self) -> Result<()> {
        let files = self.source.files.len() as u64;
        let work = async { Ok(((), format!("{} documents", self.copy().await?))) };
        self.run.told("survivors", files, work).await
    }

    /// Returns how many documents stay.
    async fn copy(&self) -> Result<u64> {
        let Self { run, source } = self;
        let stage = run.last_stage();
        let inputs = Inputs::of("survivors");
        let context = run.session.relational();
        let tables = run.tables(&context, &inputs);
        let placed = kept_places(tables, &stage, &source.name).await.in_stage("survivors")?;
        let named = match clustered_by(&run.plan) {
            Some(_) => Some(named_clusters(tables, &stage, &run.source_names()).await.in_stage("survivors")?),
            None => None,
        };
        source.files.iter().try_for_each(|file| inputs.open(file))?;
        let origin = run.units.origin(COPY_VERSION, &source.format.versions(), source, &inputs)?;
        let places = &run.layout.work().join("survivors.parquet");
        run.units
            .run("survivors", "places", &origin, async {
                run.publish("survivors", &context, placed, vec![Publication::new(places, &places_schema())]).await
            })
            .await?;
        let copies = SourceFile::all(source).zip(names(&source.files)).map(|(file, to)| {
            FileCopy { run, file, to: run.layout.survivors().join(to), places, origin: &origin }.write()
        });
        let copying = async {
            let mut kept = futures::stream::iter(copies).buffered(run.threads);
            let mut documents = 0;
            while let Some(count) = kept.try_next().await? {
                documents += count;
                run.progress.advance();
            }
            Ok::<u64, Error>(documents)
        };
        let (documents, ()) = futures::try_join!(copying, self.name_clusters(&origin, &context, named))?;
        Ok(documents)
    }

    /// Publishes the clusters, where there is a table of them.
    async fn name_clusters(&self, origin: &Origin, context: &SessionContext, named: Option<DataFrame>) -> Result<()> {
        let Self { run, .. } = self;
        let Some(table) = named else { return Ok(()) };
        run.units
            .run("survivors", "clusters", origin, async {
                let publication = Publication::new(run.layout.named_clusters(), &named_schema());
                run.publish("survivors", context, table, vec![publication]).await
            })
            .await?;
        Ok(())
    }
}
