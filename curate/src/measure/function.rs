//! The one adapter from kernels to plans: any family is a function of the text.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray as _},
        datatypes::DataType,
    },
    common::exec_err,
    error::Result,
};

use super::family::{Family, Measure};
use crate::{error, plan::Function};

/// What measures the texts of a family.
#[derive(Clone)]
pub struct LoadedFamily(Arc<dyn Measure>);

/// What was loaded last for each name: the plan of the next file finds it here. Another model of that name takes its place.
static LOADED: Mutex<BTreeMap<String, (Family, LoadedFamily)>> = Mutex::new(BTreeMap::new());

/// A family as a scalar function: text in, a struct of facts out.
impl Function for Family {
    const KIND: &'static str = "family";
    const ARGUMENTS: Option<usize> = Some(1);
    type Loaded = LoadedFamily;

    fn name(&self) -> &str {
        &self.name
    }

    fn return_type(&self) -> DataType {
        self.data_type()
    }

    fn load(&self) -> error::Result<LoadedFamily> {
        // whoever comes while it is loaded waits for it
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((family, measure)) = loaded.get(&self.name)
            && family == self
        {
            return Ok(measure.clone());
        }
        let measure = LoadedFamily(Family::load(self)?.into());
        loaded.insert(self.name.clone(), (self.clone(), measure.clone()));
        Ok(measure)
    }

    fn evaluate(&self, LoadedFamily(measure): &LoadedFamily, columns: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let texts: Vec<Option<&str>> = match columns[0].data_type() {
            DataType::Utf8View => columns[0].as_string_view().iter().collect(),
            DataType::Utf8 => columns[0].as_string::<i32>().iter().collect(),
            DataType::LargeUtf8 => columns[0].as_string::<i64>().iter().collect(),
            other => return exec_err!("facts are measured on text, not on {other}"),
        };
        Ok(Arc::new(self.structs(measure.measure(&texts))))
    }
}
