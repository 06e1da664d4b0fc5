//! Which columns of a table are text, and reading them: the one table of both programs.
//!
//! | type in Arrow | as text |
//! |---|---|
//! | `Utf8`, `LargeUtf8`, `Utf8View` | it is |
//! | `Binary`, `LargeBinary`, `BinaryView` | where the bytes of the row are UTF-8 |
//! | `Dictionary` of these, with keys of any type | as its values |
//! | `Null` | null |
//! | all others | no |
//!
//! Pandas writes categories as dictionaries; Impala, Hive and older versions of Spark do not tell text from bytes when they write (Spark's
//! documentation on `spark.sql.parquet.binaryAsString`).

use std::str::Utf8Error;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _},
    datatypes::DataType,
};

/// What the types of text are called in messages.
pub const TEXT_TYPES: &str = "a string, binary in UTF-8, or a dictionary of these";

/// A column of texts.
#[derive(Debug, Clone)]
pub struct Texts {
    values: ArrayRef,
    /// For a dictionary: of each row its place among the values, none for a null.
    keys: Option<Vec<Option<usize>>>,
}

/// Whether a column of a type is text.
#[must_use]
pub fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Null => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

impl Texts {
    /// The texts of a column; none where it is none. Nothing is copied but a dictionary's keys.
    #[must_use]
    pub fn of(column: &ArrayRef) -> Option<Self> {
        if !is_text(column.data_type()) {
            return None;
        }
        let Some(dictionary) = column.as_any_dictionary_opt() else {
            return Some(Self { values: ArrayRef::clone(column), keys: None });
        };
        let Self { values, keys: inner } = Self::of(dictionary.values())?;
        // the places of a dictionary without values cannot be had, and are not needed
        let places = if dictionary.values().is_empty() { Vec::new() } else { dictionary.normalized_keys() };
        let place = |row: usize| {
            let place = *places.get(row).filter(|_| dictionary.keys().is_valid(row))?;
            inner.as_ref().map_or(Some(place), |inner| inner[place])
        };
        Some(Self { keys: Some((0..dictionary.len()).map(place).collect()), values })
    }

    /// The text of a row; none for a null.
    ///
    /// # Errors
    /// When its bytes are not UTF-8.
    pub fn at(&self, row: usize) -> Result<Option<&str>, Utf8Error> {
        let place = match &self.keys {
            None => row,
            Some(keys) => match keys[row] {
                Some(place) => place,
                None => return Ok(None),
            },
        };
        let values = &self.values;
        if values.is_null(place) {
            return Ok(None);
        }
        let bytes = match values.data_type() {
            DataType::Utf8 => return Ok(Some(values.as_string::<i32>().value(place))),
            DataType::LargeUtf8 => return Ok(Some(values.as_string::<i64>().value(place))),
            DataType::Utf8View => return Ok(Some(values.as_string_view().value(place))),
            DataType::Binary => values.as_binary::<i32>().value(place),
            DataType::LargeBinary => values.as_binary::<i64>().value(place),
            DataType::BinaryView => values.as_binary_view().value(place),
            // of nulls alone
            _ => return Ok(None),
        };
        std::str::from_utf8(bytes).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{BinaryArray, DictionaryArray, Int32Array, NullArray, StringArray},
        compute::cast,
        datatypes::{Int8Type, UInt64Type},
    };

    use super::*;

    /// Every type of the table gives the same texts.
    #[test]
    fn a_text_is_the_same_in_every_type() {
        let plain: ArrayRef = Arc::new(StringArray::from(vec![Some("salt"), None, Some("öl"), Some("salt"), Some("")]));
        let expected = [Some("salt"), None, Some("öl"), Some("salt"), Some("")];
        let text = [
            DataType::Utf8,
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::Binary,
            DataType::LargeBinary,
            DataType::BinaryView,
        ];
        let keys = [DataType::Int8, DataType::UInt16, DataType::Int32, DataType::UInt64];
        let dictionary =
            |values: &DataType| keys.clone().map(|key| DataType::Dictionary(key.into(), values.clone().into()));
        let types: Vec<DataType> = text.iter().cloned().chain(text.iter().flat_map(dictionary)).collect();
        for kind in types {
            let column = match &kind {
                // packed as strings first, for arrow packs no dictionary of every type
                DataType::Dictionary(key, values) => {
                    let strings =
                        cast(&plain, &DataType::Dictionary(key.clone(), DataType::Utf8.into())).expect("packed");
                    let dictionary = strings.as_any_dictionary();
                    dictionary.with_values(cast(dictionary.values(), values).expect("the values are texts"))
                }
                kind => cast(&plain, kind).expect("a text is all of these"),
            };
            assert_eq!(column.data_type(), &kind);
            let texts = Texts::of(&column).expect("it is text");
            let found: Vec<Option<&str>> = (0..column.len()).map(|row| texts.at(row).expect("it is UTF-8")).collect();
            assert_eq!(found, expected, "{kind}");
            // a part of a column begins where it begins
            let texts = Texts::of(&column.slice(2, 2)).expect("it is text");
            assert_eq!([texts.at(0), texts.at(1)], [Ok(Some("öl")), Ok(Some("salt"))], "{kind}");
        }
    }

    #[test]
    fn nulls_and_bytes_that_are_no_text_are_told_by_row() {
        let binary: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"ok"[..]), Some(b"\xff\xfe"), None]));
        let texts = Texts::of(&binary).expect("it may be text");
        assert_eq!((texts.at(0), texts.at(2)), (Ok(Some("ok")), Ok(None)));
        assert_eq!(texts.at(1).expect_err("it is no text").valid_up_to(), 0);

        // null in the keys, null among the values, and no value at all
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        let keys = arrow::array::PrimitiveArray::<Int8Type>::from(vec![Some(0), None, Some(1)]);
        let column: ArrayRef = Arc::new(DictionaryArray::new(keys, words));
        let texts = Texts::of(&column).expect("it is text");
        assert_eq!([texts.at(0), texts.at(1), texts.at(2)], [Ok(Some("a")), Ok(None), Ok(None)]);
        let none: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
        let keys = arrow::array::PrimitiveArray::<UInt64Type>::from(vec![None, None]);
        let column: ArrayRef = Arc::new(DictionaryArray::new(keys, none));
        assert_eq!(Texts::of(&column).expect("it is text").at(1), Ok(None));
        let nulls: ArrayRef = Arc::new(NullArray::new(2));
        assert_eq!(Texts::of(&nulls).expect("it may be text").at(1), Ok(None));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        assert!(Texts::of(&numbers).is_none());
    }
}
