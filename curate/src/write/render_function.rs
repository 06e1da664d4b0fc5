//! Templates as a function of plans.

use std::{
    hash::{Hash, Hasher},
    ops::Range,
    sync::{Arc, OnceLock},
};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, Int64Array, ListBuilder, StringViewArray, StringViewBuilder, StructArray},
        datatypes::{DataType, FieldRef, Fields, UInt32Type},
    },
    common::internal_err,
    error::{DataFusionError, Result},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};
use rayon::prelude::*;
use schemas::{columns, task::Form};

use super::render::{RenderedRow, Rendering, RowKey, TaskRenderer};

/// An id, the numbers of a template and a copy, and an example as JSON in; the columns of the mixture behind `source` out, as a struct.
#[derive(Debug, Clone)]
pub struct RenderFunction {
    rendering: Rendering,
    signature: Signature,
    renderer: Arc<OnceLock<TaskRenderer>>,
}

impl RenderFunction {
    /// The function of a rendering.
    #[must_use]
    pub fn new(rendering: Rendering) -> Self {
        Self { rendering, signature: Signature::any(4, Volatility::Immutable), renderer: Arc::default() }
    }

    /// What it renders.
    #[must_use]
    pub fn rendering(&self) -> &Rendering {
        &self.rendering
    }

    /// The function of four columns: id, template, copy, example.
    #[must_use]
    pub fn of(rendering: Rendering, arguments: Vec<Expr>) -> Expr {
        ScalarUDF::from(Self::new(rendering)).call(arguments)
    }

    fn renderer(&self) -> Result<&TaskRenderer> {
        if self.renderer.get().is_none() {
            // whoever comes second has read the pool in vain
            let _ = self.renderer.set(TaskRenderer::new(self.rendering.clone())?);
        }
        match self.renderer.get() {
            Some(renderer) => Ok(renderer),
            None => internal_err!("the templates of `{}` were compiled and are gone", self.rendering.task.name),
        }
    }

    fn fields(form: Form) -> Fields {
        let schema = columns::examples_mixture(form);
        schema
            .fields()
            .iter()
            .filter(|field| ![columns::ID, columns::SOURCE].contains(&field.name().as_str()))
            .cloned()
            .collect()
    }
}

impl PartialEq for RenderFunction {
    fn eq(&self, other: &Self) -> bool {
        self.rendering == other.rendering
    }
}

impl Eq for RenderFunction {}

impl Hash for RenderFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rendering.hash(state);
    }
}

impl ScalarUDFImpl for RenderFunction {
    fn name(&self) -> &'static str {
        "render"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(Self::fields(self.rendering.form())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (ids, examples) = (arrays[0].as_string_view(), arrays[3].as_string_view());
        let templates = arrays[1].as_primitive::<UInt32Type>().values();
        let copies = arrays[2].as_primitive::<UInt32Type>().values();
        let renderer = self.renderer()?;
        // the rows of one example stand together, and what it means is found once
        let mut examples_of: Vec<Range<usize>> = Vec::new();
        for row in 0..args.number_rows {
            match examples_of.last_mut() {
                Some(rows) if ids.value(rows.start) == ids.value(row) => rows.end = row + 1,
                _ => examples_of.push(row..row + 1),
            }
        }
        let of_example = |rows: &Range<usize>| {
            let values = renderer.values(examples.value(rows.start))?;
            let row = |row: usize| {
                let key = RowKey { id: ids.value(row), template: templates[row] as usize, copy: copies[row] };
                renderer.row(key, &values)
            };
            rows.clone().map(row).collect::<crate::error::Result<Vec<_>>>()
        };
        let rows = examples_of.par_iter().map(of_example).collect::<crate::error::Result<Vec<_>>>();
        let rows: Vec<RenderedRow> = rows.map_err(DataFusionError::from)?.into_iter().flatten().collect();
        let task = &self.rendering.task;
        let fields = Self::fields(self.rendering.form());
        let column = |field: &FieldRef| -> ArrayRef {
            let name_of = |row: usize| &task.templates[templates[row] as usize].name;
            match field.name().as_str() {
                columns::TASK => Arc::new(StringViewArray::from_iter_values(rows.iter().map(|_| &task.name))),
                columns::TEMPLATE => Arc::new(StringViewArray::from_iter_values((0..rows.len()).map(name_of))),
                name => column_of(name, field.data_type(), &rows),
            }
        };
        let columns = fields.iter().map(column).collect();
        Ok(ColumnarValue::Array(Arc::new(StructArray::new(fields, columns, None))))
    }
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
