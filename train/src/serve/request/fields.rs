//! The fields of an object, taken out one by one.

use serde_json::{Map, Value};

use crate::serve::error::{ApiError, ApiResult};

/// What of a value is shown in a message.
const SHOWN: usize = 60;

/// The fields that nobody has taken yet.
#[derive(Debug)]
pub struct Fields {
    object: Map<String, Value>,
    /// What stands before the names in messages, such as `messages[0].`.
    within: String,
}

impl Fields {
    /// Those of a body.
    ///
    /// # Errors
    /// When it is no JSON, or no object.
    pub fn of_body(body: &[u8]) -> ApiResult<Self> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::invalid(format!("the body is not valid JSON: {error}")))?;
        match value {
            Value::Object(object) => Ok(Self { object, within: String::new() }),
            other => Err(ApiError::invalid(format!("the body has to be an object, not {}", shown(&other)))),
        }
    }

    /// Those of an object that stands at `place`.
    ///
    /// # Errors
    /// When it is none.
    pub fn of_value(value: Value, place: &str) -> ApiResult<Self> {
        match value {
            Value::Object(object) => Ok(Self { object, within: format!("{place}.") }),
            other => Err(ApiError::of(place, format!("`{place}` has to be an object, not {}", shown(&other)))),
        }
    }

    /// A name with what it stands within.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.within)
    }

    /// A field; none where there is none, or it is null.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name).filter(|value| !value.is_null())
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    pub fn bool(&mut self, name: &str) -> ApiResult<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(self.other(name, "true or false", &other)),
        }
    }

    pub fn string(&mut self, name: &str) -> ApiResult<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value)),
            Some(other) => Err(self.other(name, "a string", &other)),
        }
    }

    /// A number between two.
    pub fn number(&mut self, name: &str, [least, most]: [f64; 2]) -> ApiResult<Option<f64>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_f64().filter(|number| (least..=most).contains(number));
        let wanted = || self.other(name, &format!("a number from {least} to {most}"), &value);
        number.map(Some).ok_or_else(wanted)
    }

    /// A count of things between two.
    pub fn count(&mut self, name: &str, [least, most]: [usize; 2]) -> ApiResult<Option<usize>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        let wanted = || self.other(name, &format!("a whole number from {least} to {most}"), &value);
        number.map(Some).ok_or_else(wanted)
    }

    /// Takes a field that asks for nothing by these values, and is refused with others.
    pub fn neutral(&mut self, name: &str, values: &[Value]) -> ApiResult<()> {
        match self.take(name) {
            Some(value) if !values.contains(&value) => {
                let name = self.name(name);
                Err(ApiError::of(&name, format!("this server does not support `{name}`: {}", shown(&value))))
            }
            _ => Ok(()),
        }
    }

    /// Takes fields of what this server does not have, whatever they say: null alone asks for nothing.
    pub fn unsupported(&mut self, names: &[&str]) -> ApiResult<()> {
        names.iter().try_for_each(|name| self.neutral(name, &[]))
    }

    /// Takes fields that change nothing.
    pub fn pass_over(&mut self, names: &[&str]) {
        names.iter().for_each(|name| drop(self.object.remove(*name)));
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    /// At the first field that nobody has taken.
    pub fn end(self) -> ApiResult<()> {
        match self.object.keys().next() {
            Some(name) => Err(ApiError::unknown(&self.name(name))),
            None => Ok(()),
        }
    }

    /// That a field is something else than it should be.
    pub fn other(&self, name: &str, wanted: &str, found: &Value) -> ApiError {
        let name = self.name(name);
        ApiError::of(&name, format!("`{name}` has to be {wanted}, not {}", shown(found)))
    }
}

/// A value in a message, cut where it is long.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("a list of {}", values.len()),
        Value::Object(_) => "an object".into(),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}...", &text[..end]),
                None => text,
            }
        }
    }
}

/// A token's id.
///
/// # Errors
/// When it is none, or one that the vocabulary does not have.
pub fn id(value: &Value, place: &str, vocab_size: usize) -> ApiResult<u32> {
    let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
    let id =
        id.ok_or_else(|| ApiError::of(place, format!("`{place}` has a token id that is none: {}", shown(value))))?;
    if (id as usize) < vocab_size {
        return Ok(id);
    }
    let message = format!("`{place}` has the token id {id}, and the model's ids end before {vocab_size}");
    Err(ApiError::of(place, message))
}
