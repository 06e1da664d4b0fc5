//! What the ledger is drawn from: decisions and records, as tables of one session.

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _, RecordBatch},
        datatypes::{Int64Type, Schema},
    },
    functions_aggregate::expr_fn::count,
    prelude::{DataFrame, SessionContext, col, lit},
};

use crate::{
    decide::Tables,
    error::{InStage as _, Result},
    files::Inputs,
    run::context::Run,
};

/// What the ledger is drawn from. It is drawn anew each time.
pub struct Drawn<'r> {
    pub run: &'r Run<'r>,
    /// The files that were opened for it.
    pub inputs: Inputs,
    context: SessionContext,
}

impl<'r> Drawn<'r> {
    /// Drawn from the files of a run.
    pub fn from(run: &'r Run<'r>) -> Self {
        Self { run, inputs: Inputs::of("ledger"), context: run.session.relational() }
    }

    /// The verdicts of a stage.
    pub async fn decisions(&self, stage: &str) -> Result<DataFrame> {
        self.tables().decisions(stage).await.in_stage("ledger")
    }

    /// What is known of the records of a source.
    pub async fn records(&self, source: &str) -> Result<DataFrame> {
        self.tables().records(source).await.in_stage("ledger")
    }

    /// Files of rows.
    pub async fn parquet(&self, paths: Vec<std::path::PathBuf>, schema: &Schema) -> Result<DataFrame> {
        self.tables().parquet(paths, schema).await.in_stage("ledger")
    }

    /// The rows of a table, which are few.
    pub async fn collect(&self, table: datafusion::error::Result<DataFrame>) -> Result<Vec<RecordBatch>> {
        self.run.collect("ledger", &self.context, table.in_stage("ledger")?).await
    }

    /// How many rows agree in some columns of text.
    pub async fn counts(
        &self,
        table: datafusion::error::Result<DataFrame>,
        columns: &[&str],
    ) -> Result<Vec<(Vec<Option<String>>, u64)>> {
        let groups = columns.iter().map(|name| col(*name)).collect();
        let counted = table.and_then(|table| table.aggregate(groups, vec![count(lit(1)).alias("count")]));
        let mut counts = Vec::new();
        for batch in self.collect(counted).await? {
            let numbers = batch.column(columns.len()).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let key = |column: usize| {
                    let texts = batch.column(column).as_string_view();
                    texts.is_valid(row).then(|| texts.value(row).to_owned())
                };
                let count = u64::try_from(numbers.value(row)).expect("a count is not negative");
                counts.push(((0..columns.len()).map(key).collect(), count));
            }
        }
        Ok(counts)
    }

    fn tables(&self) -> Tables<'_> {
        self.run.tables(&self.context, &self.inputs)
    }
}
