//! A comparison in a few lines for a terminal.

use pages::excerpt::short;

use super::{Comparison, value::Value};

/// Settings that are listed, and figures.
const MOST: (usize, usize) = (12, 20);

/// Characters of a name, and of a value.
const WIDTH: (usize, usize) = (44, 16);

/// Characters of a setting.
const SETTING: usize = 40;

pub fn summary(comparison: &Comparison) -> String {
    let mut lines = Vec::new();
    lines.push(match comparison.changes.len() {
        0 => "the recipes, seeds, programs and inputs are the same".to_owned(),
        1 => "one setting or input differs".to_owned(),
        count => format!("{count} settings or inputs differ"),
    });
    for change in comparison.changes.iter().take(MOST.0) {
        let setting =
            |value: &Option<String>| value.as_deref().map_or("(not there)".to_owned(), |value| short(value, SETTING));
        lines.push(format!("  {}: {} -> {}", change.key, setting(&change.first), setting(&change.second)));
    }
    lines.extend(left_out(comparison.changes.len(), MOST.0));
    let differing: Vec<_> = comparison.differing().collect();
    if differing.is_empty() {
        lines.push("no figure differs, times aside".to_owned());
        return lines.join("\n");
    }
    lines.push(String::new());
    lines.push(row("figures that differ", "A", "B", ""));
    for figure in differing.iter().take(MOST.1) {
        let value = |value: Option<Value>| value.map_or("–".to_owned(), Value::shown);
        let name = short(&figure.name, WIDTH.0);
        lines.push(row(&name, &value(figure.first), &value(figure.second), &figure.apart().unwrap_or_default()));
    }
    lines.extend(left_out(differing.len(), MOST.1));
    lines.join("\n")
}

fn row(name: &str, first: &str, second: &str, apart: &str) -> String {
    let (name_width, width) = WIDTH;
    format!("{name:name_width$} {first:>width$} {second:>width$} {apart:>width$}").trim_end().to_owned()
}

/// Says that some were not listed.
fn left_out(all: usize, listed: usize) -> Option<String> {
    (all > listed).then(|| format!("  and {} more", all - listed))
}
