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
use xxhash_rust::xxh3::xxh3_64;

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
    /// The hash of its settings.
    hash: u64,
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
        // by what is sent of it: settings may hold floats, which have no hash
        let settings = serde_json::to_vec(&function).expect("settings are JSON");
        Self { hash: xxh3_64(&settings), function, signature, loaded: OnceLock::new() }
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
    /// Settings are part of it: where DataFusion looks for common expressions, it compares the names of functions and these hashes, and takes
    /// two functions of one name for the same where the hashes agree.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name().hash(state);
        self.hash.hash(state);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::{
        arrow::array::{AsArray as _, UInt64Array},
        arrow::datatypes::UInt64Type,
        prelude::{SessionContext, col, lit},
    };
    use serde::Deserialize;

    use super::*;

    /// The same number, whatever the column has.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Always(u64);

    impl Function for Always {
        const KIND: &'static str = "always";
        const ARGUMENTS: Option<usize> = Some(1);
        type Loaded = ();

        fn name(&self) -> &'static str {
            "always"
        }

        fn return_type(&self) -> DataType {
            DataType::UInt64
        }

        fn load(&self) -> error::Result<()> {
            Ok(())
        }

        fn evaluate(&self, (): &(), _: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
            Ok(Arc::new(UInt64Array::from(vec![self.0; rows])))
        }
    }

    /// Two functions of one name in one plan stay two, where their settings differ.
    #[tokio::test]
    async fn functions_of_one_name_are_told_apart() -> Result<()> {
        let table = SessionContext::new().read_empty()?.select(vec![lit(1).alias("x")])?;
        let of = |number| call(Always(number), vec![col("x")]);
        let batches = table
            .select(vec![of(1).alias("one"), of(2).alias("two"), (of(1) + of(2)).alias("both")])?
            .collect()
            .await?;
        let value = |column: usize| batches[0].column(column).as_primitive::<UInt64Type>().value(0);
        assert_eq!([value(0), value(1), value(2)], [1, 2, 3]);
        Ok(())
    }
}
