//! The recipe, and what was read and written.

use maud::html;
use pages::{
    Section,
    excerpt::beginning,
    table::{Cell, Column, Table},
};

use crate::report::{findings::Findings, sections::sample::gap};

/// Bytes of the recipe that are shown.
const LONGEST: usize = 32 << 10;

pub fn section(findings: &Findings) -> Section {
    let manifest = &findings.manifest;
    let recipe = serde_json::to_string_pretty(&manifest.recipe).unwrap_or_default();
    let (shown, _) = beginning(&recipe, LONGEST);
    let rows = manifest.inputs.iter().map(|file| {
        let name = std::path::Path::new(&file.path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        vec![
            Cell::words(name),
            file.rows.map_or(Cell::Empty, Cell::count),
            Cell::bytes(file.bytes),
            Cell::code(file.sha256.get(..16).unwrap_or_default()),
        ]
    });
    let table = Table {
        id: "inputs",
        caption: html! { "The files that were read, with the beginning of their SHA-256; " code { "manifest.json" } " has the rest." },
        columns: &[
            Column::Words("file"),
            Column::Numbers("records"),
            Column::Numbers("size"),
            Column::Words("SHA-256"),
        ],
        rows: rows.collect(),
    };
    Section {
        id: "recipe",
        title: "Recipe",
        says: "With these files and this seed, the same recipe gives the same bytes.",
        body: html! {
            (table)
            details { summary { "The recipe, as it was run" }
                pre tabindex="0" aria-label="The recipe" { code { (shown) (gap((recipe.len() - shown.len()) as u64)) } }
            }
            details { summary { "The versions of the code that took part" }
                p { @for (number, (code, version)) in manifest.versions.iter().enumerate() {
                    @if number > 0 { ", " }
                    (code) " " (version)
                } }
            }
        },
    }
}
