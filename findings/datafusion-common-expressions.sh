#!/usr/bin/env bash
# DataFusion 55.2.0 computes one function in the place of another. Where it eliminates common subexpressions, two scalar functions of one
# name on the same arguments are the same to it if their hashes are: it compares the hash and, in `Expr::normalize_eq`, the name, and never
# asks `PartialEq`. Two functions that differ in a setting, say so in `PartialEq`, and leave the setting out of `Hash` become one, and a
# column has the values of another, without an error. Rust allows such a `Hash`: equal values must hash alike, unequal ones may. DataFusion's
# documentation of `DynHash` asks for no more, and a test of its own notes that hashes of different values may collide.
#
# Concerns functions with settings of their own, put into plans with the DataFrame API rather than by name in SQL, whose hash is written by
# hand, as it has to be where a setting is a float or a model. Hash every setting that `PartialEq` compares, or give each its own name.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "common"
edition = "2024"

[dependencies]
datafusion = { version = "=55.2.0", default-features = false }
tokio = { version = "=1.54.1", features = ["macros", "rt"] }

[profile.dev]
debug = false
TOML
cat >"$folder/src/main.rs" <<'RUST'
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Int64Array, RecordBatch},
        datatypes::DataType,
    },
    common::cast::as_int64_array,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
    prelude::{SessionContext, col},
};

/// Adds a number. Functions are equal where their numbers are; whether the number is part of the hash too is `HASHED`.
#[derive(Debug, PartialEq, Eq)]
struct Shift<const HASHED: bool> {
    by: i64,
    signature: Signature,
}

impl<const HASHED: bool> Hash for Shift<HASHED> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
        if HASHED {
            self.by.hash(state);
        }
    }
}

impl<const HASHED: bool> ScalarUDFImpl for Shift<HASHED> {
    fn name(&self) -> &str {
        "shift"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let column = arguments.args[0].to_array(arguments.number_rows)?;
        let shifted: Int64Array = as_int64_array(&column)?.iter().map(|value| Some(value? + self.by)).collect();
        Ok(ColumnarValue::Array(Arc::new(shifted)))
    }
}

fn shift<const HASHED: bool>(by: i64) -> ScalarUDF {
    Shift::<HASHED> { by, signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable) }.into()
}

async fn show<const HASHED: bool>(hash: &str) -> Result<()> {
    let (one, two) = (shift::<HASHED>(1), shift::<HASHED>(2));
    println!("hash of {hash}: equal {}", one == two);
    let table = RecordBatch::try_from_iter([("x", Arc::new(Int64Array::from(vec![10, 20])) as _)])?;
    let frame = SessionContext::new()
        .read_batch(table)?
        .select(vec![one.call(vec![col("x")]).alias("one"), two.call(vec![col("x")]).alias("two")])?;
    for line in frame.clone().into_optimized_plan()?.to_string().lines().map(str::trim) {
        println!("hash of {hash}: {line}");
    }
    for batch in frame.collect().await? {
        for name in ["one", "two"] {
            println!("hash of {hash}: {name} {:?}", as_int64_array(&batch[name])?.values().to_vec());
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    show::<false>("name").await?;
    show::<true>("name and number").await
}
RUST
CARGO_TARGET_DIR=$folder/target cargo run --quiet --manifest-path "$folder/Cargo.toml" >"$folder/seen"

cat "$folder/seen"
diff - "$folder/seen" <<'EXPECTED' || { echo "DataFusion no longer does what is written here" >&2; exit 1; }
hash of name: equal false
hash of name: Projection: __common_expr_1 AS one, __common_expr_1 AS two
hash of name: Projection: shift(?table?.x) AS __common_expr_1
hash of name: TableScan: ?table? projection=[x]
hash of name: one [11, 21]
hash of name: two [11, 21]
hash of name and number: equal false
hash of name and number: Projection: shift(?table?.x) AS one, shift(?table?.x) AS two
hash of name and number: TableScan: ?table? projection=[x]
hash of name and number: one [11, 21]
hash of name and number: two [12, 22]
EXPECTED
