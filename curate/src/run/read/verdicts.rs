//! The first verdicts: which records are documents.

use datafusion::{
    arrow::{array::AsArray as _, datatypes::Int64Type},
    functions_aggregate::expr_fn::count,
    prelude::{col, lit},
};

use crate::{
    decide::{self, versions},
    error::{InStage as _, Result},
    files::Inputs,
    run::context::Run,
};

/// The verdicts on records.
///
/// - reads: `facts/records/`
/// - writes: `decisions/read.parquet`; tells the run whether some document was read from more than one file
pub struct ReadVerdicts<'r> {
    pub run: &'r Run<'r>,
}

impl ReadVerdicts<'_> {
    /// Decides which records are documents.
    pub async fn decide(&self) -> Result<()> {
        let Self { run } = self;
        let inputs = Inputs::of("read");
        let context = run.session.relational();
        let table = decide::read(run.tables(&context, &inputs)).await.in_stage("read")?;
        run.decide(versions::READ, &(), &inputs, &context, table).await?;
        run.set_repeats(self.repeats().await?);
        Ok(())
    }

    /// Whether some record was dropped because it had been read before.
    async fn repeats(&self) -> Result<bool> {
        let Self { run } = self;
        let inputs = Inputs::of("read");
        let context = run.session.relational();
        let repeats = run.tables(&context, &inputs).decisions("read").await.in_stage("read")?;
        run.units.verify(&inputs.close())?;
        let repeats = repeats
            .filter(col("reason").eq(lit("same_record")))
            .and_then(|table| table.aggregate(vec![], vec![count(lit(1)).alias("repeats")]))
            .in_stage("read")?;
        let batches = run.collect("read", &context, repeats).await?;
        Ok(batches.iter().any(|batch| batch.column(0).as_primitive::<Int64Type>().value(0) > 0))
    }
}
