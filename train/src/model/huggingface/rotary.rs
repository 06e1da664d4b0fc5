//! Rotary positions as a `config.json` has them.
//!
//! ```text
//! transformers 5       "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, ...}
//! transformers 2 to 4  "rope_theta": 500000.0, "rope_scaling": {"rope_type" or "type": "llama3", "factor": 8.0, ...}
//! ```
//!
//! Where both objects stand, `rope_scaling` is taken; where both bases stand, the one within the object: as transformers 5 does.

use serde_json::{Value, json};

use super::keys::Keys;
use crate::{model::Positions, tensor::RopeScaling};

/// The base, and how frequencies are scaled.
pub fn described(keys: &Keys<'_>, context_length: usize) -> Result<(f64, Option<RopeScaling>), String> {
    keys.only("partial_rotary_factor", &[json!(1.0), json!(1)])?;
    let (scaling, parameters) = (keys.value("rope_scaling"), keys.value("rope_parameters"));
    let is_set = |object: &Value| object.as_object().is_some_and(|object| !object.is_empty());
    let (place, object) = if is_set(scaling) { ("rope_scaling", scaling) } else { ("rope_parameters", parameters) };
    let named = |name: &str| Some(&object[name]).filter(|value| !value.is_null());
    let number = |name: &str| {
        let value = named(name).ok_or_else(|| format!("`{place}` has no `{name}`"))?;
        value.as_f64().ok_or_else(|| format!("`{name}` in `{place}` is {value}, and no number"))
    };
    // read in any case: folders have it at both places
    let at_top = keys.number("rope_theta")?;
    let base = if named("rope_theta").is_some() { number("rope_theta")? } else { at_top };
    // at the top, too, models have written how long they were before they were stretched
    let original_context_length = match keys.optional_count("original_max_position_embeddings")? {
        Some(original) => original,
        None => match named("original_max_position_embeddings") {
            None => context_length,
            Some(value) => value.as_u64().and_then(|count| usize::try_from(count).ok()).ok_or_else(|| {
                format!("`original_max_position_embeddings` in `{place}` is {value}, and no whole number")
            })?,
        },
    };
    let kind = named("rope_type").or(named("type")).map_or(Ok("default"), |kind| {
        kind.as_str().ok_or_else(|| format!("`rope_type` in `{place}` is {kind}, and no text"))
    })?;
    let (scaling, known): (_, &[&str]) = match kind {
        "default" => (None, &[]),
        "linear" => (Some(RopeScaling::Linear { factor: number("factor")? }), &["factor"]),
        "llama3" => (
            Some(RopeScaling::Llama3 {
                factor: number("factor")?,
                low_freq_factor: number("low_freq_factor")?,
                high_freq_factor: number("high_freq_factor")?,
                original_context_length,
            }),
            &["factor", "low_freq_factor", "high_freq_factor"],
        ),
        other => {
            return Err(format!(
                "`{place}` asks for rotary positions of the kind `{other}`; only `default`, `linear` and `llama3` can be computed"
            ));
        }
    };
    let always = ["rope_type", "type", "rope_theta", "original_max_position_embeddings"];
    let unread = object.as_object().and_then(|object| {
        object.iter().find(|(name, value)| {
            let is_one = *name == "partial_rotary_factor" && value.as_f64() == Some(1.0);
            !value.is_null() && !is_one && !always.contains(&name.as_str()) && !known.contains(&name.as_str())
        })
    });
    match unread {
        Some((name, value)) => {
            Err(format!("`{name}` in `{place}` is {value}, which positions of the kind `{kind}` do not read"))
        }
        None => Ok((base, scaling)),
    }
}

/// The keys, in the words of transformers 5 and of those before it; none where positions are not rotary.
pub fn config(positions: Positions) -> Value {
    let Positions::Rotary { theta, scaling } = positions else { return Value::Null };
    let Some(scaling) = scaling else {
        return json!({"rope_theta": theta, "rope_parameters": {"rope_type": "default", "rope_theta": theta}});
    };
    let older = match scaling {
        RopeScaling::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context_length } => json!({
            "rope_type": "llama3", "factor": factor, "low_freq_factor": low_freq_factor, "high_freq_factor": high_freq_factor,
            "original_max_position_embeddings": original_context_length,
        }),
    };
    let mut newer = older.clone();
    newer["rope_theta"] = theta.into();
    json!({"rope_theta": theta, "rope_scaling": older, "rope_parameters": newer})
}
