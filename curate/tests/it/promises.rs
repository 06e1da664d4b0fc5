//! The promises, each as its user would test it.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::support::{OUTPUTS, curate, hashes, ledger, recipe, root, run_well, stderr, stdout, temporary, text};

/// Promise 1: the sums close at every stage, and what became of any id can be looked up.
#[test]
fn nothing_is_dropped_silently() {
    let out = temporary();
    let ledger = run_well(&recipe("fixture.toml"), out.path(), &[]);
    ledger.check().expect("every equation holds");
    let mut kept: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for entry in ledger.stages.iter().filter(|entry| !entry.stage.starts_with("mixture-")) {
        if let Some(before) = kept.insert(&entry.source, entry.kept) {
            assert_eq!(entry.r#in, before, "stage {} takes in what the one before it kept", entry.stage);
        }
    }
    let rows: u64 =
        ledger.mixtures.iter().filter(|entry| entry.mixture == "instructions").map(|entry| entry.rows).sum();
    assert_eq!(rows, 120 * 2, "120 examples in two templates");

    let url = "https://www.sailing-notes.example/moved/0";
    let output = curate(&["why", text(out.path()), url]).output().expect("the program can be started");
    assert!(
        stdout(&output).contains("read                   drop  redirect"),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    let output = curate(&["why", text(out.path()), "https://nowhere.example/"]).output().expect("it can be started");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("https://nowhere.example/"), "{}", stderr(&output));
}

/// Promise 2: neither threads nor the names and order of files change a byte.
#[test]
fn threads_and_file_order_do_not_show() {
    let (one, two) = (temporary(), temporary());
    run_well(&recipe("fixture.toml"), one.path(), &["--threads", "1"]);
    run_well(&recipe("fixture.toml"), two.path(), &["--threads", "8"]);
    assert_eq!(hashes(one.path(), &OUTPUTS), hashes(two.path(), &OUTPUTS));

    // the same archives under names that put them in another order
    let (copy, three) = (temporary(), temporary());
    copy_tree(&root().join("fixtures"), copy.path());
    for (from, to) in [("00", "z"), ("01", "b"), ("02", "a")] {
        let crawl = copy.path().join("crawl");
        fs::rename(crawl.join(format!("{from}.warc.gz")), crawl.join(format!("{to}.warc.gz")))
            .expect("it can be renamed");
    }
    run_well(&copy.path().join("recipes/fixture.toml"), three.path(), &[]);
    let decided = ["decisions", "mixtures", "models", "ledger.json"];
    assert_eq!(hashes(one.path(), &decided), hashes(three.path(), &decided));
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be listed").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file can be copied");
        }
    }
}

/// Promise 3: killed without a word while it reads, decides, and writes, the same command goes on, does not do again what was done, and ends
/// with the same bytes. A kill that came too late is no kill, and is tried again.
#[test]
fn a_killed_run_goes_on() {
    let (whole, broken) = (temporary(), temporary());
    run_well(&recipe("fixture.toml"), whole.path(), &[]);
    let units = marks(whole.path(), "");
    for (stage, later) in [("documents", "decisions"), ("decisions", "staging"), ("staging", "mixtures")] {
        let landed = (0..20).any(|_| kill_at(broken.path(), stage, later));
        assert!(landed, "no kill came between the first unit of `{stage}` and the first of `{later}`");
    }
    let output = crate::support::run(&recipe("fixture.toml"), broken.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let found: usize = between(&stderr(&output), "units run, ", " found done").parse().expect("a number of units");
    assert!(found >= units / 3, "only {found} units were found done");
    assert_eq!(hashes(whole.path(), &OUTPUTS), hashes(broken.path(), &OUTPUTS));
    let left: Vec<String> =
        hashes(broken.path(), &["."]).into_keys().filter(|name| name.contains(".partial")).collect();
    assert!(left.is_empty(), "the killed runs left {left:?}");
}

/// Starts the run, and kills it when a unit of `stage` is done. Returns whether that was before any unit of `later` was; else the folder is
/// as if nothing had been run.
fn kill_at(out: &Path, stage: &str, later: &str) -> bool {
    let before = marks(out, stage);
    let mut child = curate(&["run", text(&recipe("fixture.toml")), "--out", text(out)])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program can be started");
    let start = Instant::now();
    while marks(out, stage) == before && start.elapsed() < Duration::from_mins(1) {
        thread::sleep(Duration::from_micros(200));
        if child.try_wait().expect("the child can be asked").is_some() {
            break;
        }
    }
    // SIGKILL, which nobody can catch
    child.kill().expect("the child can be killed");
    let status = child.wait().expect("the child has ended");
    let landed = status.signal() == Some(9) && marks(out, stage) > before && marks(out, later) == 0;
    if !landed {
        fs::remove_dir_all(out).expect("the folder can be removed");
    }
    landed
}

/// How many units of a stage are done, or of all.
fn marks(out: &Path, stage: &str) -> usize {
    fn count(folder: &Path) -> usize {
        let Ok(entries) = fs::read_dir(folder) else { return 0 };
        entries
            .filter_map(Result::ok)
            .map(|entry| {
                let path = entry.path();
                let is_mark = path.extension().is_some_and(|kind| kind == "json")
                    && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
                if path.is_dir() { count(&path) } else { usize::from(is_mark) }
            })
            .sum()
    }
    count(&out.join("work/marks").join(stage))
}

fn between<'t>(text: &'t str, end: &str, after: &str) -> &'t str {
    text.split(end).nth(1).and_then(|rest| rest.split(after).next()).unwrap_or_default()
}

/// Promise 3, the other half: a run that is finished has nothing to do, and a changed threshold changes what depends on it.
#[test]
fn what_did_not_change_is_not_run_again() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let before = hashes(out.path(), &OUTPUTS);
    let output = crate::support::run(&recipe("fixture.toml"), out.path(), &[]);
    assert!(stderr(&output).contains("\n0 units run, "), "{}", stderr(&output));
    assert_eq!(before, hashes(out.path(), &OUTPUTS));

    let set = ["--set", "splits.validation=0.2"];
    let output = crate::support::run(&recipe("fixture.toml"), out.path(), &set);
    assert!(output.status.success(), "{}", stderr(&output));
    let after = hashes(out.path(), &OUTPUTS);
    for (name, hash) in &before {
        let may_change = ["mixtures/", "decisions/mixture-", "ledger.json"].iter().any(|part| name.starts_with(part));
        assert!(may_change || after.get(name) == Some(hash), "{name} has changed");
    }
    assert_ne!(before["ledger.json"], after["ledger.json"]);
    // what it becomes is what a run from nothing gives
    let anew = temporary();
    run_well(&recipe("fixture.toml"), anew.path(), &set);
    assert_eq!(after, hashes(anew.path(), &OUTPUTS));
}

/// Promise 3 once more: a file of a finished run that gives other bytes, though its size and time are the same, is named when a stage is about
/// to read it, and made anew by the same command; one that was written over is made anew at once.
#[test]
fn a_damaged_file_is_named_and_made_anew() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let whole = hashes(out.path(), &OUTPUTS);
    let damage_at = |name: &str, place: fn(usize) -> usize, keeps_its_time: bool| {
        let path = out.path().join(name);
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("the file has a time");
        let mut bytes = fs::read(&path).expect("the file is there");
        let place = place(bytes.len());
        bytes[place] ^= 0xff;
        fs::write(&path, &bytes).expect("the file can be written");
        if keeps_its_time {
            let file = fs::File::options().append(true).open(&path).expect("the file can be opened");
            file.set_modified(modified).expect("a time can be set");
        }
    };
    let damage = |name: &str, keeps_its_time: bool| damage_at(name, |length| length / 2, keeps_its_time);
    damage("facts/words/crawl/part-00001.parquet", false);
    damage("decisions/gopher_quality.parquet", false);
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    assert_eq!(whole, hashes(out.path(), &OUTPUTS));

    damage("documents/crawl/part-00001.parquet", true);
    let set = ["--set", "seed=7"];
    let output = crate::support::run(&recipe("fixture.toml"), out.path(), &set);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("documents/crawl/part-00001.parquet is damaged") && error.contains("made anew"), "{error}");
    run_well(&recipe("fixture.toml"), out.path(), &set);

    // a footer, which a plan reads before the file is verified; and a mixture that was done, which the ledger alone looks into
    let set = ["--set", "seed=7", "--set", "splits.validation=0.1"];
    for name in ["decisions/pareto.parquet", "mixtures/text/train-00000-of-00001.parquet"] {
        damage_at(name, |length| length - 20, true);
        let error = stderr(&crate::support::run(&recipe("fixture.toml"), out.path(), &set));
        assert!(error.contains(&format!("{name} is damaged")) && error.contains("made anew"), "{error}");
        run_well(&recipe("fixture.toml"), out.path(), &set);
    }
    let anew = temporary();
    run_well(&recipe("fixture.toml"), anew.path(), &set);
    assert_eq!(hashes(anew.path(), &OUTPUTS), hashes(out.path(), &OUTPUTS));
}

/// Promise 3 for inputs: one that was changed in place, and given its time back, as some tools that copy do, is read again, with what depends on it.
#[test]
fn an_input_that_was_changed_unseen_is_read_again() {
    let folder = temporary();
    let input = folder.path().join("some.jsonl");
    let line = |number: u32| format!("{{\"id\": \"{number}\", \"text\": \"Document {number} says one thing.\"}}\n");
    let before: String = (0..20).map(line).collect();
    fs::write(&input, &before).expect("it can be written");
    let recipe = folder.path().join("some.toml");
    let text = "name = \"some\"\nseed = 1\n\n[source.some]\njsonl = [\"some.jsonl\"]\n\n[splits]\nvalidation = 0.0\n\n\
                [mixture.text]\nweights = { some = 1 }\n";
    fs::write(&recipe, text).expect("it can be written");
    let (out, anew) = (folder.path().join("out"), folder.path().join("anew"));
    run_well(&recipe, &out, &[]);
    let first = hashes(&out, &OUTPUTS);

    let modified = fs::metadata(&input).and_then(|metadata| metadata.modified()).expect("the file has a time");
    fs::write(&input, before.replace("7 says one", "7 says two")).expect("it can be written");
    let file = fs::File::options().append(true).open(&input).expect("the file can be opened");
    file.set_modified(modified).expect("a time can be set");
    run_well(&recipe, &out, &[]);
    assert_ne!(first, hashes(&out, &OUTPUTS));
    run_well(&recipe, &anew, &[]);
    assert_eq!(hashes(&anew, &OUTPUTS), hashes(&out, &OUTPUTS));

    // with the same bytes under another time and number, as in a folder that was restored, nothing is made anew
    let bytes = fs::read(&input).expect("it is there");
    fs::remove_file(&input).and_then(|()| fs::write(&input, bytes)).expect("it can be written");
    let output = crate::support::run(&recipe, &out, &[]);
    assert!(stderr(&output).contains("\n0 units run, "), "{}", stderr(&output));
}

/// Two runs cannot share an output folder, and a folder that holds something else is not taken.
#[test]
fn a_folder_belongs_to_one_run() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let before = hashes(out.path(), &OUTPUTS);
    let output = crate::support::run(&recipe("fixture.toml"), out.path(), &["--set", "name=other"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("holds a run of the recipe `fixture`, not of `other`"), "{}", stderr(&output));
    assert_eq!(before, hashes(out.path(), &OUTPUTS));

    let held = fs::File::create(out.path().join(".lock")).expect("the lock can be opened");
    held.lock().expect("the lock can be taken");
    let output = crate::support::run(&recipe("fixture.toml"), out.path(), &[]);
    assert!(stderr(&output).contains("is in use by another run"), "{}", stderr(&output));

    let foreign = temporary();
    fs::create_dir(foreign.path().join("documents")).expect("the folder can be made");
    fs::write(foreign.path().join("documents/letter.txt"), "Dear Sir").expect("the file can be written");
    let output = crate::support::run(&recipe("fixture.toml"), foreign.path(), &[]);
    assert!(stderr(&output).contains("is not empty, and holds no run"), "{}", stderr(&output));
    assert!(foreign.path().join("documents/letter.txt").is_file());
}

/// Promise 4: faults are counted against the recipe's limit; over it, the run fails and says where they are listed.
#[test]
fn too_many_faults_fail_the_run() {
    let out = temporary();
    let output =
        crate::support::run(&recipe("fixture.toml"), out.path(), &["--set", "source.crawl.max_error_rate=0.01"]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(
        error.contains("source `crawl`: 8 of 486 records are broken, more than `max_error_rate` = 0.01"),
        "{error}"
    );
    let list = fs::read_to_string(out.path().join("quarantine/crawl.jsonl")).expect("the list is written");
    assert_eq!(list.lines().count(), 12);
    assert!(!out.path().join("ledger.json").exists() && !out.path().join("mixtures").exists());

    // with the limit as it was, the run goes on where it stopped
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    ledger(out.path()).check().expect("every equation holds");
}

/// Where a clock stopped an extractor, the pages are quarantined, and the manifest does not promise the same bytes again.
#[test]
fn a_clock_that_decided_is_named() {
    let folder = temporary();
    let fixtures = root().join("fixtures");
    let recipe = format!(
        "name = \"hurried\"\nseed = 1\n\n[source.crawl]\nwarc = [\"{0}/crawl/*.warc.gz\"]\nextract = \"trafilatura\"\n\
         max_page_seconds = 0\nmax_error_rate = 1.0\nmax_lost_rate = 0.05\n\n[source.reference]\njsonl = [\"{0}/reference.jsonl.gz\"]\n\n\
         [mixture.text]\nweights = {{ reference = 1 }}\n",
        text(&fixtures)
    );
    let path = folder.path().join("hurried.toml");
    fs::write(&path, recipe).expect("the recipe can be written");
    let out = folder.path().join("out");
    let ledger = run_well(&path, &out, &[]);
    let stopped = ledger.stages.iter().filter_map(|entry| entry.quarantined.get("extractor_timeout")).sum::<u64>();
    assert!(stopped > 0, "no page was stopped");
    let manifest = fs::read(out.join("manifest.json")).expect("a finished run has a manifest");
    let manifest: schemas::manifest::Manifest = serde_json::from_slice(&manifest).expect("the manifest is one");
    assert!(!manifest.reproducible);
}
