//! How the model was asked.

use maud::html;
use pages::{
    Section,
    excerpt::short,
    table::{Cell, Column, Table},
};

use super::{data::PageData, names};

/// Characters of a value, at most.
const LONGEST: usize = 200;

pub fn section(data: &PageData) -> Option<Section> {
    if data.settings.is_empty() {
        return None;
    }
    let rows = data.settings.iter().map(|(name, value)| vec![names::cell(name), Cell::code(short(value, LONGEST))]);
    let columns = [Column::Words("setting"), Column::Words("value")];
    let caption = html! { "What has to be the same for scores to compare." };
    let table = Table { id: "settings-table", caption, columns: &columns, rows: rows.collect() };
    Some(Section {
        id: "settings",
        title: "Settings",
        says: "The model, its weights and how it was asked. Tasks with their files and hashes stand in results.json.",
        body: html! { (table) },
    })
}
