//! The report as a file: what it holds, where that comes from, how large it may be; and two runs side by side.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{curate, recipe, run, run_well, stderr, stdout, temporary, text};

fn report(out: &Path) -> String {
    fs::read_to_string(out.join("report.html")).expect("a finished run has a report")
}

/// What a run of the fixture has, the report shows, each under its heading; and no part of it comes from elsewhere.
#[test]
fn every_section_is_there_and_nothing_comes_from_elsewhere() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let html = report(out.path());
    for section in [
        "funnel",
        "sources",
        "population",
        "removed",
        "scores",
        "classifiers",
        "duplicates",
        "mixtures",
        "quarantine",
        "work",
        "recipe",
    ] {
        assert!(html.contains(&format!("<section id=\"{section}\"")), "there is no section {section}");
        assert!(html.contains(&format!("href=\"#{section}\"")), "the contents leave out {section}");
    }
    for outside in ["src=\"", "<link", "@import", "url(", "href=\"http", "<iframe"] {
        assert!(!html.contains(outside), "the report may ask for something: {outside}");
    }
    assert!(html.contains("default-src 'none'"), "the browser is not told to load nothing");
    // a box without words says nothing to those who cannot see it
    let (charts, labels) =
        (html.matches("class=\"chart\"").count(), html.matches("role=\"img\" aria-label=\"").count());
    assert!(charts >= 7 && charts == labels, "{charts} charts, {labels} with words");
    // each is drawn without a script, and says its values where it is pointed at
    let drawn = html.split("class=\"chart\"").skip(1).filter(|chart| {
        let chart = chart.split("</svg></div>").next().unwrap_or(chart);
        chart.contains("<svg class=\"plot") && chart.contains("<title>")
    });
    assert_eq!(drawn.count(), charts, "some charts are not drawn");
    assert!(html.contains("memory at most"), "the peak of memory is not shown");
}

/// A user's first recipe: a rule leaves two pages of sixty, which hold the posts back; a source stands in no mixture. The summary, the report
/// and, as far as it can be known, the check say so, with what would help.
#[test]
fn a_run_says_what_its_user_would_want_to_know() {
    let folder = temporary();
    let write = |name: &str, count: usize, text: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..count)
            .map(|number| serde_json::json!({ "id": number.to_string(), "text": text(number) }).to_string())
            .collect();
        fs::write(folder.path().join(name), lines.join("\n")).expect("the folder can be written");
    };
    write("web.jsonl", 60, &|number| if number < 2 { sentence(number) } else { format!("{number} few words") });
    write("posts.jsonl", 300, &|number| sentence(number + 100));
    write("notes.jsonl", 3, &|number| sentence(number + 1_000));
    let written = "name = \"first\"\nseed = 1\n[source.web]\njsonl = [\"web.jsonl\"]\n[source.posts]\njsonl = [\"posts.jsonl\"]\n\
                   [source.notes]\njsonl = [\"notes.jsonl\"]\n[[step]]\ngopher_quality = {}\n[splits]\nvalidation = 0.1\n\
                   [mixture.text]\nweights = { web = 0.5, posts = 0.5 }\n";
    let path = folder.path().join("recipe.toml");
    fs::write(&path, written).expect("the folder can be written");
    let out = folder.path().join("out");
    let output = run(&path, &out, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    for warning in [
        "warning: mixture text: `web` limits it, with ",
        "% of `posts` is left unused; raise its `max_epochs` to 4, for ",
        "or loosen `gopher_quality`, which keeps 2 of its 60 documents",
        " rows are to train on and ",
        "warning: step gopher_quality: it keeps 2 of 60 documents of `web` (gopher_",
        "warning: source notes: it is read, and stands in no mixture",
    ] {
        assert!(said.contains(warning), "{warning}: {said}");
    }
    let html = report(&out);
    for part in ["<b>mixture text</b>: <code>web</code> limits it", "<b>source notes</b>: it is read"] {
        assert!(html.contains(part), "{part}");
    }
    let check = curate(&["check", text(&path)]).output().expect("the program can be started");
    assert!(stdout(&check).contains("warning: source notes is read, and stands in no mixture"), "{}", stdout(&check));
    let held_back = "by the sizes of files, `web` at a weight of 0.50 leaves 9";
    assert!(stdout(&check).contains(held_back), "{}", stdout(&check));
}

/// What is shown of documents stands in them, is the same each time, and no markup of theirs is the page's.
#[test]
fn samples_come_from_documents_and_are_the_same_again() {
    let folder = temporary();
    let lines: Vec<String> = (0..300)
        .map(|number| {
            let words = if number % 3 == 0 { "<script>alert('&')</script> few".to_owned() } else { sentence(number) };
            serde_json::json!({ "id": number.to_string(), "text": words }).to_string()
        })
        .collect();
    fs::write(folder.path().join("some.jsonl"), lines.join("\n")).expect("the folder can be written");
    let written = "name = \"samples\"\nseed = 1\n[source.some]\njsonl = [\"some.jsonl\"]\n[[step]]\ngopher_quality = {}\n\
                   [mixture.text]\nweights = { some = 1.0 }\n";
    let path = folder.path().join("recipe.toml");
    fs::write(&path, written).expect("the folder can be written");
    let out = folder.path().join("out");
    run_well(&path, &out, &[]);
    let first = report(&out);
    assert!(first.contains("&lt;script&gt;alert('&amp;')&lt;/script&gt; few"), "the dropped are shown, as text");
    assert!(!first.contains("<script>alert"), "a document's markup became the page's");
    assert!((0..300).any(|number| first.contains(&sentence(number)[..60])), "none of the kept is shown");

    let again = curate(&["report", text(&out)]).output().expect("the program can be started");
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(stdout(&again).trim(), text(&out.join("report.html")));
    assert_eq!(first, report(&out), "the same run has another report");
}

/// A text that the quality rules keep.
fn sentence(number: usize) -> String {
    let about = format!("The story of number {number} is one that we have heard and that they will tell to others. ");
    about.repeat(6)
}

/// Much of everything is no more than the report may hold: thousands of documents for each of many reasons, long texts, long URLs.
#[test]
fn the_size_is_bounded() {
    let folder = temporary();
    let long = "<&> ".repeat(4000);
    let mut lines = Vec::new();
    for number in 0..4000 {
        let words = match number % 4 {
            0 => format!("short {number}"),
            1 => format!("{long} {number}"),
            2 => format!("# {number} ").repeat(200),
            _ => sentence(number),
        };
        let url = format!("http://host-{number}.example/{}", "&".repeat(300));
        lines.push(serde_json::json!({ "id": number.to_string(), "url": url, "text": words }).to_string());
    }
    fs::write(folder.path().join("some.jsonl"), lines.join("\n")).expect("the folder can be written");
    let steps = "[[step]]\ngopher_quality = {}\n[[step]]\nexact_dedup = {}\n[[step]]\nfuzzy_dedup = {}\n[splits]\nvalidation = 0.0\n";
    let written = format!(
        "name = \"large\"\nseed = 1\n[source.some]\njsonl = [\"some.jsonl\"]\n{steps}[mixture.text]\nweights = {{ some = 1.0 }}\n"
    );
    let path = folder.path().join("recipe.toml");
    fs::write(&path, written).expect("the folder can be written");
    let out = folder.path().join("out");
    run_well(&path, &out, &[]);
    let html = report(&out);
    assert!(html.len() < curate::report::LARGEST, "{} bytes", html.len());
    let texts: usize = html.split("<blockquote").skip(1).filter_map(|rest| rest.find("</blockquote>")).sum();
    assert!(texts < 260_000, "{texts} bytes of texts");
}

/// One threshold changed: the comparison names it, and what followed from it; a run beside itself differs in nothing.
#[test]
fn a_comparison_says_what_was_changed_and_what_followed() {
    let folder = temporary();
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    run_well(&recipe("fixture.toml"), &first, &[]);
    run_well(&recipe("fixture.toml"), &second, &["--set", "splits.validation=0.2"]);
    let output = curate(&["report", text(&first), text(&second)]).output().expect("the program can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output).replace(text(folder.path()), "DIR");
    insta::assert_snapshot!(said);
    let html = fs::read_to_string(folder.path().join("comparison.html")).expect("the comparison is beside the runs");
    for part in ["<code>splits.validation</code>", "0.05", "id=\"kept-chart\""] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.len() < curate::report::LARGEST, "{} bytes", html.len());

    let page = folder.path().join("same.html");
    let arguments = ["report", text(&first), text(&first), "--out", text(&page)];
    let output = curate(&arguments).output().expect("the program can be started");
    assert!(stdout(&output).contains("no figure differs"), "{}", stdout(&output));
    assert!(page.is_file());
}

/// A folder without a run is named, and left alone.
#[test]
fn a_folder_without_a_run_is_named() {
    let folder = temporary();
    let output = curate(&["report", text(folder.path())]).output().expect("the program can be started");
    assert!(!output.status.success());
    assert!(stderr(&output).contains("manifest.json"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(folder.path()).expect("the folder is there").count(), 0, "something was left there");
}

/// Memory is noted with every unit that ends, and no file that a run promises depends on it.
#[test]
fn marks_note_the_peak_of_memory() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let mark = fs::read_to_string(out.path().join("work/marks/clusters/clusters.json")).expect("the unit has a mark");
    // its hash stands in the line below
    let mark = mark.lines().next().unwrap_or_default();
    let mark: Value = serde_json::from_str(mark).expect("a mark is JSON");
    assert!(mark["peak_memory"].as_u64().is_none_or(|bytes| bytes > 1 << 20), "{mark}");
}
