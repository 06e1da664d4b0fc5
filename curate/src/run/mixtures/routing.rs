//! Rows on their way to their shards: each gets its place, then the text of every file goes to its bucket.

use std::{collections::BTreeMap, path::PathBuf};

use futures::{StreamExt as _, TryStreamExt as _};

use super::{stage::MixtureStage, staging::Staging};
use crate::{
    decide::SplitShards,
    error::{InStage as _, Result},
    files::Publication,
    write::{
        self, Content, POOL, Pairing, Pool, Rendering, Route, Rows, SEARCHED_POOL, placed_schema, pool_schema,
        routed_schema,
    },
};

/// The routing of a mixture.
///
/// - reads: its verdicts, documents
/// - writes: `places.parquet`, `pool/SOURCE.parquet` and `routed/SOURCE/part-00000.parquet` in the staging folder
pub struct Routing<'s> {
    pub staging: &'s Staging<'s>,
    /// Where rows go.
    pub buckets: Vec<SplitShards>,
}

impl Routing<'_> {
    /// Routes all rows. Returns the files that hold them.
    pub async fn route(&self) -> Result<Vec<PathBuf>> {
        let MixtureStage { run, mixture, .. } = self.staging.stage;
        let places = &self.place().await?;
        let sources = mixture.weights.sources();
        let mut made = BTreeMap::new();
        for source in &sources {
            made.insert(source.as_str(), self.rows(source).await?);
        }
        let clustered = self.staging.stage.reads_clusters();
        let units = run.parts_of(&sources).map(|(source, part)| {
            let rows = made[source].clone();
            let (places, content) = (places.clone(), &mixture.content);
            self.route_file(Route { places, content, rows, clustered, source, part })
        });
        futures::stream::iter(units.collect::<Vec<_>>()).buffered(run.threads).try_collect().await
    }

    /// Gives every row its place. Returns the file of the places.
    async fn place(&self) -> Result<PathBuf> {
        let Staging { stage: MixtureStage { run, mixture, name: stage }, inputs, folder, .. } = self.staging;
        let path = folder.join("places.parquet");
        let work = async {
            let context = run.session.relational();
            let tables = run.tables(&context, inputs);
            let seed = run.plan.seed;
            let table = write::places(tables, &mixture.name, stage, &mixture.content, seed, &self.buckets).await;
            let publication = Publication::new(&path, &placed_schema());
            run.publish(stage, &context, table.in_stage(stage)?, vec![publication]).await
        };
        self.staging.unit("places", work).await?;
        run.units.verify(std::slice::from_ref(&path))?;
        Ok(path)
    }

    /// Takes the text of a file to its buckets. Returns the file that it is routed to.
    async fn route_file(&self, route: Route<'_>) -> Result<PathBuf> {
        let Staging { stage: MixtureStage { run, mixture, name: stage }, inputs, folder, .. } = self.staging;
        let unit = format!("routed/{}/part-{:05}", route.source, route.part);
        let path = folder.join(format!("{unit}.parquet"));
        let work = async {
            let context = run.session.streaming();
            let table = write::route(run.tables(&context, inputs), route).await.in_stage(stage)?;
            let publication = Publication::new(&path, &routed_schema(&mixture.content)).grouped_by("bucket");
            run.publish(stage, &context, table, vec![publication]).await
        };
        self.staging.unit(&unit, work).await?;
        Ok(path)
    }

    /// How the documents of a source become rows.
    async fn rows(&self, source: &str) -> Result<Rows> {
        let MixtureStage { run, mixture, .. } = self.staging.stage;
        let (seed, name) = (run.plan.seed, mixture.name.clone());
        let shows = match &mixture.content {
            Content::Examples(content) => content.demonstrations.is_some() || content.negatives.count() > 0,
            content => content.negatives().count() > 0,
        };
        let pool = if shows { Some(self.pool(source).await?) } else { None };
        Ok(match &mixture.content {
            Content::Text => Rows::Documents,
            Content::Examples(content) => Rows::Examples(Box::new(Rendering {
                task: content.tasks[source].clone(),
                seed,
                mixture: name,
                demonstrations: content.demonstrations.clone(),
                negatives: content.negatives,
                pool,
            })),
            Content::Pairs(pairs) => Rows::Pairs(Pairing { pairs: pairs.clone(), seed, mixture: name, pool }),
        })
    }

    /// Gathers what others show of a source. Returns their file.
    async fn pool(&self, source: &str) -> Result<PathBuf> {
        let Staging { stage: MixtureStage { run, mixture, name: stage }, inputs, folder, .. } = self.staging;
        let unit = format!("pool/{source}");
        let path = folder.join(format!("{unit}.parquet"));
        let size = if mixture.content.negatives().hard > 0 { SEARCHED_POOL } else { POOL };
        let clustered = self.staging.stage.reads_clusters();
        let work = async {
            let context = run.session.relational();
            let cut = matches!(mixture.content, Content::Pairs(_));
            let pool = Pool { stage, source, seed: run.plan.seed, size, clustered, cut };
            let table = write::pool(run.tables(&context, inputs), pool).await;
            let publication = Publication::new(&path, &pool_schema());
            run.publish(stage, &context, table.in_stage(stage)?, vec![publication]).await
        };
        self.staging.unit(&unit, work).await?;
        run.units.verify(std::slice::from_ref(&path))?;
        Ok(path)
    }
}
