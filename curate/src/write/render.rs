//! Templates as a function of plans.

use std::{
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, StringViewBuilder, StructArray},
        datatypes::{DataType, Field, Fields, UInt32Type},
    },
    common::internal_err,
    error::{DataFusionError, Result},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};
use rayon::prelude::*;
use schemas::{
    prompt::{Rendered, Renderer},
    task::Task,
};

use crate::error::Error;

/// The number of a template and an example as JSON in, a struct of `task`, `template`, `prompt` and `completion` out.
#[derive(Debug, Clone)]
pub struct RenderFunction {
    task: Task,
    signature: Signature,
    renderer: Arc<OnceLock<Renderer>>,
}

impl RenderFunction {
    /// The function of a checked task.
    #[must_use]
    pub fn new(task: Task) -> Self {
        Self { task, signature: Signature::any(2, Volatility::Immutable), renderer: Arc::default() }
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The function of two columns.
    #[must_use]
    pub fn of(task: Task, template: Expr, example: Expr) -> Expr {
        ScalarUDF::from(Self::new(task)).call(vec![template, example])
    }

    fn renderer(&self) -> Result<&Renderer> {
        if self.renderer.get().is_none() {
            let compiled = Renderer::new(&self.task);
            let compiled = compiled.map_err(|fault| DataFusionError::Execution(fault.message))?;
            let _ = self.renderer.set(compiled);
        }
        match self.renderer.get() {
            Some(renderer) => Ok(renderer),
            None => internal_err!("the templates of `{}` were compiled and are gone", self.task.name),
        }
    }

    fn fields() -> Fields {
        let field = |name| Field::new(name, DataType::Utf8View, true);
        Fields::from(vec![field("task"), field("template"), field("prompt"), field("completion")])
    }
}

impl PartialEq for RenderFunction {
    fn eq(&self, other: &Self) -> bool {
        self.task == other.task
    }
}

impl Eq for RenderFunction {}

impl Hash for RenderFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.task.hash(state);
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
        Ok(DataType::Struct(Self::fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let templates = arrays[0].as_primitive::<UInt32Type>().values();
        let examples: Vec<&str> = arrays[1].as_string_view().iter().map(Option::unwrap_or_default).collect();
        let renderer = self.renderer()?;
        let rendered: Vec<Rendered> = templates
            .par_iter()
            .zip(&examples)
            .map(|(template, example)| {
                let example =
                    serde_json::from_str(example).map_err(|error| DataFusionError::External(Box::new(error)))?;
                let rendered = renderer.render(&self.task, *template as usize, &example);
                rendered.map_err(|error| Error::from(error).into())
            })
            .collect::<Result<_>>()?;
        let column = |value: &dyn Fn(usize) -> String| -> ArrayRef {
            let mut builder = StringViewBuilder::new();
            (0..rendered.len()).for_each(|row| builder.append_value(value(row)));
            Arc::new(builder.finish())
        };
        let columns = vec![
            column(&|_| self.task.name.clone()),
            column(&|row| self.task.templates[templates[row] as usize].name.clone()),
            column(&|row| rendered[row].prompt.clone()),
            column(&|row| rendered[row].completion.clone()),
        ];
        Ok(ColumnarValue::Array(Arc::new(StructArray::new(Self::fields(), columns, None))))
    }
}
