//! The table that plans the reading of one file.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::{Session, TableProvider},
    error::Result,
    logical_expr::{Expr, TableType},
    physical_expr::expressions::Column,
    physical_plan::{ExecutionPlan, PhysicalExpr, projection::ProjectionExec},
};

use super::{ReadExec, Reading, row::rows_schema};

/// A reading as a table.
#[must_use]
pub fn read_table(reading: Reading) -> Arc<dyn TableProvider> {
    Arc::new(ReadTable(reading))
}

#[derive(Debug)]
struct ReadTable(Reading);

#[async_trait::async_trait]
impl TableProvider for ReadTable {
    fn schema(&self) -> SchemaRef {
        rows_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let read: Arc<dyn ExecutionPlan> = Arc::new(ReadExec::of(self.0.clone(), []));
        let Some(columns) = projection else { return Ok(read) };
        let expressions = columns.iter().map(|&column| {
            let name = rows_schema().field(column).name().clone();
            (Arc::new(Column::new(&name, column)) as Arc<dyn PhysicalExpr>, name)
        });
        Ok(Arc::new(ProjectionExec::try_new(expressions.collect::<Vec<_>>(), read)?))
    }
}
