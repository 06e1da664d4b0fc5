//! Any text as a recipe, and any setting of it: it is one, or what is wrong can be said.
#![no_main]

use curate::recipe::Recipe;
use libfuzzer_sys::fuzz_target;
use schemas::toml_file::{Setting, TomlFile};

fuzz_target!(|text: &str| {
    let (setting, text) = text.split_once('\n').unwrap_or(("", text));
    let settings: Vec<Setting> = setting.parse().into_iter().collect();
    if let Err(error) = TomlFile::from_text("recipe.toml", text).parse::<Recipe>(&settings) {
        assert!(!error.to_string().is_empty());
    }
});
