//! Lengths, languages and hosts.

use maud::html;
use pages::{
    Section,
    numbers::{grouped, share},
    table::{Cell, Column, Table},
};

use crate::report::{
    findings::{BeforeAfter, Findings},
    plots,
};

pub fn section(findings: &Findings) -> Option<Section> {
    let population = &findings.population;
    let lengths = plots::lengths(population)?;
    let length_rows = population.lengths.iter().map(|(bin, count)| {
        let begin = 2f64.powf(f64::from(*bin) / 2.0).ceil();
        let mut row = vec![Cell::decimal(begin, 0)];
        row.extend(counts(count));
        row
    });
    let numbers = ["read", "kept", "share"].map(Column::Numbers);
    let [read, kept, part] = numbers;
    let length_table = Table {
        id: "lengths-table",
        caption: html! { "Documents by length, from so many words up to the next row's." },
        columns: &[Column::Numbers("words from"), read, kept, part],
        rows: length_rows.collect(),
    };
    let languages = plots::before_after("languages-chart", "language", &population.languages);
    let hosts = plots::before_after("hosts-chart", "host", &population.hosts);
    Some(Section {
        id: "population",
        title: "Lengths, languages, hosts",
        says: "Grey is what was read, blue what all steps kept: where the blue thins out, a rule bites.",
        body: html! {
            h3 { "Lengths" }
            (lengths)
            details { summary { "Lengths in numbers" } (length_table) }
            @if let Some(chart) = languages {
                h3 { "Languages" }
                (chart)
                details { summary { "Languages in numbers" } (named("languages-table", "language", &population.languages)) }
            }
            @if let Some(chart) = hosts {
                h3 { "Hosts" }
                p { "Documents came from " (grouped(population.host_count)) " hosts; these gave the most." }
                (chart)
                details { summary { "Hosts in numbers" } (named("hosts-table", "host", &population.hosts)) }
            }
        },
    })
}

fn counts(count: &BeforeAfter<u64>) -> [Cell; 3] {
    [Cell::count(count.before), Cell::count(count.after), Cell::share(share(count.after, count.before))]
}

fn named(id: &str, what: &str, named: &[(String, BeforeAfter<u64>)]) -> maud::Markup {
    let rows = named.iter().map(|(name, count)| {
        let mut row = vec![Cell::words(name)];
        row.extend(counts(count));
        row
    });
    let columns = [Column::Words(what), Column::Numbers("read"), Column::Numbers("kept"), Column::Numbers("share")];
    let table = Table {
        id,
        caption: html! { "Documents by " (what) ", the most first." },
        columns: &columns,
        rows: rows.collect(),
    };
    html! { (table) }
}
