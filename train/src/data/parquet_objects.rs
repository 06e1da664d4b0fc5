//! Rows of Parquet as objects, as tasks have them.

use std::str::Utf8Error;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type},
    error::ArrowError,
};
use schemas::{examples::Object, text_columns::Texts};
use serde_json::Value;

/// A row, or what of its `fields` is not UTF-8; in other columns that is null.
///
/// # Errors
/// When a number cannot be told.
pub(super) fn object(batch: &RecordBatch, row: usize, fields: &[String]) -> Result<Result<Object, String>, String> {
    let schema = batch.schema();
    let mut object = Object::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let value = match cell(column, row).map_err(|error| error.to_string())? {
            Ok(value) => value,
            Err(error) if fields.contains(field.name()) => {
                return Ok(Err(format!("column `{}` is not UTF-8: {error}", field.name())));
            }
            Err(_) => Value::Null,
        };
        object.insert(field.name().clone(), value);
    }
    Ok(Ok(object))
}

/// A cell as JSON, or the bytes in it that are no text. What is neither text, number, list nor struct is null.
fn cell(column: &ArrayRef, row: usize) -> Result<Result<Value, Utf8Error>, ArrowError> {
    if column.is_null(row) {
        return Ok(Ok(Value::Null));
    }
    if let Some(texts) = Texts::of(&column.slice(row, 1)) {
        return Ok(texts.at(0).map(|text| text.map_or(Value::Null, Value::from)));
    }
    let list = |items: ArrayRef| {
        let items = (0..items.len()).map(|item| cell(&items, item)).collect::<Result<Vec<_>, ArrowError>>()?;
        Ok(items.into_iter().collect::<Result<_, _>>().map(Value::Array))
    };
    let one = column.slice(row, 1);
    Ok(Ok(match column.data_type() {
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::List(_) => return list(column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => return list(column.as_list::<i64>().value(row)),
        DataType::Struct(fields) => {
            let mut object = Object::new();
            for (field, column) in fields.iter().zip(column.as_struct().columns()) {
                match cell(column, row)? {
                    Ok(value) => object.insert(field.name().clone(), value),
                    Err(error) => return Ok(Err(error)),
                };
            }
            Value::Object(object)
        }
        kind if kind.is_integer() => cast(&one, &DataType::Int64)?.as_primitive::<Int64Type>().value(0).into(),
        kind if kind.is_floating() => cast(&one, &DataType::Float64)?.as_primitive::<Float64Type>().value(0).into(),
        _ => Value::Null,
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{Int32Array, ListArray, StringArray},
        datatypes::Int32Type,
    };

    use super::*;

    #[test]
    fn columns_become_fields() {
        let ids: ArrayRef = Arc::new(Int32Array::from(vec![7]));
        let answers: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("why?")]));
        let batch = RecordBatch::try_from_iter([("id", ids), ("answers", answers), ("question", texts)]);
        let batch = batch.expect("the columns are of one length");
        let object = object(&batch, 0, &["question".to_owned()]).expect("numbers").expect("text");
        assert_eq!(Value::Object(object).to_string(), r#"{"answers":[1,null],"id":7,"question":"why?"}"#);
    }
}
