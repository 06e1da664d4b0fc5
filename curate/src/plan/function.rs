//! Scalar functions: settings and what is done with columns, as DataFusion's.

use std::{
    fmt::{self, Debug, Formatter},
    hash::{Hash, Hasher},
    sync::OnceLock,
};

use datafusion::{
    arrow::{array::ArrayRef, datatypes::DataType},
    error::Result,
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::error;

/// What a scalar function does, described by its settings: the same columns give the same column.
pub trait Function: Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind by which it is sent; functions of one kind may have several names.
    const KIND: &'static str;
    /// How many columns it takes; any number where there is none.
    const ARGUMENTS: Option<usize>;
    /// What it reads from disk or compiles, once for a plan, when the first rows come.
    type Loaded: Send + Sync + 'static;

    /// Its name in plans.
    fn name(&self) -> &str;

    /// The type of its column.
    fn return_type(&self) -> DataType;

    /// Loads what it needs.
    ///
    /// # Errors
    /// When a file cannot be read.
    fn load(&self) -> error::Result<Self::Loaded>;

    /// One value a row.
    ///
    /// - `columns`: arrays of `rows` values each
    ///
    /// # Errors
    /// When a column is of a type that it does not take, or holds what it cannot be computed of.
    fn evaluate(&self, loaded: &Self::Loaded, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef>;
}

/// A function of some columns.
#[must_use]
pub fn call<F: Function>(function: F, arguments: Vec<Expr>) -> Expr {
    ScalarUDF::from(FunctionUdf::new(function)).call(arguments)
}

/// A [`Function`] in a plan. Two are the same where their settings are.
pub struct FunctionUdf<F: Function> {
    function: F,
    signature: Signature,
    loaded: OnceLock<F::Loaded>,
}

impl<F: Function> FunctionUdf<F> {
    /// The function. Nothing is loaded yet.
    #[must_use]
    pub fn new(function: F) -> Self {
        let signature = F::ARGUMENTS.map_or_else(
            || Signature::variadic_any(Volatility::Immutable),
            |count| Signature::any(count, Volatility::Immutable),
        );
        Self { function, signature, loaded: OnceLock::new() }
    }

    /// Its settings.
    #[must_use]
    pub fn function(&self) -> &F {
        &self.function
    }

    fn loaded(&self) -> Result<&F::Loaded> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let loaded = self.function.load()?;
        // whoever comes second has loaded in vain
        Ok(self.loaded.get_or_init(|| loaded))
    }
}

impl<F: Function> Debug for FunctionUdf<F> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.function.fmt(formatter)
    }
}

impl<F: Function> PartialEq for FunctionUdf<F> {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function
    }
}

impl<F: Function> Eq for FunctionUdf<F> {}

impl<F: Function> Hash for FunctionUdf<F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // settings may hold floats, which have no hash
        self.function.name().hash(state);
    }
}

impl<F: Function> ScalarUDFImpl for FunctionUdf<F> {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.function.return_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns =
            args.args.iter().map(|column| column.to_array(args.number_rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let column = self.function.evaluate(self.loaded()?, &columns, args.number_rows)?;
        Ok(ColumnarValue::Array(column))
    }
}
