//! What two recipes, seeds, programs and inputs differ in.

use std::collections::BTreeMap;

use schemas::manifest::Manifest;
use serde_json::Value;

/// A setting that is not the same in two runs; none where a run has no such setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub key: String,
    pub first: Option<String>,
    pub second: Option<String>,
}

/// What two manifests differ in, apart from outputs.
pub fn changes(first: &Manifest, second: &Manifest) -> Vec<Change> {
    let (mut first, mut second) = (settings(first), settings(second));
    let keys: Vec<String> =
        first.keys().chain(second.keys().filter(|key| !first.contains_key(*key))).cloned().collect();
    let changes = keys.into_iter().map(|key| {
        let (first, second) = (first.remove(&key), second.remove(&key));
        Change { key, first, second }
    });
    changes.filter(|change| change.first != change.second).collect()
}

/// All that a run follows from, by name.
fn settings(manifest: &Manifest) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    flatten("", &manifest.recipe, &mut settings);
    settings.insert("seed".to_owned(), manifest.seed.to_string());
    for (program, version) in &manifest.versions {
        settings.insert(format!("version of {program}"), version.clone());
    }
    for file in &manifest.inputs {
        let name = std::path::Path::new(&file.path).file_name().unwrap_or_default().to_string_lossy();
        let hashes: &mut String = settings.entry(format!("input {name}")).or_default();
        // files of one name count together
        hashes.push_str(file.sha256.get(..12).unwrap_or_default());
    }
    settings
}

/// The leaves of a value, by the keys that lead to them. Steps are known by their names, and by their order.
fn flatten(path: &str, value: &Value, settings: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(table) if !table.is_empty() => {
            for (key, value) in table {
                flatten(&below(key), value, settings);
            }
        }
        Value::Array(steps) if path == "step" => {
            let mut names: Vec<String> = Vec::new();
            for step in steps {
                let kind = || step.as_object().into_iter().flatten().find(|(_, value)| value.is_object());
                let name = step["name"].as_str().or_else(|| kind().map(|(kind, _)| kind.as_str()));
                let name = name.or_else(|| step["preset"].as_str()).unwrap_or("step");
                let earlier = names.iter().filter(|other| other.split(' ').next() == Some(name)).count();
                let name = if earlier == 0 { name.to_owned() } else { format!("{name} {}", earlier + 1) };
                flatten(&format!("step.{name}"), step, settings);
                names.push(name);
            }
            settings.insert("steps".to_owned(), names.join(", "));
        }
        Value::String(text) => {
            settings.insert(path.to_owned(), text.clone());
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            let items: Vec<String> =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect();
            settings.insert(path.to_owned(), items.join(", "));
        }
        other => {
            settings.insert(path.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(recipe: Value) -> Manifest {
        Manifest {
            name: "test".into(),
            seed: 1,
            reproducible: true,
            recipe,
            versions: BTreeMap::new(),
            inputs: vec![],
            outputs: vec![],
        }
    }

    #[test]
    fn a_step_is_known_by_its_name_wherever_it_stands() {
        let first = manifest(json!({"step": [{"exact_dedup": {}}, {"pareto": {"alpha": 1.0}, "sources": ["web"]}]}));
        let second =
            manifest(json!({"step": [{"pareto": {"alpha": 3.0}, "sources": ["web"]}], "splits": {"test": 0.1}}));
        let change = |key: &str, first: Option<&str>, second: Option<&str>| Change {
            key: key.into(),
            first: first.map(str::to_owned),
            second: second.map(str::to_owned),
        };
        let expected = [
            change("step.exact_dedup.exact_dedup", Some("{}"), None),
            change("step.pareto.pareto.alpha", Some("1.0"), Some("3.0")),
            change("steps", Some("exact_dedup, pareto"), Some("pareto")),
            change("splits.test", None, Some("0.1")),
        ];
        assert_eq!(changes(&first, &second), expected);
        assert_eq!(changes(&first, &first), []);
    }
}
