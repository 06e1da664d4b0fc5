//! The recipes of published pipelines in `examples/`: each can be run, and says what it follows and what it leaves out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::{curate, root, stderr, stdout, text};

const PIPELINES: [&str; 11] =
    ["c4", "dclm", "dolma", "fineweb", "flan", "glam", "gpt3", "massivetext", "refinedweb", "t5", "webtext"];

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("examples")).expect("the examples can be listed");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
    paths.sort();
    paths
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("names of examples are UTF-8")
}

#[test]
fn there_is_one_for_each_pipeline() {
    let paths = examples();
    assert_eq!(paths.iter().map(|path| stem(path)).collect::<Vec<_>>(), PIPELINES);
}

/// Whatever path names it: those in it start at its own folder, and so do its [folders].
#[test]
fn every_example_passes_check() {
    for path in examples() {
        let name = stem(&path);
        for named in [text(&path), &format!("examples/{name}.toml")] {
            let mut check = curate(&["check", named]);
            let output = check.current_dir(root()).output().expect("the program can be started");
            assert!(output.status.success(), "{}", stderr(&output));
            let said = stdout(&output);
            assert!(said.starts_with(&format!("{name}, seed 1\n")), "{named}: {said}");
        }
    }
}

/// The head comment names the source and what is left out, and shows a command that is meant for this file.
#[test]
fn every_example_says_what_it_follows() {
    for path in examples() {
        let written = fs::read_to_string(&path).expect("the example can be read");
        let head: Vec<&str> = written.lines().take_while(|line| line.starts_with('#')).collect();
        for begins in ["# Source: ", "# Leaves out: ", &format!("#     curate run examples/{}.toml", stem(&path))] {
            assert!(head.iter().any(|line| line.starts_with(begins)), "{} has no line `{begins}`", path.display());
        }
    }
}

/// `examples/README.md` lists them, and nothing else.
#[test]
fn the_list_names_every_example() {
    let list = fs::read_to_string(root().join("examples/README.md")).expect("the list can be read");
    let named: BTreeSet<&str> = list.split(['(', ')']).filter_map(|part| part.strip_suffix(".toml")).collect();
    assert_eq!(named, BTreeSet::from(PIPELINES));
}
