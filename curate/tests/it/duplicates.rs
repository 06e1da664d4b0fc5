//! Duplicates, as their user would look for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use datafusion::arrow::{array::AsArray as _, compute::cast, datatypes::DataType};
use fixtures::needs::data;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{curate, hashes, ledger, run, run_well, stderr, stdout, temporary, text};

/// `curate dedup FILES --out OUT` with more arguments, which must succeed. Returns what it printed.
fn dedup(files: &[&Path], out: &Path, more: &[&str]) -> String {
    let files: Vec<&str> = files.iter().map(|file| text(file)).collect();
    let arguments = [&["dedup"], &files[..], &["--out", text(out)], more].concat();
    let output = curate(&arguments).output().expect("the program can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// Documents as JSON lines.
pub fn write_lines(path: &Path, documents: &[(String, String)]) {
    let mut file = File::create(path).expect("the file can be written");
    for (id, text) in documents {
        writeln!(file, "{}", serde_json::json!({ "id": id, "text": text })).expect("the disk has room");
    }
}

/// The ids in each cluster, by its root.
fn clusters(out: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let file = File::open(out.join("clusters.parquet")).expect("there are clusters");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").build().expect("it has rows");
    let mut clusters: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for batch in reader.map(|batch| batch.expect("the rows can be read")) {
        let column = |place: usize| {
            let ids = cast(batch.column(place), &DataType::Utf8).expect("ids are text");
            ids.as_string::<i32>().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        };
        for (id, root) in column(0).into_iter().zip(column(1)) {
            clusters.entry(root).or_default().insert(id);
        }
    }
    clusters
}

/// The ids of the survivors in a file of JSON lines, in their order.
fn survivors(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("there are survivors");
    let id = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON")["id"].as_str().map(str::to_owned)
    };
    text.lines().map(|line| id(line).expect("every document has its id")).collect()
}

/// Paragraphs that differ, of so many words each, from a seed.
pub fn writing(seed: u64, count: usize, words: usize) -> Vec<String> {
    let mut state = seed;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let letters =
            (0..4).map(|place| char::from(b'a' + u8::try_from(state >> (33 + 5 * place) & 15).expect("four bits")));
        letters.collect::<String>()
    };
    (0..count).map(|_| (0..words).map(|_| word()).collect::<Vec<_>>().join(" ")).collect()
}

/// Articles of which some are known to be rewritten: every known pair is found, and no other.
#[test]
fn known_pairs_are_found_and_no_others() {
    let Some(data) = data("known_pairs_are_found_and_no_others", "dedup/articles_100.train.txt") else { return };
    for (size, pairs) in [(100, 5), (1000, 10), (2500, 20)] {
        let folder = temporary();
        let read = |kind: &str| {
            fs::read_to_string(data.join(format!("dedup/articles_{size}.{kind}.txt"))).expect("the articles are there")
        };
        let split = |line: &str| line.split_once(' ').map(|(id, text)| (id.to_owned(), text.to_owned()));
        let articles: Vec<(String, String)> = read("train").lines().filter_map(split).collect();
        let known: BTreeSet<BTreeSet<String>> =
            read("truth").lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
        assert_eq!((articles.len(), known.len()), (size, pairs));
        let file = folder.path().join("articles.jsonl");
        write_lines(&file, &articles);
        for more in [&[][..], &["--verify", "0.5"], &["--preset", "gpt3"]] {
            let out = folder.path().join("out");
            dedup(&[&file], &out, more);
            let found: BTreeSet<BTreeSet<String>> = clusters(&out).into_values().collect();
            assert_eq!(found, known, "{size} articles with {more:?}");
            assert_eq!(survivors(&out.join("survivors/articles.jsonl")).len(), size - pairs);
        }
    }
}

/// Neither threads, nor files and their order, nor how little memory there is change what is found.
#[test]
fn nothing_shows_of_how_it_was_done() {
    let folder = temporary();
    let mut documents: Vec<(String, String)> = Vec::new();
    for (place, paragraph) in writing(1, 400, 60).into_iter().enumerate() {
        for copy in 0..=place % 4 {
            // a copy lacks its first words
            let words: Vec<&str> = paragraph.split(' ').skip(copy).collect();
            documents.push((format!("{place}-{copy}"), words.join(" ")));
        }
    }
    let whole = folder.path().join("whole.jsonl");
    write_lines(&whole, &documents);
    documents.reverse();
    let parts: Vec<PathBuf> = documents
        .chunks(150)
        .enumerate()
        .map(|(place, part)| {
            let path = folder.path().join(format!("part-{}.jsonl", (place * 5) % 7));
            write_lines(&path, part);
            path
        })
        .collect();
    let parts: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();

    let one = folder.path().join("one");
    // with so many bands that 16 MB of memory are not enough for their hashes
    let verify = ["--verify", "0.7", "--bands", "300", "--rows", "4"];
    dedup(&[&whole], &one, &[&verify[..], &["--threads", "1"]].concat());
    let expected = hashes(&one, &["clusters.parquet", "facts/clusters.parquet", "decisions"]);
    assert_eq!(clusters(&one).len(), 300, "a quarter of the paragraphs has no copy");
    for (place, more) in [&["--threads", "2"][..], &["--threads", "8"], &["--memory", "16M"]].into_iter().enumerate() {
        let out = folder.path().join(format!("more-{place}"));
        dedup(&parts, &out, &[&verify[..], more].concat());
        assert_eq!(hashes(&out, &["clusters.parquet", "facts/clusters.parquet", "decisions"]), expected, "{more:?}");
        let mut found: Vec<String> = parts
            .iter()
            .flat_map(|part| survivors(&out.join("survivors").join(part.file_name().expect("a name"))))
            .collect();
        found.sort();
        let mut all = survivors(&one.join("survivors/whole.jsonl"));
        all.sort();
        assert_eq!(found, all);
    }
}

/// A document that is shorter than a shingle is like its equals to the byte alone; one without a word is like none.
#[test]
fn short_documents_are_like_their_equals() {
    let folder = temporary();
    let file = folder.path().join("short.jsonl");
    let documents = [
        ("a", "Only four words here"),
        ("b", "Only four  words here\n"),
        ("c", "only FOUR words, here."),
        ("d", "Only four words there"),
        ("e", "!!"),
        ("f", "!!"),
        ("g", "3 + 4"),
        ("h", "3 - 5"),
        ("i", "C++"),
        ("j", "C#"),
    ];
    write_lines(&file, &documents.map(|(id, text)| (id.to_owned(), text.to_owned())));
    for more in [&[][..], &["--verify", "0.9"]] {
        let out = folder.path().join("out");
        dedup(&[&file], &out, more);
        let found: Vec<BTreeSet<String>> = clusters(&out).into_values().collect();
        assert_eq!(found, [BTreeSet::from(["a".to_owned(), "b".to_owned()])], "{more:?}");
    }
}

/// What is exact goes by every letter, digit and sign; what is normalized, by letters alone. Neither takes a mark for nothing that is a letter.
#[test]
fn the_same_text_is_the_same_or_normalized() {
    let folder = temporary();
    let same = [
        ["Pay 12 $ for 3 kg.", "Pay  12 $ for 3 kg. \r\n"],
        ["Le café\n\nest là", "Le cafe\u{301}\nest la\u{300}"],
        ["!!", "!!"],
    ];
    let normalized = [
        ["Order 1204 weighs 12 kilograms", "ORDER 98 weighs 7.5 kilograms!"],
        ["1|2|300$\n4|5|600$", "7|8|19$\n22|31|4$"],
        ["x = y + 1", "x - y = 2"],
        ["résumé of it", "resume (of) it"],
    ];
    // as different to one step as to the other
    let different = [
        ["पानी किधर", "पानी कुधर"],
        ["ข่าวใหม่", "ข้าวใหม่"],
        ["мой дом", "мои дом"],
        ["كَتَبَ", "كُتِبَ"],
        ["one two", "one three"],
    ];
    let documents: Vec<(String, String)> = (same.iter().chain(&normalized).chain(&different).enumerate())
        .flat_map(|(number, pair)| {
            pair.iter().zip(["a", "b"]).map(move |(text, side)| (format!("{number}{side}"), (*text).to_owned()))
        })
        .collect();
    write_lines(&folder.path().join("some.jsonl"), &documents);
    let recipe = folder.path().join("recipe.toml");
    let steps = "[[step]]\nexact_dedup = {}\n[[step]]\nnormalized_dedup = {}\n";
    let toml = format!(
        "name = \"same\"\nseed = 1\n[source.some]\njsonl = [\"some.jsonl\"]\n{steps}[splits]\nvalidation = 0.0\n\
         [mixture.text]\nweights = {{ some = 1.0 }}\n"
    );
    fs::write(&recipe, toml).expect("the folder can be written");
    let out = folder.path().join("out");
    let ledger = run_well(&recipe, &out, &[]);
    let dropped = |stage: &str| {
        ledger.stages.iter().find(|entry| entry.stage == stage).expect("the step was taken").dropped.clone()
    };
    assert_eq!(dropped("exact_dedup"), BTreeMap::from([("same_text".to_owned(), same.len() as u64)]));
    let expected = BTreeMap::from([("same_normalized_text".to_owned(), normalized.len() as u64)]);
    assert_eq!(dropped("normalized_dedup"), expected);
    let check = curate(&["check", text(&recipe)]).output().expect("the program can be started");
    assert!(stdout(&check).contains("but for case, accents, signs and the value of numbers"), "{}", stdout(&check));
}

/// What stays is byte for byte what came, packed as it came, with all that nobody asked about.
#[test]
fn survivors_are_as_they_came() {
    let folder = temporary();
    let paragraphs = writing(2, 2, 40);
    let lines = [
        format!(r#"{{ "meta": {{"a": [1, 2]}},  "text": "{}", "id": 7 }}"#, paragraphs[0]),
        format!(r#"{{"text": "{}"}}"#, paragraphs[1]),
        format!(r#"{{"text": "{}!", "id": "again"}}"#, paragraphs[0]),
        "this is no JSON".to_owned(),
    ];
    let file = folder.path().join("some.jsonl.gz");
    let mut packed =
        flate2::write::GzEncoder::new(File::create(&file).expect("it can be written"), flate2::Compression::fast());
    packed.write_all(lines.join("\n").as_bytes()).expect("the disk has room");
    packed.finish().expect("the disk has room");

    let out = folder.path().join("out");
    let said = dedup(&[&file], &out, &["--max-error-rate", "0.5", "--keep", "longest"]);
    assert!(said.contains("near_duplicate 1") && said.contains("json_syntax 1"), "{said}");
    let mut unpacked = String::new();
    let survivors = File::open(out.join("survivors/some.jsonl.gz")).expect("it is named as it came");
    flate2::read::MultiGzDecoder::new(survivors).read_to_string(&mut unpacked).expect("it is packed as it came");
    // the longest stays, which has one mark more
    assert_eq!(unpacked.lines().collect::<Vec<_>>(), [&lines[1], &lines[2]]);
    ledger(&out).check().expect("every equation holds");

    let why = curate(&["why", text(&out), "7"]).output().expect("the program can be started");
    assert!(stdout(&why).contains("repeats="), "{}{}", stdout(&why), stderr(&why));
}

/// What another corpus has is removed, and of that nothing is.
#[test]
fn another_corpus_is_held_against_one() {
    let folder = temporary();
    let paragraphs = writing(3, 3, 40);
    let document = |id: &str, place: usize| (id.to_owned(), paragraphs[place].clone());
    let (crawl, books) = (folder.path().join("crawl.jsonl"), folder.path().join("books.jsonl"));
    write_lines(&crawl, &[document("a", 0), document("b", 1), document("c", 1)]);
    write_lines(&books, &[document("x", 0), document("y", 2), document("z", 2)]);
    let out = folder.path().join("out");
    dedup(&[&crawl], &out, &["--against", text(&books)]);
    let kept = survivors(&out.join("survivors/crawl.jsonl"));
    assert!(kept == ["b"] || kept == ["c"], "{kept:?}");
    let stages = ledger(&out).stages;
    let dropped = |stage: &str, source: &str| {
        let entry =
            stages.iter().find(|entry| entry.stage == stage && entry.source == source).expect("the stage is there");
        entry.dropped.clone()
    };
    assert_eq!(dropped("against", "files"), BTreeMap::from([("near_duplicate_of_other_source".to_owned(), 1)]));
    assert!(dropped("against", "against").is_empty() && dropped("fuzzy_dedup", "against").is_empty());
}

/// What an earlier removal has kept is removed from the next; an index of another shape, or none at all, is refused.
#[test]
fn an_index_is_held_against_the_next() {
    let folder = temporary();
    let paragraphs = writing(4, 4, 40);
    let document = |id: &str, place: usize| (id.to_owned(), paragraphs[place].clone());
    let (first, second) = (folder.path().join("first.jsonl"), folder.path().join("second.jsonl"));
    write_lines(&first, &[document("a", 0), document("b", 1), document("c", 1)]);
    // a document as it was, one that was seen under another id, two that are new and alike, one that is new
    write_lines(&second, &[document("a", 0), document("d", 1), document("e", 2), document("f", 2), document("g", 3)]);
    let index = folder.path().join("index");
    dedup(&[&first], &index, &[]);
    let out = folder.path().join("out");
    let said = dedup(&[&second], &out, &["--index", text(&index)]);
    let kept = survivors(&out.join("survivors/second.jsonl"));
    assert!(kept == ["e", "g"] || kept == ["f", "g"], "{kept:?}");
    assert!(said.contains("near_duplicate 1, near_duplicate_of_index 2"), "{said}");
    let all: BTreeSet<String> = clusters(&out).into_values().flatten().collect();
    let alike = ["d", "e", "f"].map(str::to_owned);
    assert_eq!(all, BTreeSet::from(alike), "what is like a document of the index alone is listed, too");

    let refused = |more: &[&str]| {
        let other = folder.path().join("other");
        let arguments = [&["dedup", text(&second), "--out", text(&other)], more].concat();
        let output = curate(&arguments).output().expect("the program can be started");
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    let said = refused(&["--index", text(&index), "--preset", "dolma3"]);
    assert!(said.contains("14 bands of 8") && said.contains("26 bands of 11") && said.contains("5 words"), "{said}");
    assert!(refused(&["--index", text(folder.path())]).contains("is no index"));
    assert!(refused(&["--index", text(&index), "--verify", "0.8"]).contains("no texts"));
}

/// Which copy stays is the recipe's to say, and what went says which one it repeats.
#[test]
fn the_recipe_says_which_copy_stays() {
    let folder = temporary();
    let paragraph = &writing(8, 1, 50)[0];
    let page =
        |date: &str, url: &str, text: String| serde_json::json!({ "id": date, "url": url, "date": date, "text": text });
    let pages = [
        page("2024-03", "https://a.example/", format!("{paragraph} and more")),
        page("2022-01", "https://a.example/", paragraph.clone()),
        page("2023-02", "https://b.example/", format!("{paragraph} and still more")),
    ];
    let lines: Vec<String> = pages.iter().map(ToString::to_string).collect();
    fs::write(folder.path().join("web.jsonl"), lines.join("\n")).expect("the folder can be written");
    let book = page("2020-01", "https://books.example/", format!("{paragraph} in print"));
    fs::write(folder.path().join("books.jsonl"), book.to_string()).expect("the folder can be written");
    let kept = |step: &str| {
        let recipe = folder.path().join("recipe.toml");
        let text_of = format!(
            "name = \"copies\"\nseed = 1\n[source.web]\njsonl = [\"web.jsonl\"]\n[source.books]\njsonl = [\"books.jsonl\"]\n\
             [[step]]\n{step}\n[splits]\nvalidation = 0.0\n[mixture.text]\nweights = {{ web = 0.5, books = 0.5 }}\n"
        );
        fs::write(&recipe, text_of).expect("the folder can be written");
        let out = folder.path().join("out");
        // a mixture without documents of a source fails the run; what was decided stays
        run(&recipe, &out, &["--fresh"]);
        let records = ["web", "books"].map(|source| out.join(format!("facts/records/{source}/part-00000.parquet")));
        let own = |id: &str| records.iter().flat_map(|path| column_where(path, "id", "record", id)).collect::<Vec<_>>();
        let decisions = out.join(format!("decisions/{}.parquet", step.split(' ').next().unwrap_or_default()));
        let all = ["2024-03", "2022-01", "2023-02", "2020-01"];
        let is_kept = |id: &&str| own(id).iter().any(|own| column_where(&decisions, "verdict", "id", own) == ["keep"]);
        all.into_iter().filter(|id| is_kept(id)).collect::<Vec<_>>()
    };
    assert_eq!(kept("fuzzy_dedup = { keep = \"longest\" }"), ["2023-02"]);
    assert_eq!(kept("fuzzy_dedup = { keep = \"earliest\" }"), ["2020-01"]);
    assert_eq!(kept("fuzzy_dedup = { keep = \"latest\" }"), ["2024-03"]);
    assert_eq!(kept("fuzzy_dedup = { keep = \"latest\", prefer = [\"books\"] }"), ["2020-01"]);
    assert_eq!(kept("url_dedup = {}"), ["2024-03", "2023-02", "2020-01"]);
    assert_eq!(kept("url_dedup = { keep = \"earliest\" }"), ["2022-01", "2023-02", "2020-01"]);
    assert_eq!(kept("fuzzy_dedup = { against = [\"books\"] }\nsources = [\"web\"]"), ["2020-01"]);
}

/// The values of a column in the rows in which another has a value.
pub fn column_where(path: &Path, wanted: &str, key: &str, value: &str) -> Vec<String> {
    let file = File::open(path).expect("the file is there");
    let rows = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").build().expect("it has rows");
    let mut found = Vec::new();
    for batch in rows.map(|batch| batch.expect("the rows can be read")) {
        let column = |name: &str| {
            let column =
                cast(batch.column_by_name(name).expect("it has the column"), &DataType::Utf8).expect("it is text");
            column.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let pairs = column(wanted).into_iter().zip(column(key));
        found.extend(pairs.filter(|(_, found)| found == value).map(|(wanted, _)| wanted));
    }
    found
}

/// Killed at several points, a removal goes on and leaves what an undisturbed one does.
#[test]
fn a_killed_removal_goes_on() {
    let folder = temporary();
    let mut documents: Vec<(String, String)> = Vec::new();
    for (place, paragraph) in writing(9, 4000, 80).into_iter().enumerate() {
        documents.push((format!("{place}"), paragraph.clone()));
        documents.extend((place % 3 == 0).then(|| (format!("{place}-again"), format!("{paragraph} again"))));
    }
    let files: Vec<PathBuf> = documents
        .chunks(1500)
        .enumerate()
        .map(|(place, part)| {
            let path = folder.path().join(format!("part-{place}.jsonl"));
            write_lines(&path, part);
            path
        })
        .collect();
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    dedup(&files, &whole, &[]);
    for point in ["facts/records/files/part-00001.parquet", "facts/clusters.parquet", "work/survivors.parquet"] {
        let names = files.iter().map(|file| text(file));
        let mut child = curate(&["dedup", "-q", "--out", text(&broken)])
            .args(names)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program can be started");
        while !broken.join(point).is_file() && child.try_wait().expect("the child can be asked").is_none() {
            thread::sleep(Duration::from_micros(200));
        }
        // SIGKILL, which nobody can catch
        child.kill().expect("the child can be killed");
        child.wait().expect("the child has ended");
    }
    dedup(&files, &broken, &[]);
    let left = ["survivors", "clusters.parquet", "facts", "decisions", "ledger.json"];
    assert_eq!(hashes(&broken, &left), hashes(&whole, &left));
}
