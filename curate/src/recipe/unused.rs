//! Sources that a recipe reads and that nothing comes of.

use std::collections::BTreeSet;

use serde_json::Value;

/// The sources that stand in no mixture, train no classifier, and are held against no other.
///
/// - `recipe`: the recipe as it was run
/// - `sources`: all sources and tasks
/// - `mixed`: those of mixtures; where there are none, a run is made for its facts and decisions, and every source is of use
#[must_use]
pub fn unused_sources<'s>(
    recipe: &Value,
    sources: impl Iterator<Item = &'s str>,
    mixed: &BTreeSet<&str>,
) -> Vec<&'s str> {
    let classifiers = recipe["classifier"].as_object().into_iter().flat_map(|table| table.values());
    let sides = classifiers.flat_map(|classifier| [&classifier["positive"], &classifier["negative"]]);
    let steps = recipe["step"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let against = steps.flat_map(|step| step.values()).map(|rule| &rule["against"]);
    let lists = sides.chain(against).filter_map(Value::as_array).flatten();
    let used: BTreeSet<&str> = lists.filter_map(Value::as_str).chain(mixed.iter().copied()).collect();
    sources.filter(|source| !mixed.is_empty() && !used.contains(source)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_source_may_be_of_use_without_a_mixture() {
        let recipe = json!({
            "classifier": { "quality": { "positive": ["books"], "negative": ["web"] } },
            "step": [{ "exact_dedup": { "against": ["test"] }, "name": "forum" }, { "gopher_quality": {} }],
        });
        let sources = || ["books", "forum", "test", "web", "wiki"].into_iter();
        assert_eq!(unused_sources(&recipe, sources(), &BTreeSet::from(["web"])), ["forum", "wiki"]);
        assert!(unused_sources(&recipe, sources(), &BTreeSet::new()).is_empty(), "nothing is mixed");
    }
}
