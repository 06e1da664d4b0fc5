//! What stands in mixtures: their columns and cards, shares, splits, templates, and what rows show of others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::{self, File},
    path::Path,
};

use curate::decide::MixtureAccount;
use datafusion::arrow::json::LineDelimitedWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::{curate, ledger, recipe, root, run, run_well, stderr, stdout, temporary, text};

/// The rows of a Parquet file, as JSON.
fn rows(path: &Path) -> Vec<Value> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", text(path)));
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").build().expect("it has rows");
    let mut lines = Vec::new();
    let mut writer = LineDelimitedWriter::new(&mut lines);
    for batch in batches {
        writer.write(&batch.expect("the rows can be read")).expect("memory can be written");
    }
    writer.finish().expect("memory can be written");
    let lines = String::from_utf8(lines).expect("JSON is text");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// The rows of a split of a mixture.
fn split(out: &Path, mixture: &str, split: &str) -> Vec<Value> {
    let folder = out.join("mixtures").join(mixture);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the mixture is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{split}-"))))
        .collect();
    files.sort();
    files.iter().flat_map(|path| rows(path)).collect()
}

fn string<'r>(row: &'r Value, column: &str) -> &'r str {
    row[column].as_str().unwrap_or_else(|| panic!("{row} has no text `{column}`"))
}

/// The mixtures are where and what others look for: names, columns, and the card's head.
#[test]
fn mixtures_are_named_as_the_field_names_them() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let examples = ["id", "source", "task", "template"];
    for (mixture, own) in [
        ("instructions", vec!["prompt", "completion"]),
        ("preference", vec!["prompt", "chosen", "rejected"]),
        ("retrieval", vec!["query", "positive", "negatives"]),
        ("structured", vec!["sequences", "label"]),
        ("text", vec!["text"]),
    ] {
        let columns = if mixture == "text" { [&examples[..2], &own].concat() } else { [&examples[..], &own].concat() };
        let folder = out.path().join("mixtures").join(mixture);
        for split in ["train", "validation"] {
            let file = File::open(folder.join(format!("{split}-00000-of-00001.parquet"))).expect("the split is there");
            let schema = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").schema().clone();
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            assert_eq!(names, columns, "{mixture}");
        }
        let card = fs::read_to_string(folder.join("README.md")).expect("a mixture has a card");
        assert!(card.starts_with(&format!("---\npretty_name: {mixture}\n")), "{card}");
        for entry in ledger(out.path()).mixtures.iter().filter(|entry| entry.mixture == mixture) {
            let row = format!("| {} | {} | {} |", entry.split, entry.source, entry.documents);
            assert!(card.contains(&row), "{card}");
        }
    }
}

/// FLAN's counts: a limit of examples a task, a cap on what counts of each, one template for each example, all of them drawn by some
/// (Wei et al. 2021, section 2.3). The fixture has smaller numbers.
#[test]
fn a_mixture_of_tasks_keeps_to_its_limits() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let account = fs::read(out.path().join("decisions/mixture-flan.json")).expect("a mixture has an account");
    let account: MixtureAccount = serde_json::from_slice(&account).expect("it is one");
    // 120 sums are limited to 100 to train on, then every task to 60
    assert_eq!(account.sources["sums"].available, 100);
    for (source, found) in &account.sources {
        let expected = found.available.min(60);
        assert!(found.asked.abs_diff(expected) <= 1 && found.given == found.asked, "{source}: {found:?}");
    }
    let train = split(out.path(), "flan", "train");
    let ids: BTreeSet<&str> = train.iter().map(|row| string(row, "id")).collect();
    assert_eq!(ids.len(), train.len(), "an example stands once, in one template");
    let drawn: BTreeSet<_> = train.iter().map(|row| (string(row, "task"), string(row, "template"))).collect();
    let expected = [
        ("numbers", "back"),
        ("numbers", "how_do_you_say"),
        ("pairs", "say_the_same"),
        ("sums", "exercise"),
        ("sums", "question"),
    ];
    assert_eq!(drawn.into_iter().collect::<Vec<_>>(), expected);
    let validation = ledger(out.path()).mixtures;
    let validation = validation.iter().filter(|entry| entry.mixture == "flan" && entry.split == "validation");
    assert!(validation.clone().count() == 3 && validation.into_iter().all(|entry| entry.rows <= 10));
}

/// Demonstrations are examples to train on, never the one that is asked, as many as were drawn; their order and number differ.
#[test]
fn demonstrations_come_from_training() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let train = fs::read_to_string(root().join("fixtures/tasks/numbers.train.tsv")).expect("the task has data");
    let known: BTreeMap<&str, &str> = train.lines().map(|line| line.split_once('\t').expect("two columns")).collect();
    let mut counts = BTreeMap::new();
    for name in ["train", "validation", "test"] {
        for row in split(out.path(), "few_shot", name) {
            let prompt = string(&row, "prompt").strip_prefix("Translate English to French.\n\n").expect("a preamble");
            let mut lines: Vec<&str> = prompt.split('\n').collect();
            let asked = lines.pop().and_then(|line| line.strip_suffix(" =>")).expect("the question comes last");
            *counts.entry(lines.len()).or_insert(0) += 1;
            for line in lines {
                let (english, french) = line.split_once(" => ").expect("a demonstration has its answer");
                assert_eq!(known.get(english), Some(&french), "{name}");
                assert_ne!(english, asked);
            }
            assert_eq!(known.contains_key(asked), name == "train");
        }
    }
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), [1, 2, 3], "{counts:?}");
}

#[test]
fn negatives_are_other_passages() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let known: BTreeSet<String> =
        split(out.path(), "retrieval", "train").iter().map(|row| string(row, "positive").to_owned()).collect();
    for row in split(out.path(), "retrieval", "train").iter().chain(&split(out.path(), "retrieval", "validation")) {
        let negatives: BTreeSet<&str> =
            row["negatives"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(negatives.len(), 3, "{row}");
        assert!(!negatives.contains(string(row, "positive")));
        assert!(negatives.iter().all(|negative| known.contains(*negative)), "they are of the training split");
    }
}

/// Documents whose words are numbered, of some lengths.
fn documents(folder: &Path, source: &str, count: usize, words: impl Fn(usize) -> usize) {
    let mut lines = String::new();
    for number in 0..count {
        let text: Vec<String> = (0..words(number)).map(|word| format!("{source}{number}w{word}")).collect();
        writeln!(lines, "{}", serde_json::json!({"id": number, "text": text.join(" ")})).expect("a string grows");
    }
    fs::write(folder.join(format!("{source}.jsonl")), lines).expect("the folder can be written");
}

/// A tokenizer whose tokens are the words between spaces.
const WORDS: &str = r#"{"version": "1.0", "truncation": {"max_length": 9, "strategy": "LongestFirst", "stride": 0,
    "direction": "Right"}, "padding": null, "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
    "post_processor": null, "decoder": null, "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}}"#;

/// Shares are reached within one in a hundred, by tokens, and no source is repeated past its limit; both counted in the files.
#[test]
fn shares_are_reached_and_limits_kept() {
    let (folder, out) = (temporary(), temporary());
    documents(folder.path(), "web", 3000, |number| 20 + number * 7 % 90);
    documents(folder.path(), "books", 80, |number| 150 + number * 31 % 200);
    documents(folder.path(), "posts", 400, |number| 5 + number % 60);
    fs::write(folder.path().join("tokenizer.json"), WORDS).expect("the folder can be written");
    let recipe = folder.path().join("recipe.toml");
    let source = |name: &str| format!("[source.{name}]\njsonl = [\"{name}.jsonl\"]\n");
    let head =
        "name = \"shares\"\nseed = 5\n[facts.tokens]\ntokenizer = \"tokenizer.json\"\n[splits]\nvalidation = 0.05\n";
    let mixture = "[mixture.text]\nweights = { web = 0.55, books = 0.35, posts = 0.1 }\nunit = \"tokens\"\nbudget = 100_000\n\
                   max_epochs = { books = 2.5, posts = 1 }\n";
    let whole = [head, &source("web"), &source("books"), &source("posts"), mixture].concat();
    fs::write(&recipe, whole).expect("the folder can be written");
    run_well(&recipe, out.path(), &[]);
    let mut tokens: BTreeMap<String, usize> = BTreeMap::new();
    let mut copies: BTreeMap<(String, String), u32> = BTreeMap::new();
    for row in split(out.path(), "text", "train") {
        let source = string(&row, "source").to_owned();
        *tokens.entry(source.clone()).or_default() += string(&row, "text").split(' ').count();
        *copies.entry((source, string(&row, "id").to_owned())).or_default() += 1;
    }
    let all: usize = tokens.values().sum();
    for (source, asked) in [("web", 0.55), ("books", 0.35), ("posts", 0.1)] {
        let reached = tokens[source] as f64 / all as f64;
        assert!((reached - asked).abs() < 0.01 * asked, "{source}: {reached} and not {asked}");
    }
    let account = fs::read(out.path().join("decisions/mixture-text.json")).expect("a mixture has an account");
    let account: MixtureAccount = serde_json::from_slice(&account).expect("it is one");
    for (source, limit) in [("web", 1.0), ("books", 2.5), ("posts", 1.0)] {
        let found = account.sources[source];
        assert_eq!(found.given, tokens[source] as u64, "{source} gives what stands in the files");
        assert!(found.given as f64 <= limit * found.available as f64, "{source} is repeated past {limit}: {found:?}");
        let most = copies.iter().filter(|((of, _), _)| of == source).map(|(_, copies)| *copies).max();
        assert!(most.is_some_and(|most| f64::from(most) <= limit.ceil()), "{source}: {most:?} copies");
    }
    assert!(account.sources["books"].given > account.sources["books"].available, "books are repeated");
    // the limit holds where more is asked for, too
    run_well(&recipe, out.path(), &["--set", "mixture.text.budget=1000000"]);
    let account = fs::read(out.path().join("decisions/mixture-text.json")).expect("a mixture has an account");
    let account: MixtureAccount = serde_json::from_slice(&account).expect("it is one");
    let books = account.sources["books"];
    assert!(books.given as f64 <= 2.5 * books.available as f64 && books.given as f64 > 2.4 * books.available as f64);
}

/// Nothing that is alike stands in two splits, though no step removes it, and although files say which split an example is in.
#[test]
fn nothing_alike_stands_in_two_splits() {
    let (folder, out) = (temporary(), temporary());
    let fixture = fs::read_to_string(recipe("fixture.toml")).expect("the recipe is there");
    let (head, _) = fixture.split_once("[classifier.quality]").expect("it has a classifier");
    let bands = "[facts.bands]\n[splits]\nvalidation = 0.3\ntest = 0.2\n[mixture.text]\n\
                 weights = { crawl = 0.9, reference = 0.1 }\nmax_epochs = 3\n[mixture.pairs]\n\
                 proportional = { of = [\"pairs\", \"numbers\"] }\nprompt_styles = [\"t5\"]\n";
    let path = folder.path().join("recipe.toml");
    let whole = format!("{head}{bands}").replace("\"../", &format!("\"{}/fixtures/", text(&root())));
    fs::write(&path, whole).expect("the folder can be written");
    let ledger = run_well(&path, out.path(), &[]);
    let clusters: BTreeMap<String, String> = rows(&out.path().join("facts/clusters.parquet"))
        .iter()
        .map(|row| (string(row, "member").to_owned(), string(row, "cluster").to_owned()))
        .collect();
    let mut of_group: BTreeMap<&str, &str> = BTreeMap::new();
    let mut large = 0;
    let splits = ["train", "validation", "test"];
    let all: Vec<(&str, Value)> = ["text", "pairs"]
        .iter()
        .flat_map(|mixture| {
            splits.iter().flat_map(|name| split(out.path(), mixture, name).into_iter().map(move |row| (*name, row)))
        })
        .collect();
    for (name, row) in &all {
        let id = string(row, "id");
        let group = clusters.get(id).map_or(id, String::as_str);
        large += usize::from(clusters.contains_key(id));
        assert_eq!(of_group.insert(group, name).unwrap_or(name), *name, "{group} stands in two splits");
    }
    assert!(large > 50, "{large} documents have others like them");
    for name in splits {
        assert!(all.iter().any(|(found, _)| *found == name), "there is a split {name}");
    }
    let pairs = ledger.stages.iter().find(|entry| entry.stage == "mixture-pairs" && entry.source == "pairs");
    assert!(pairs.is_some_and(|entry| entry.dropped["held_out_elsewhere"] > 0), "{pairs:?}");
    // the files of a task say which split an example is in, where nothing is like it
    let test = fs::read_to_string(root().join("fixtures/tasks/numbers.test.tsv")).expect("the task has data");
    let numbers = ledger.mixtures.iter().find(|entry| entry.split == "test" && entry.source == "numbers");
    assert_eq!(numbers.map(|entry| entry.documents), Some(test.lines().count() as u64));
}

/// Documents become questions with their passages: by their titles, or by a sentence. What has no question is counted, copies ask for other things,
/// and no negative is a near copy of the passage that answers.
#[test]
fn documents_become_pairs() {
    let (folder, out) = (temporary(), temporary());
    // numbers are alike to whoever looks for near-duplicates, and letters are not
    let letters = |number: usize| -> String {
        [number / 26, number % 26]
            .iter()
            .map(|place| char::from(b'a' + u8::try_from(*place).expect("a letter")))
            .collect()
    };
    let mut lines = String::new();
    for number in 0..240 {
        // three copies of each, whose text differs in a word; every eighth has no title
        let topic = letters(number / 3);
        let sentence = |line: usize| {
            let line = letters(line);
            format!("In topic{topic} the lamp{topic}x{line} of harbour{topic}x{line} burned at night{topic}x{line}.")
        };
        let text: Vec<String> = (0..12).map(sentence).collect();
        let text = format!("{} And that was copy{}.", text.join(" "), letters(number));
        let title = (number % 8 != 7).then(|| format!("Lamps of topic{topic}"));
        writeln!(lines, "{}", serde_json::json!({"id": number, "title": title, "text": text})).expect("a string grows");
    }
    writeln!(lines, "{}", serde_json::json!({"id": "short", "title": "Short", "text": "Too short to ask."}))
        .expect("it grows");
    fs::write(folder.path().join("posts.jsonl"), lines).expect("the folder can be written");
    let recipe = folder.path().join("recipe.toml");
    let whole = "name = \"pairs\"\nseed = 3\n[source.posts]\njsonl = [\"posts.jsonl\"]\n[facts.bands]\n[splits]\nvalidation = 0.1\n\
                 [mixture.titles]\nweights = { posts = 1 }\npairs = { from = \"title\", words = 20 }\nhard_negatives = 2\n\
                 [mixture.cloze]\nweights = { posts = 1 }\npairs = { from = \"inverse_cloze\", words = 30 }\nmax_epochs = 3\nnegatives = 2\n";
    fs::write(&recipe, whole).expect("the folder can be written");
    let ledger = run_well(&recipe, out.path(), &[]);
    let dropped = |mixture: &str| {
        let stage = ledger.stages.iter().find(|entry| entry.stage == format!("mixture-{mixture}"));
        stage.map(|entry| entry.dropped.clone()).expect("the mixture is decided")
    };
    assert_eq!((dropped("titles")["no_title"], dropped("titles")["too_few_words"]), (30, 1));
    assert_eq!(dropped("cloze")["too_few_words"], 1);
    let topic =
        |text: &str| text.split("topic").nth(1).map(|rest| rest.split([' ', '\n']).next().unwrap_or("").to_owned());
    for row in split(out.path(), "titles", "train") {
        let (query, positive) = (string(&row, "query"), string(&row, "positive"));
        assert_eq!(topic(query), topic(positive), "{row}");
        let negatives: Vec<&str> =
            row["negatives"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(negatives.len(), 3, "{row}");
        assert!(negatives.iter().all(|negative| topic(negative) != topic(positive)), "{row}");
        assert!(positive.split(' ').count() == 20 && negatives[0] != negatives[1], "{row}");
    }
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut rows, mut kept) = (0, 0);
    for row in split(out.path(), "cloze", "train") {
        let (query, positive) = (string(&row, "query"), string(&row, "positive"));
        rows += 1;
        kept += usize::from(positive.contains(query));
        assert!(!query.is_empty() && query.ends_with('.'), "{row}");
        asked.entry(string(&row, "id").to_owned()).or_default().insert(query.to_owned());
    }
    assert_eq!(rows, 3 * asked.len(), "each document comes three times");
    assert!(
        asked.values().filter(|queries| queries.len() > 1).count() * 10 > asked.len() * 9,
        "copies ask for other things"
    );
    assert!((0.03..0.2).contains(&(kept as f64 / rows as f64)), "{kept} of {rows} passages keep their sentence");
    let card = fs::read_to_string(out.path().join("mixtures/cloze/README.md")).expect("a mixture has a card");
    assert!(card.contains("inverse cloze"), "{card}");
}

/// What cannot be mixed is named with its place, before anything is read.
#[test]
fn faults_of_mixtures_are_shown_in_their_line() {
    let folder = temporary();
    let fixture = fs::read_to_string(recipe("fixture.toml")).expect("the recipe is there");
    let (head, _) = fixture.split_once("[mixture.text]").expect("it has mixtures");
    let path = folder.path().join("recipe.toml");
    let mut shown = String::new();
    for mixture in [
        "weights = { crawl = 1 }\nproportional = { of = [\"sums\"] }",
        "weights = { crawl = 1, sums = 1 }",
        "weights = { crwl = 1 }",
        "weights = { crawl = 1 }\nunit = \"tokens\"",
        "weights = { sums = 1 }\nunit = \"bytes\"",
        "weights = { crawl = 1 }\nmax_epochs = { crawl = 0.5 }",
        "weights = { crawl = 1 }\nmax_epochs = { reference = 2 }",
        "weights = { crawl = 1 }\nsample_template = true",
        "weights = { crawl = 1 }\nhard_negatives = 1",
        "weights = { crawl = 1 }\npairs = { from = \"title\", words = 3 }",
        "weights = { crawl = 1 }\npairs = { from = \"title\", kept = 0.5 }",
        "weights = { crawl = 1 }\nunit = \"bytes\"\npairs = { from = \"title\" }",
        "proportional = { of = [\"pairs\"] }\nprompt_styles = [\"t5\"]\npairs = { from = \"title\" }",
        "published = { table = \"gpt3\", components = { webtext = \"crawl\" } }",
        "proportional = { of = [\"sums\"], temperature = 0 }",
        "measured = { scores = \"scores.json\" }",
        "proportional = { of = [\"pairs\"] }",
        "proportional = { of = [\"sums\"] }\ntemplates = [\"asked\"]",
        "proportional = { of = [\"sums\"] }\nprompt_styles = [\"gpt1\"]",
        "proportional = { of = [\"sums_preference\"] }\ndemonstrations = { min = 1, max = 2 }",
    ] {
        let whole =
            format!("{head}[mixture.text]\n{mixture}\n").replace("\"../", &format!("\"{}/fixtures/", text(&root())));
        fs::write(&path, whole).expect("the folder can be written");
        let output = curate(&["check", text(&path)]).output().expect("the program can be started");
        assert_eq!(output.status.code(), Some(1), "{mixture}");
        writeln!(shown, "{}", stderr(&output).replace(text(folder.path()), "FOLDER")).expect("a string grows");
    }
    insta::assert_snapshot!(shown);
}

/// Weights that others have published go by their components; what is measured goes by its scores.
#[test]
fn weights_come_from_tables_and_scores() {
    let (folder, out) = (temporary(), temporary());
    documents(folder.path(), "web", 2000, |number| 20 + number % 50);
    documents(folder.path(), "books", 900, |number| 20 + number % 50);
    let scores = folder.path().join("scores.json");
    fs::write(&scores, "{\"web\": 3.1, \"books\": 3.5}").expect("the folder can be written");
    let recipe = folder.path().join("recipe.toml");
    let head = "name = \"weights\"\nseed = 5\n[source.web]\njsonl = [\"web.jsonl\"]\n[source.books]\njsonl = [\"books.jsonl\"]\n";
    let mixtures = "[mixture.glam]\npublished = { table = \"glam\", components = { webpages = \"web\", books = \"books\" } }\n\
                    [mixture.measured]\nmeasured = { scores = \"scores.json\", losses = true, temperature = 4 }\n";
    fs::write(&recipe, [head, mixtures].concat()).expect("the folder can be written");
    run_well(&recipe, out.path(), &[]);
    for (mixture, web) in [("glam", 0.42 / 0.62), ("measured", 0.5f64.exp() / (0.5f64.exp() + 1.0))] {
        let account =
            fs::read(out.path().join(format!("decisions/mixture-{mixture}.json"))).expect("it has an account");
        let account: MixtureAccount = serde_json::from_slice(&account).expect("it is one");
        assert!((account.sources["web"].weight - web).abs() < 1e-9, "{mixture}: {account:?}");
        assert!(account.reached("web").is_some_and(|reached| (reached - web).abs() < 0.01), "{mixture}: {account:?}");
    }
    fs::write(&scores, "{\"web\": 3.1, \"news\": 3.5}").expect("the folder can be written");
    let output = run(&recipe, out.path(), &[]);
    assert!(stderr(&output).contains("`news`, which is no source and no task"), "{}", stderr(&output));
    // what `train mix` writes is taken as it is
    let weights = folder.path().join("weights.toml");
    let fitted = "[mixture.fitted]\nmeasured = { weights = \"weights.toml\" }\n";
    fs::write(&recipe, [head, fitted].concat()).expect("the folder can be written");
    fs::write(&weights, "weights = { \"books\" = 0.75, \"web\" = 0.25 }\n").expect("the folder can be written");
    run_well(&recipe, out.path(), &[]);
    let account = fs::read(out.path().join("decisions/mixture-fitted.json")).expect("it has an account");
    let account: MixtureAccount = serde_json::from_slice(&account).expect("it is one");
    assert!((account.sources["books"].weight - 0.75).abs() < 1e-12, "{account:?}");
    for (written, message) in [
        ("weights = { news = 1 }", "weights.toml: `news` is no source and no task"),
        ("weights = { web = 0 }", "weights.toml: the weight of `web` is above 0, and not 0"),
        ("weights = {}", "weights.toml: it has no weight"),
        ("shares = {}", "unknown field `shares`"),
    ] {
        fs::write(&weights, written).expect("the folder can be written");
        let output = run(&recipe, out.path(), &[]);
        assert!(stderr(&output).contains(message), "{written}: {}", stderr(&output));
    }
}

/// `curate render` shows what a run would write, and with no data at hand a task's own examples.
#[test]
fn render_shows_examples() {
    let task = |name: &str| root().join("fixtures/tasks").join(name);
    let (quiz, numbers) = (task("quiz.toml"), task("numbers.toml"));
    let mut shown = String::new();
    for arguments in [
        vec!["render", "rte", "--template", "compact", "--plain"],
        vec!["render", text(&quiz), "--template", "record"],
        vec![
            "render",
            text(&numbers),
            "--split",
            "test",
            "--count",
            "2",
            "--prompt-style",
            "gpt3",
            "--demonstrations",
            "2",
            "--separator",
            "newline",
            "--plain",
        ],
        vec!["render", text(&numbers), "--split", "train", "--count", "3", "--sample-template", "--seed", "1"],
    ] {
        let output = curate(&arguments).output().expect("the program can be started");
        assert!(output.status.success(), "{}", stderr(&output));
        writeln!(shown, "{}", stdout(&output)).expect("a string grows");
    }
    for arguments in [
        vec!["render", "nothing"],
        vec!["render", "rte", "--split", "test"],
        vec!["render", text(&quiz), "--split", "test"],
        vec!["render", text(&quiz), "--template", "recording"],
    ] {
        let output = curate(&arguments).output().expect("the program can be started");
        assert_eq!(output.status.code(), Some(1));
        writeln!(shown, "{}", stderr(&output).trim_end()).expect("a string grows");
    }
    insta::assert_snapshot!(shown);
}
