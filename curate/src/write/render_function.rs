//! Templates as a function of plans.

use std::{
    hash::{Hash, Hasher},
    ops::Range,
    sync::{Arc, OnceLock},
};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, Int64Array, ListBuilder, StringViewArray, StringViewBuilder, StructArray},
        datatypes::{DataType, Fields, UInt32Type},
    },
    common::internal_err,
    error::{DataFusionError, Result},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};
use rayon::prelude::*;
use schemas::{columns, prompt::Rendered, task::Form};

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
        schema.fields().iter().filter(|field| !["id", "source"].contains(&field.name().as_str())).cloned().collect()
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
        Ok(DataType::Struct(Self::fields(self.rendering.form)))
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
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringViewArray::from_iter_values(rows.iter().map(|_| &task.name))),
            Arc::new(StringViewArray::from_iter_values(
                templates.iter().map(|template| &task.templates[*template as usize].name),
            )),
        ];
        columns.extend(columns_of(self.rendering.form, &rows));
        Ok(ColumnarValue::Array(Arc::new(StructArray::new(Self::fields(self.rendering.form), columns, None))))
    }
}

/// The columns that a form has behind `template`.
fn columns_of(form: Form, rows: &[RenderedRow]) -> Vec<ArrayRef> {
    let texts = |text: &dyn Fn(&Rendered) -> Option<&str>| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| text(&row.rendered).unwrap_or_default())))
    };
    let lists = |list: &dyn Fn(&RenderedRow) -> &[String]| -> ArrayRef {
        let mut builder = ListBuilder::new(StringViewBuilder::new()).with_field(columns::list_item());
        for row in rows {
            list(row).iter().for_each(|text| builder.values().append_value(text));
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    match form {
        Form::Completion | Form::Preference => {
            let part = |number: usize| {
                texts(&move |rendered: &Rendered| match rendered {
                    Rendered::Completion { prompt, completion } => {
                        [prompt, completion].get(number).map(|text| text.as_str())
                    }
                    Rendered::Preference { prompt, chosen, rejected } => {
                        [prompt, chosen, rejected].get(number).map(|text| text.as_str())
                    }
                    _ => None,
                })
            };
            (0..if form == Form::Completion { 2 } else { 3 }).map(part).collect()
        }
        Form::Retrieval => {
            let part = |number: usize| {
                texts(&move |rendered: &Rendered| match rendered {
                    Rendered::Retrieval { query, positive } => [query, positive].get(number).map(|text| text.as_str()),
                    _ => None,
                })
            };
            vec![part(0), part(1), lists(&|row| &row.negatives)]
        }
        Form::Sequences => {
            let sequences = lists(&|row| match &row.rendered {
                Rendered::Sequences { sequences, .. } => sequences,
                _ => &[],
            });
            let label = |row: &RenderedRow| match row.rendered {
                Rendered::Sequences { label, .. } => i64::try_from(label).unwrap_or_default(),
                _ => 0,
            };
            vec![sequences, Arc::new(Int64Array::from_iter_values(rows.iter().map(label)))]
        }
    }
}
