//! The house: rooms stand on floors, and use only what lies below.

use std::{fs, path::Path};

/// The rooms from the ground up, as the design lists them.
const FLOORS: [&str; 16] = [
    "text", "archive", "error", "plan", "files", "extract", "source", "learn", "measure", "decide", "write", "engine",
    "recipe", "run", "report", "cli",
];

/// No module uses one above it.
#[test]
fn nobody_looks_up() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut looking_up = Vec::new();
    for (floor, room) in FLOORS.iter().enumerate() {
        for (path, text) in
            rust_files(&source.join(room)).into_iter().chain(rust_files(&source.join(format!("{room}.rs"))))
        {
            for above in &FLOORS[floor + 1..] {
                if uses(&text, above) {
                    looking_up.push(format!("{path} uses `{above}`"));
                }
            }
        }
    }
    assert!(looking_up.is_empty(), "{}", looking_up.join("\n"));
}

/// Every room is on the list.
#[test]
fn every_room_has_its_floor() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).expect("the sources can be listed") {
        let name = entry.expect("an entry").file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        assert!(["lib", "main"].contains(&name.as_str()) || FLOORS.contains(&name.as_str()), "`{name}` has no floor");
    }
}

/// Whether code refers to a room of this crate, by a path or in a `use crate::{...}`.
fn uses(text: &str, room: &str) -> bool {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let direct = code.contains(&format!("crate::{room}::")) || code.contains(&format!("crate::{room};"));
    let listed = code.split("use crate::{").skip(1).any(|list| {
        let list = list.split("};").next().unwrap_or_default();
        list.lines()
            .any(|line| line.trim_start().starts_with(&format!("{room}::")) || line.trim() == format!("{room},"))
            || list.split([',', '{', ' ']).any(|part| part.trim().starts_with(&format!("{room}::")))
    });
    direct || listed
}

fn rust_files(path: &Path) -> Vec<(String, String)> {
    if path.is_file() {
        return vec![(path.display().to_string(), fs::read_to_string(path).expect("the file can be read"))];
    }
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() || path.extension().is_some_and(|kind| kind == "rs") { rust_files(&path) } else { vec![] }
        })
        .collect()
}
