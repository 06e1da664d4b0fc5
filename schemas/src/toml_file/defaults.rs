//! Values for what a file does not say.

use toml::de::{DeTable, DeValue};

use super::Spanned;

/// Values for what a file does not say, such as those of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// TOML.
    pub text: &'static str,
    /// Pairs of keys of which one at most is said: where the file has the first, the second gets no value.
    pub alternatives: &'static [(&'static str, &'static str)],
}

/// Adds the tables that `defaults` has and `table` has not.
pub(super) fn add_tables<'a>(table: &mut DeTable<'a>, defaults: &DeTable<'a>) {
    for (key, value) in defaults {
        let DeValue::Table(defaults) = value.get_ref() else { continue };
        let place = || Spanned::new(0..0, key.get_ref().clone());
        if !has(table, key.get_ref()) {
            table.insert(place(), Spanned::new(0..0, DeValue::Table(DeTable::new())));
        }
        if let Some(DeValue::Table(table)) = get_mut(table, key.get_ref()) {
            add_tables(table, defaults);
        }
    }
}

/// Adds the values that `defaults` has and `table` has not, unless an alternative is there.
pub(super) fn add_values<'a>(
    table: &mut DeTable<'a>,
    defaults: &DeTable<'a>,
    path: &str,
    alternatives: &[(&str, &str)],
) {
    // what is a default itself is no alternative
    let said: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
    for (key, value) in defaults {
        let path = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
        if let (DeValue::Table(defaults), Some(DeValue::Table(table))) =
            (value.get_ref(), get_mut(table, key.get_ref()))
        {
            add_values(table, defaults, &path, alternatives);
            continue;
        }
        // alternatives stand in one table
        let of_this = alternatives.iter().filter(|(_, other)| *other == path);
        let mut names = of_this.filter_map(|(first, _)| first.rsplit('.').next());
        if !has(table, key.get_ref()) && !names.any(|name| said.iter().any(|said| said == name)) {
            table.insert(Spanned::new(0..0, key.get_ref().clone()), Spanned::new(0..0, value.get_ref().clone()));
        }
    }
}

fn has(table: &DeTable<'_>, name: &str) -> bool {
    table.iter().any(|(key, _)| key.get_ref() == name)
}

fn get_mut<'t, 'a>(table: &'t mut DeTable<'a>, name: &str) -> Option<&'t mut DeValue<'a>> {
    table.iter_mut().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value.get_mut())
}
