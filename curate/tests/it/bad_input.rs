//! Bad input: each gets an error that names the thing and the place, a code, and leaves what was there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use fixtures::needs::skipped;
use tempfile::TempDir;

use crate::support::{OUTPUTS, curate, hashes, recipe, root, run, run_well, stderr, temporary, text};

/// A recipe of its own, next to the fixture's files.
fn written(lines: &str) -> (TempDir, PathBuf) {
    let folder = temporary();
    let path = folder.path().join("recipe.toml");
    fs::write(&path, lines.replace("FIXTURES", text(&root().join("fixtures")))).expect("the recipe can be written");
    (folder, path)
}

const SOUND: &str = r#"name = "small"
seed = 1
[source.crawl]
warc = ["FIXTURES/crawl/*.warc.gz"]
max_error_rate = 0.05
max_lost_rate = 0.05

[mixture.text]
weights = { crawl = 1 }
"#;

/// The error of a recipe with a replacement, with the folders' names taken out.
fn error_of(old: &str, new: &str) -> String {
    assert!(SOUND.contains(old), "the sound recipe has {old:?}");
    let (folder, path) = written(&SOUND.replace(old, new));
    let out = temporary();
    let output = run(&path, &out.path().join("out"), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(!out.path().join("out").exists(), "nothing is made before the recipe is known to be sound");
    let root = root();
    let longer = "^".repeat(text(&root).len() - "ROOT".len());
    let mut under_root = false;
    let lines = stderr(&output).replace(text(folder.path()), "FOLDER");
    let lines = lines.lines().map(|line| {
        // a line of carets is as long as what it stands under
        let shown = if under_root { line.replacen(&longer, "", 1) } else { line.replace(text(&root), "ROOT") };
        under_root = line.contains(text(&root));
        shown + "\n"
    });
    lines.collect()
}

/// A step whose stage would be taken for one that makes a mixture.
#[test]
fn a_step_has_no_name_of_a_mixtures_stage() {
    let error = error_of("[mixture.text]", "[[step]]\nname = \"mixture-text\"\nexact_dedup = {}\n\n[mixture.text]");
    assert!(error.contains("recipe.toml:9:8: `mixture-` begins the names of stages that make mixtures"), "{error}");
}

#[test]
fn a_sound_recipe_is_sound() {
    let (_folder, path) = written(SOUND);
    run_well(&path, temporary().path(), &[]);
}

#[test]
fn faults_of_recipes_are_shown_in_their_line() {
    let errors = [
        error_of("max_error_rate", "max_eror_rate"),
        error_of("/*.warc.gz", "/*.warc.zst"),
        error_of("seed = 1", "seed = \"one\""),
        error_of("crawl = 1", "web = 1"),
        error_of("[mixture.text]", "[[step]]\nlanguage = { keep = [\"en\"] }\n\n[mixture.text]"),
        error_of("[mixture.text]", "[[step]]\npareto = { classifier = \"quality\" }\n\n[mixture.text]"),
        error_of("[mixture.text]", "[[step]]\nsources = [\"crawl\"]\n\n[mixture.text]"),
        error_of("weights = { crawl = 1 }", "weights = { crawl = 1 "),
    ];
    insta::assert_snapshot!(errors.join("\n"));
}

/// A length that lets everything through, or nothing, is a mistake.
#[test]
fn a_length_has_limits_that_a_document_can_meet() {
    for (length, said) in [
        ("{}", "a length has a limit: set `min_words`, `max_words`,"),
        ("{ min_words = 5, min_lines = 9, max_lines = 3 }", "no document has at least 9 and at most 3 lines"),
    ] {
        let error = error_of("[mixture.text]", &format!("[[step]]\nlength = {length}\n\n[mixture.text]"));
        assert!(error.contains("recipe.toml:9:10: ") && error.contains(said), "{length}: {error}");
    }
}

/// A percentage where a share should be would be no limit at all: it is refused in its line, and on the command line before anything is read.
#[test]
fn a_percentage_is_no_share() {
    let said = "a share lies between 0 and 1";
    for (old, new, line) in [
        ("max_error_rate = 0.05", "max_error_rate = 5", "recipe.toml:5:18: "),
        ("max_lost_rate = 0.05", "max_lost_rate = nan", "recipe.toml:6:17: "),
        ("max_lost_rate = 0.05", "max_lost_rate = -0.1", "recipe.toml:6:17: "),
        (
            "[mixture.text]",
            "[[step]]\nfineweb_quality = { max_short_lines = 67 }\n\n[mixture.text]",
            "recipe.toml:9:39: ",
        ),
        (
            "[mixture.text]",
            "[[step]]\n[step.gopher_repetition]\nmax_top_ngrams = [0.2, 18, 0.16]\n\n[mixture.text]",
            "recipe.toml:10:",
        ),
    ] {
        let error = error_of(old, new);
        assert!(error.contains(line) && error.contains(said), "{new}: {error}");
    }
    let (_folder, path) = written(SOUND);
    let error = stderr(&run(&path, temporary().path(), &["--set", "source.crawl.max_error_rate=5"]));
    assert!(error.contains("--set source.crawl.max_error_rate=5: ") && error.contains(said), "{error}");
    for arguments in [
        &["measure", "--max-lost-rate", "5", "none.jsonl"][..],
        &["dedup", "--max-error-rate", "1.5", "--out", "none", "none.jsonl"],
        &["classifier", "score", "--min-known", "nan", "--model", "none", "none.jsonl"],
    ] {
        let output = curate(arguments).output().expect("the program can be started");
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_setting_of_an_unknown_key_is_named() {
    let (_folder, path) = written(SOUND);
    let output = run(&path, temporary().path(), &["--set", "source.crawl.max_eror_rate=0.5"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).starts_with("error: --set source.crawl.max_eror_rate=0.5: unknown field"),
        "{}",
        stderr(&output)
    );
    let output = run(&path, temporary().path(), &["--threads", "none"]);
    assert_eq!(output.status.code(), Some(2), "a command line that cannot be understood");
}

/// Recipes with a name that has changed, which is the last word before ` =`, and the name that it has now.
const OLD_NAMES: [(&str, &str); 29] = [
    ("[source.crawl]\nfault_limit = 0.05", "max_error_rate"),
    ("[source.crawl]\nlost_limit = 0.05", "max_lost_rate"),
    ("[task.sums]\nfault_limit = 0.05", "max_error_rate"),
    ("[[step]]\nsame_url = {}", "url_dedup"),
    ("[[step]]\nexact_duplicates = {}", "exact_dedup"),
    ("[[step]]\nnormalized_duplicates = {}", "normalized_dedup"),
    ("[[step]]\nnear_duplicates = {}", "fuzzy_dedup"),
    ("[[step]]\nrepeats = {}", "substring_dedup"),
    ("[step.substring_dedup]\npassage = \"lines\"", "unit"),
    ("[remains]\nmin_bytes = 1", "after_cuts"),
    ("[classifier.a]\npassage_words = 25", "chunk_words"),
    ("[classifier.a]\npassages = 100", "max_chunks"),
    ("[classifier.a]\npenalty = 1e-3", "l2"),
    ("[classifier.a]\niterations = 100", "max_iterations"),
    ("[classifier.a.fasttext]\nwidth = 100", "dim"),
    ("[classifier.a.fasttext]\nrate = 0.1", "lr"),
    ("[classifier.a.fasttext]\nword_run = 2", "word_ngrams"),
    ("[classifier.a.fasttext]\nbuckets = 1000", "bucket"),
    ("[facts.overlaps]\nlongest = 13", "max_ngram"),
    ("[facts.overlaps]\nshortest = 8", "min_ngram"),
    ("[facts.overlaps]\naround = 200", "context_chars"),
    ("[step.gopher_repetition]\nmax_top_runs = [0.2, 0.18, 0.16]", "max_top_ngrams"),
    ("[step.gopher_repetition]\nmax_repeated_runs = [0.15, 0.14, 0.13, 0.12, 0.11, 0.1]", "max_repeated_ngrams"),
    ("[mixture.a]\nmanners = [\"flan\"]", "prompt_styles"),
    ("[mixture.a]\ndraw_template = true", "sample_template"),
    ("[mixture.a]\nat_most = { train = 10 }", "max_examples"),
    ("[mixture.a.demonstrations]\nleast = 0", "min"),
    ("[mixture.a.demonstrations]\nmost = 8", "max"),
    ("[mixture.a.demonstrations]\nbetween = \" \"", "separator"),
];

/// An old name is refused in its line, with the new one.
#[test]
fn an_old_name_says_the_new_one() {
    for (lines, new) in OLD_NAMES {
        let lines = lines.replace("[step.", "[[step]]\n[step.");
        let (folder, path) = written(&format!("name = \"old\"\nseed = 1\n{lines}\n"));
        let output = run(&path, &folder.path().join("out"), &[]);
        let error = stderr(&output);
        let said = format!(" is called `{new}` by now");
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.lines().next().is_some_and(|line| line.contains("recipe.toml:") && line.ends_with(&said)),
            "{error}"
        );
    }
    for (lines, new) in [
        ("only = \"row\"", "filter"),
        ("[[template]]\nmanner = \"t5\"", "prompt_style"),
        ("[[template]]\nturned_around = true", "inverted"),
    ] {
        let (_folder, path) = written(lines);
        let error = stderr(&curate(&["render", text(&path)]).output().expect("the program can be started"));
        assert!(error.contains(&format!(" is called `{new}` by now")), "{error}");
    }
    let (_folder, path) = written(SOUND);
    let error = stderr(&run(&path, temporary().path(), &["--set", "source.crawl.fault_limit=0.5"]));
    let said = "--set source.crawl.fault_limit=0.5: `fault_limit` is called `max_error_rate` by now";
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = temporary();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").expect("the file can be written");
    let output = run(&recipe("fixture.toml"), &file.join("out"), &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("cannot make the folder") && error.contains("/file/out"), "{error}");
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), "no folder");
}

#[test]
fn an_empty_crawl_is_named() {
    let (folder, path) = written(&SOUND.replace("FIXTURES/crawl/*.warc.gz", "empty.warc.gz"));
    fs::write(folder.path().join("empty.warc.gz"), "").expect("the file can be written");
    let output = run(&path, &folder.path().join("out"), &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("source `crawl` has no record in") && error.contains("empty.warc.gz"), "{error}");
}

#[test]
fn a_crawl_of_broken_records_only_is_named() {
    let (folder, path) = written(&SOUND.replace("FIXTURES/crawl/*.warc.gz", "broken.warc.gz"));
    fs::write(folder.path().join("broken.warc.gz"), "this is no archive\n".repeat(50))
        .expect("the file can be written");
    let output = run(&path, &folder.path().join("out"), &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("source `crawl`: 950 of 950 bytes are lost, more than `max_lost_rate` = 0"), "{error}");
    assert!(error.contains("out/quarantine/crawl.jsonl"), "{error}");
    let list = fs::read_to_string(folder.path().join("out/quarantine/crawl.jsonl")).expect("the list is written");
    assert!(list.contains("warc_") && list.contains("broken.warc.gz"), "{list}");
}

/// A crawl whose every page is dropped leaves nothing to mix.
#[test]
fn a_mixture_without_documents_is_named() {
    let step = "[[step]]\ngopher_quality = { min_words = 90000 }\n\n[mixture.text]";
    let (_folder, path) = written(&SOUND.replace("[mixture.text]", step));
    let output = run(&path, temporary().path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("mixture `text`: source `crawl` has no document left to train on"), "{error}");
}

/// On a disk that is full, the run fails with the file that could not be written; what was there before stays.
#[test]
fn a_full_disk_is_named() {
    let folder = temporary();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).expect("the folder can be made");
    let program = env!("CARGO_BIN_EXE_curate");
    let fixture = recipe("fixture.toml");
    // a disk of its own, seen by this process alone; a first run fits, and then little is left
    let script = format!(
        "mount -t tmpfs -o size=12m tmpfs {disk} && \
         {program} -q run {recipe} --out {disk}/out >/dev/null && \
         (cd {disk}/out && find mixtures decisions ledger.json -type f | sort | xargs sha256sum) > {folder}/before && \
         head -c 100m /dev/zero > {disk}/filler 2>/dev/null; truncate -s -150k {disk}/filler; \
         {program} run {recipe} --out {disk}/out --fresh --set seed=7 2> {folder}/error; echo $? > {folder}/code; \
         (cd {disk}/out && find mixtures ledger.json -type f | sort | xargs sha256sum) > {folder}/after",
        disk = text(&disk),
        recipe = text(&fixture),
        folder = text(folder.path()),
    );
    let unshared = Command::new("unshare").args(["--map-root-user", "--mount", "sh", "-c", &script]).output();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    if read("code").is_empty() {
        let why = unshared.map_or_else(|error| error.to_string(), |output| stderr(&output));
        skipped("a_full_disk_is_named", &format!("no disk of its own can be had here: {}", why.trim()));
        return;
    }
    assert_eq!(read("code").trim(), "1", "{}", read("error"));
    assert!(read("error").contains("No space left on device"), "{}", read("error"));
    assert!(read("error").contains(text(&disk)), "the file is named: {}", read("error"));
    let (before, after) = (read("before"), read("after"));
    assert!(!before.is_empty());
    for line in before.lines().filter(|line| !line.contains("decisions/")) {
        assert!(after.contains(line), "{line} is not there any more");
    }
}

/// A later run with a fault leaves the finished run as it was.
#[test]
fn a_failing_run_leaves_the_finished_one() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let before = hashes(out.path(), &OUTPUTS);
    let output = run(&recipe("fixture.toml"), out.path(), &["--set", "source.crawl.max_error_rate=0"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(before, hashes(out.path(), &OUTPUTS));
    assert!(Path::new(&out.path().join("report.html")).is_file());
}
