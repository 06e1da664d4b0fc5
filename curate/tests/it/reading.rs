//! What people read: the plan of a run, the report, and the words of `--help`.

use std::fs;

use crate::support::{curate, recipe, root, run_well, stderr, stdout, temporary, text};

#[test]
fn check_says_what_would_run() {
    let output =
        curate(&["check", "fixtures/recipes/fixture.toml"]).current_dir(root()).output().expect("it can be started");
    insta::assert_snapshot!(stdout(&output));
}

/// The recipe's schema is JSON, and knows every key that the recipes use.
#[test]
fn the_schema_knows_the_recipes_keys() {
    let output = curate(&["schema"]).output().expect("the program can be started");
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the schema is JSON");
    for key in ["source", "task", "facts", "classifier", "step", "splits", "mixture"] {
        assert!(schema["properties"][key].is_object(), "the schema has no `{key}`");
    }
    assert_eq!(schema["additionalProperties"], false);
}

/// The report shows the funnel, needs no network, and speaks of what the run found.
#[test]
fn the_report_stands_alone() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let html = fs::read_to_string(out.path().join("report.html")).expect("a finished run has a report");
    for part in ["id=\"funnel\"", "gopher_bullets", "gzip_corrupt", "Area under ROC", "over_budget"] {
        assert!(html.contains(part), "the report does not show {part}");
    }
    let body = &html[html.find("<body>").expect("a page has a body")..];
    for outside in ["src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!body.contains(outside), "the report asks the network: {outside}");
    }
    // the charts are drawn where no script runs
    assert!(
        body.contains("<svg class=\"plot bars\"") && body.contains("<svg class=\"plot bins\""),
        "no chart is drawn"
    );
    assert_eq!(html.matches("<script").count(), 1, "the page has scripts besides its own");
}

/// The plans of a stage are shown as they ran, and a stage that is not there is named beside those that are.
#[test]
fn explain_shows_how_a_stage_ran() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let explain = |more: &[&str]| {
        let arguments = [&["explain", text(out.path())], more].concat();
        curate(&arguments).output().expect("the program can be started")
    };
    let stages = stdout(&explain(&[]));
    for stage in ["read", "fuzzy_dedup", "mixture-text"] {
        assert!(stages.lines().any(|line| line == stage), "{stages}");
    }
    let plan = stdout(&explain(&["mixture-text"]));
    assert!(plan.contains("PublishExec") && plan.contains("ChainExec") && plan.contains("output_rows="), "{plan}");
    let refused = stderr(&explain(&["shuffle"]));
    assert!(refused.contains("no plan of a stage `shuffle`") && refused.contains("`mixture-text`"), "{refused}");
}
