//! The one adapter from kernels to plans: any family is a function of the text.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray as _},
        datatypes::DataType,
    },
    common::exec_err,
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
}

/// Measures by the name of their family.
type Loaded = BTreeMap<String, (Family, Arc<dyn Measure>)>;

/// What was loaded last for each name: the plan of the next file finds it here. Another model of that name takes its place.
static LOADED: Mutex<Loaded> = Mutex::new(BTreeMap::new());

impl FamilyFunction {
    /// The function of a family. A model is loaded when the first text comes.
    #[must_use]
    pub fn new(family: Family) -> Self {
        let signature = Signature::any(1, Volatility::Immutable);
        Self { family, signature }
    }

    /// The family that it computes.
    #[must_use]
    pub fn family(&self) -> &Family {
        &self.family
    }

    fn measure(&self) -> Result<Arc<dyn Measure>> {
        // whoever comes while it is loaded waits for it
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((family, measure)) = loaded.get(&self.family.name)
            && *family == self.family
        {
            return Ok(Arc::clone(measure));
        }
        let measure: Arc<dyn Measure> = self.family.load().map_err(DataFusionError::from)?.into();
        loaded.insert(self.family.name.clone(), (self.family.clone(), Arc::clone(&measure)));
        Ok(measure)
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
