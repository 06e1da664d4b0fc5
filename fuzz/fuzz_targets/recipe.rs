//! Any text as a recipe, and any setting of it: it is one whose plan can be checked, or what is wrong can be said.
//!
//! The first line is a setting. Names of files have no folders: the fixture's files lie in one folder, their paths without slashes, and no
//! pattern reaches out of it.
#![no_main]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use curate::recipe::{Plan, Recipe};
use libfuzzer_sys::fuzz_target;
use schemas::toml_file::{Setting, TomlFile};

/// A folder with the fixture's files.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("curate-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    for part in ["", "crawl", "tasks"] {
        for entry in fs::read_dir(fixtures.join(part)).expect("the fixture is there").filter_map(Result::ok) {
            if entry.path().is_file() {
                let name = format!("{part}{}", entry.file_name().to_string_lossy());
                fs::copy(entry.path(), folder.join(name)).expect("the file can be copied");
            }
        }
    }
    folder
});

fuzz_target!(|text: &str| {
    let text = text.replace("..", "").replace('/', "");
    let (setting, text) = text.split_once('\n').unwrap_or(("", &text));
    let settings: Vec<Setting> = setting.parse().into_iter().collect();
    let file = TomlFile::from_text(FOLDER.join("recipe.toml"), text);
    if let Err(error) = file.parse::<Recipe>(&settings) {
        assert!(!error.to_string().is_empty());
    }
    if let Err(error) = Plan::of(&file, &settings) {
        assert!(!error.to_string().is_empty());
    }
});
