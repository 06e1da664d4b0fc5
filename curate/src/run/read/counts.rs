//! How many records files have, how many of them are broken, and how much of the files is lost.

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _},
        datatypes::{Int64Type, UInt64Type},
    },
    functions_aggregate::expr_fn::{count, sum},
    prelude::{col, lit},
};

use crate::{
    error::{InStage as _, Result},
    files::{Inputs, units::Mark},
    run::{context::Run, source_file::SourceFile},
    source::records,
};

/// What files hold.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    /// Records, and how many of them are broken.
    pub read: u64,
    pub broken: u64,
    /// Stretches that are lost, and their bytes.
    pub stretches: u64,
    pub lost: u64,
}

impl Counts {
    /// Counts what a file holds that has been read, as the mark of its documents says.
    pub async fn of(run: &Run<'_>, file: SourceFile<'_>, documents: &Mark) -> Result<Self> {
        let context = run.session.streaming();
        let inputs = Inputs::of("read");
        let path = run.layout.facts("records", &file.source.name, file.part);
        let table = run.tables(&context, &inputs).parquet(vec![path], &records()).await.in_stage("read")?;
        run.units.verify(&inputs.close())?;
        let counts = table.aggregate(
            vec![],
            vec![
                count(lit(1)).alias("rows"),
                count(col("fault")).alias("faults"),
                count(col("lost")).alias("stretches"),
                sum(col("lost")).alias("lost"),
            ],
        );
        let batches = run.collect("read", &context, counts.in_stage("read")?).await?;
        let batch = batches.first().expect("an aggregate has one row");
        let number = |column: usize| {
            u64::try_from(batch.column(column).as_primitive::<Int64Type>().value(0)).expect("a count is not negative")
        };
        // a stretch that is lost stands in a row, and is no record
        let (rows, faults, stretches) = (number(0), number(1), number(2));
        let lost = batch.column(3).as_primitive::<UInt64Type>();
        let lost = if lost.is_valid(0) { lost.value(0) } else { 0 };
        let (read, broken) = (rows - stretches, faults - stretches);
        if let Some(stamp) = &documents.input {
            run.made().count_records(stamp, read);
        }
        Ok(Self { read, broken, stretches, lost })
    }

    /// Counts more files.
    pub fn add(&mut self, other: Self) {
        self.read += other.read;
        self.broken += other.broken;
        self.stretches += other.stretches;
        self.lost += other.lost;
    }
}
