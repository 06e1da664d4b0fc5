//! A reference of a TOML file's keys in Markdown, from the JSON Schema of its type.
//!
//! ```text
//! JSON Schema -> a section for each table, in the order in which they are reached -> key, type, default, what it is
//! ```
//!
//! A table that is reached from two places stands once; the other place links to it.
//!
//! Useful for: the pages below `docs/reference`, which a test holds to the types. Not useful for: guides.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
};

use schemars::Schema;
use serde_json::{Map, Value};

/// The page of a type.
///
/// - `schema`: of a type that is a table of TOML
/// - `title`: the page's title
#[must_use]
pub fn markdown(schema: &Schema, title: &str) -> String {
    let root = schema.as_value();
    let mut page = Page { root, headings: BTreeMap::new(), waiting: VecDeque::new(), text: String::new() };
    let _ = write!(page.text, "# {title}\n\n{}\n", prose(root));
    page.table(root, &[]);
    while let Some((path, repeats, schema)) = page.waiting.pop_front() {
        let _ = write!(page.text, "\n## {}\n\n", heading(&path, repeats));
        if !prose(schema).is_empty() {
            let _ = writeln!(page.text, "{}", prose(schema));
        }
        page.table(schema, &path);
    }
    page.text
}

/// A page in the making.
struct Page<'s> {
    root: &'s Value,
    /// Where each named type that is a table stands.
    headings: BTreeMap<&'s str, String>,
    /// Tables that are still to be written: their keys from the root, whether they repeat, and their schema.
    waiting: VecDeque<(Vec<String>, bool, &'s Value)>,
    text: String,
}

impl<'s> Page<'s> {
    /// The rows of a table's keys.
    fn table(&mut self, schema: &'s Value, path: &[String]) {
        let Some(keys) = schema["properties"].as_object() else { return };
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        self.text.push_str("\n| key | value | default | |\n|---|---|---|---|\n");
        for (key, property) in keys {
            let mut inner = path.to_vec();
            inner.push(key.clone());
            let value = self.value(property, &inner, false);
            let default = match (&property["default"], required.contains(&key.as_str())) {
                (_, true) => "required".to_owned(),
                // a default of a table is that of its keys
                (Value::Null | Value::Object(_), false) => String::new(),
                (default, false) => format!("`{}`", literal(default)),
            };
            let mut about = cell(&prose(property));
            for (choice, said) in self.choices(property) {
                let _ = write!(about, "<br>`{choice}`: {}", cell(&said));
            }
            let _ = writeln!(self.text, "| `{key}` | {value} | {default} | {about} |");
        }
    }

    /// What a value may be, with links to the sections of tables.
    fn value(&mut self, schema: &'s Value, path: &[String], repeats: bool) -> String {
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
            let named = &self.root["$defs"][name];
            if !is_table(named) {
                return self.value(named, path, repeats);
            }
            if let Some(heading) = self.headings.get(name) {
                return link(heading);
            }
            let heading = heading(path, repeats);
            self.headings.insert(name, heading.clone());
            self.waiting.push_back((path.to_vec(), repeats, named));
            return link(&heading);
        }
        if is_table(schema) {
            self.waiting.push_back((path.to_vec(), repeats, schema));
            return link(&heading(path, repeats));
        }
        if let Some(of) = schema.get("additionalProperties").filter(|of| of.is_object()) {
            let mut inner = path.to_vec();
            inner.push("NAME".into());
            return format!("for each name: {}", self.value(of, &inner, false));
        }
        if let Some(constant) = schema.get("const") {
            return format!("`{}`", literal(constant));
        }
        let alternatives = ["oneOf", "anyOf"].iter().find_map(|word| schema[*word].as_array());
        if let Some(alternatives) = alternatives {
            let mut some = Vec::new();
            for alternative in alternatives.iter().filter(|alternative| alternative["type"] != "null") {
                let value = self.inline(alternative, path, repeats);
                if !some.contains(&value) {
                    some.push(value);
                }
            }
            return some.join(" or ");
        }
        if let Some(choices) = schema["enum"].as_array() {
            let choices = choices.iter().filter(|choice| !choice.is_null());
            return choices.map(|choice| format!("`{}`", literal(choice))).collect::<Vec<_>>().join(" or ");
        }
        match kinds(schema).as_slice() {
            ["array"] => format!("list of {}", self.value(&schema["items"], path, true)),
            kinds => kinds.join(" or "),
        }
    }

    /// An alternative: a table with few keys stands in the line, as people write it.
    fn inline(&mut self, schema: &'s Value, path: &[String], repeats: bool) -> String {
        let Some(keys) = schema["properties"].as_object().filter(|_| schema.get("$ref").is_none()) else {
            return self.value(schema, path, repeats);
        };
        let mut written = Vec::new();
        for (key, of) in keys {
            let inner = [path, std::slice::from_ref(key)].concat();
            let value = self.value(of, &inner, false);
            // a link is none within code: that is left for it
            let value = if value.contains("](") { format!("`{value}`") } else { value.replace('`', "") };
            written.push(format!("{key} = {value}"));
        }
        format!("`{{ {} }}`", written.join(", "))
    }

    /// What each choice of an enumeration means, where it says so.
    fn choices(&self, schema: &'s Value) -> Vec<(String, String)> {
        let schema = self.resolved(schema);
        let alternatives = ["oneOf", "anyOf"].iter().find_map(|word| schema[*word].as_array());
        let mut choices = Vec::new();
        for alternative in alternatives.into_iter().flatten() {
            let name = match (&alternative["const"], alternative["properties"].as_object()) {
                (Value::String(name), _) => name.clone(),
                (_, Some(keys)) => keys.keys().cloned().collect::<Vec<_>>().join(", "),
                _ if alternative.get("$ref").is_some() || alternative["type"] == "array" => {
                    choices.extend(self.choices(alternative));
                    continue;
                }
                _ => continue,
            };
            let said = prose(alternative);
            if !said.is_empty() {
                choices.push((name, said));
            }
        }
        choices
    }

    /// The schema that is meant: what a list holds, and what a reference names, unless that is a table.
    fn resolved(&self, schema: &'s Value) -> &'s Value {
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
            return self.resolved(&self.root["$defs"][name]);
        }
        if schema["items"].is_object() { self.resolved(&schema["items"]) } else { schema }
    }
}

/// Whether a value is a table with keys that are known.
fn is_table(schema: &Value) -> bool {
    schema["properties"].as_object().is_some_and(|keys| !keys.is_empty())
}

/// The types of a value, in TOML's words.
fn kinds(schema: &Value) -> Vec<&str> {
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    names.into_iter().filter(|name| *name != "null").map(|name| if name == "number" { "float" } else { name }).collect()
}

/// How a table begins in TOML.
fn heading(path: &[String], repeats: bool) -> String {
    let path = path.join(".");
    if repeats { format!("[[{path}]]") } else { format!("[{path}]") }
}

/// A link to a section, by the anchor that Markdown's renderers give its heading.
fn link(heading: &str) -> String {
    let anchor: String =
        heading.to_lowercase().chars().filter(|sign| sign.is_alphanumeric() || matches!(sign, '_' | '-')).collect();
    format!("[`{heading}`](#{anchor})")
}

/// A value as TOML has it.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(keys) => table_literal(keys),
        other => other.to_string(),
    }
}

fn table_literal(keys: &Map<String, Value>) -> String {
    let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {}", literal(value))).collect();
    format!("{{ {} }}", keys.join(", "))
}

/// What a schema says of itself.
fn prose(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().trim().to_owned()
}

/// Prose in one cell of a table.
fn cell(prose: &str) -> String {
    prose.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::{JsonSchema, schema_for};

    use super::*;

    /// A file.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only the schema of the type is asked for")]
    struct Root {
        /// How many.
        count: u64,
        /// Parts by name.
        #[schemars(default)]
        part: BTreeMap<String, Part>,
        /// More of them.
        #[schemars(default)]
        extra: Vec<Part>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only the schema of the type is asked for")]
    struct Part {
        /// Which.
        kind: Option<Kind>,
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only the schema of the type is asked for")]
    enum Kind {
        /// All of it.
        Whole,
        /// So much.
        Share(f64),
        /// Some of it.
        Cut {
            /// From where on.
            from: u64,
        },
    }

    #[test]
    fn a_table_stands_once_and_choices_say_what_they_are() {
        let page = markdown(&schema_for!(Root), "Root");
        assert!(page.starts_with("# Root\n\nA file.\n"), "{page}");
        assert!(page.contains("| `count` | integer | required | How many. |"), "{page}");
        // keys are sorted, and the first that is reached names the section
        assert!(page.contains("| `extra` | list of [`[[extra]]`](#extra) |"), "{page}");
        assert!(page.contains("| `part` | for each name: [`[[extra]]`](#extra) |"), "{page}");
        let row = "| `kind` | `\"whole\"` or `{ share = float }` or `{ cut = `[`[extra.kind.cut]`](#extrakindcut)` }` |  \
                   | Which.<br>`whole`: All of it.<br>`share`: So much.<br>`cut`: Some of it. |";
        assert!(page.contains(row), "{page}");
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, ["## [[extra]]", "## [extra.kind.cut]"], "{page}");
    }
}
