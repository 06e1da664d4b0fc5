//! Running the program, and looking at what it leaves behind.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use schemas::ledger::Ledger;
use tempfile::TempDir;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository").to_owned()
}

/// A recipe of the fixture.
pub fn recipe(name: &str) -> PathBuf {
    root().join("fixtures/recipes").join(name)
}

/// A folder that is gone when the test is.
pub fn temporary() -> TempDir {
    tempfile::tempdir().expect("the temporary folder can be written")
}

/// The program with some arguments, not yet started.
pub fn curate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_curate"));
    command.args(arguments).env_remove("RUST_BACKTRACE");
    command
}

/// `curate run RECIPE --out OUT` with more arguments.
pub fn run(recipe: &Path, out: &Path, more: &[&str]) -> Output {
    let arguments = ["run", text(recipe), "--out", text(out)];
    curate(&[&arguments, more].concat()).output().expect("the program can be started")
}

/// The same, which must succeed.
pub fn run_well(recipe: &Path, out: &Path, more: &[&str]) -> Ledger {
    let output = run(recipe, out, more);
    assert!(output.status.success(), "{}", stderr(&output));
    ledger(out)
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// The ledger of a run.
pub fn ledger(out: &Path) -> Ledger {
    let bytes = fs::read(out.join("ledger.json")).expect("a finished run has a ledger");
    serde_json::from_slice(&bytes).expect("the ledger is one")
}

/// All files below some folders of a run, with their hashes.
pub fn hashes(out: &Path, within: &[&str]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<PathBuf> = within.iter().map(|name| out.join(name)).collect();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(&path).expect("the folder can be listed").map(|entry| entry.expect("an entry").path()),
            );
        } else if path.is_file() {
            let hash = system::hash_file(&path).expect("the file can be read").sha256;
            let name = path.strip_prefix(out).expect("the file lies in the run").to_string_lossy().into_owned();
            found.insert(name, hash);
        }
    }
    assert!(!found.is_empty(), "{} has none of {within:?}", out.display());
    found
}

/// What promise 2 is about: everything but the report, the manifest and the working files.
pub const OUTPUTS: [&str; 6] = ["documents", "facts", "decisions", "models", "mixtures", "ledger.json"];
