//! Templates as a function of plans.

use std::{ops::Range, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, Int64Array, ListBuilder, StringViewArray, StringViewBuilder, StructArray},
        datatypes::{DataType, FieldRef, Fields, UInt32Type},
    },
    error::{DataFusionError, Result},
};
use rayon::prelude::*;
use schemas::{columns, task::Form};

use super::render::{RenderedRow, Rendering, RowKey, TaskRenderer};
use crate::{error, plan::Function};

/// An id, the numbers of a template and a copy, and an example as JSON in; the columns of the mixture behind `source` out, as a struct.
impl Function for Rendering {
    const KIND: &'static str = "render";
    const ARGUMENTS: Option<usize> = Some(5);
    type Loaded = TaskRenderer;

    fn name(&self) -> &'static str {
        "render"
    }

    fn return_type(&self) -> DataType {
        DataType::Struct(rendered_fields(self.form()))
    }

    fn load(&self) -> error::Result<TaskRenderer> {
        TaskRenderer::new(self.clone())
    }

    fn evaluate(&self, renderer: &TaskRenderer, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let texts = |column: usize| columns[column].as_string_view();
        let (ids, groups, examples) = (texts(0), texts(3), texts(4));
        let templates = columns[1].as_primitive::<UInt32Type>().values();
        let copies = columns[2].as_primitive::<UInt32Type>().values();
        // the rows of one example stand together, and what it means is found once
        let mut examples_of: Vec<Range<usize>> = Vec::new();
        for row in 0..rows {
            match examples_of.last_mut() {
                Some(rows) if ids.value(rows.start) == ids.value(row) => rows.end = row + 1,
                _ => examples_of.push(row..row + 1),
            }
        }
        let of_example = |rows: &Range<usize>| {
            let values = renderer.values(examples.value(rows.start))?;
            let row = |row: usize| {
                let (id, group) = (ids.value(row), groups.value(row));
                let key = RowKey { id, group, template: templates[row] as usize, copy: copies[row] };
                renderer.row(key, &values)
            };
            rows.clone().map(row).collect::<error::Result<Vec<_>>>()
        };
        let rows = examples_of.par_iter().map(of_example).collect::<error::Result<Vec<_>>>();
        let rows: Vec<RenderedRow> = rows.map_err(DataFusionError::from)?.into_iter().flatten().collect();
        let task = &self.task;
        let fields = rendered_fields(self.form());
        let column = |field: &FieldRef| -> ArrayRef {
            let name_of = |row: usize| &task.templates[templates[row] as usize].name;
            match field.name().as_str() {
                columns::TASK => Arc::new(StringViewArray::from_iter_values(rows.iter().map(|_| &task.name))),
                columns::TEMPLATE => Arc::new(StringViewArray::from_iter_values((0..rows.len()).map(name_of))),
                name => column_of(name, field.data_type(), &rows),
            }
        };
        let columns = fields.iter().map(column).collect();
        Ok(Arc::new(StructArray::new(fields, columns, None)))
    }
}

/// The columns of a mixture of examples that a rendering makes.
fn rendered_fields(form: Form) -> Fields {
    let schema = columns::examples_mixture(form);
    schema
        .fields()
        .iter()
        .filter(|field| ![columns::ID, columns::SOURCE].contains(&field.name().as_str()))
        .cloned()
        .collect()
}

/// What rows have in a column of their form.
fn column_of(name: &str, data_type: &DataType, rows: &[RenderedRow]) -> ArrayRef {
    match data_type {
        DataType::List(_) => {
            let mut builder = ListBuilder::new(StringViewBuilder::new()).with_field(columns::list_item());
            for row in rows {
                let negatives = row.negatives.iter().filter(|_| name == columns::NEGATIVES).map(String::as_str);
                negatives.chain(texts_of(row, name)).for_each(|text| builder.values().append_value(text));
                builder.append(true);
            }
            Arc::new(builder.finish())
        }
        DataType::Int64 => {
            let label = |row: &RenderedRow| row.label.and_then(|label| i64::try_from(label).ok()).unwrap_or_default();
            Arc::new(Int64Array::from_iter_values(rows.iter().map(label)))
        }
        _ => {
            let text = rows.iter().map(|row| texts_of(row, name).next().unwrap_or_default());
            Arc::new(StringViewArray::from_iter_values(text))
        }
    }
}

/// The parts of a row that have a name.
fn texts_of<'r>(row: &'r RenderedRow, name: &str) -> impl Iterator<Item = &'r str> {
    row.parts.texts().into_iter().filter(move |(part, _)| *part == name).map(|(_, text)| text)
}
