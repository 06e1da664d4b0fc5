//! The one adapter from kernels to plans: any family is a function of the text.

use std::{
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray as _},
        datatypes::DataType,
    },
    common::{exec_err, internal_err},
    error::{DataFusionError, Result},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};

use super::family::{Family, Measure};

/// A family as a scalar function: text in, a struct of facts out. It is described by the family alone, so that a plan that
/// holds it can be sent.
#[derive(Clone)]
pub struct FamilyFunction {
    family: Family,
    signature: Signature,
    measure: Arc<OnceLock<Box<dyn Measure>>>,
}

impl FamilyFunction {
    /// The function of a family. A model is loaded when the first text comes.
    #[must_use]
    pub fn new(family: Family) -> Self {
        let signature = Signature::any(1, Volatility::Immutable);
        Self { family, signature, measure: Arc::new(OnceLock::new()) }
    }

    /// The family that it computes.
    #[must_use]
    pub fn family(&self) -> &Family {
        &self.family
    }

    fn measure(&self) -> Result<&dyn Measure> {
        if self.measure.get().is_none() {
            // of two threads that load at once, one has worked in vain
            let _ = self.measure.set(self.family.load().map_err(DataFusionError::from)?);
        }
        match self.measure.get() {
            Some(measure) => Ok(measure.as_ref()),
            None => internal_err!("the model of `{}` was loaded and is gone", self.family.name),
        }
    }
}

impl std::fmt::Debug for FamilyFunction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.family.fmt(formatter)
    }
}

impl PartialEq for FamilyFunction {
    fn eq(&self, other: &Self) -> bool {
        self.family == other.family
    }
}

impl Eq for FamilyFunction {}

impl Hash for FamilyFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.family.hash(state);
    }
}

impl ScalarUDFImpl for FamilyFunction {
    fn name(&self) -> &str {
        &self.family.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.family.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts: ArrayRef = args.args[0].to_array(args.number_rows)?;
        let texts: Vec<Option<&str>> = match texts.data_type() {
            DataType::Utf8View => texts.as_string_view().iter().collect(),
            DataType::Utf8 => texts.as_string::<i32>().iter().collect(),
            DataType::LargeUtf8 => texts.as_string::<i64>().iter().collect(),
            other => return exec_err!("facts are measured on text, not on {other}"),
        };
        let columns = self.measure()?.measure(&texts);
        Ok(ColumnarValue::Array(Arc::new(self.family.structs(columns))))
    }
}
