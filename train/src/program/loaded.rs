//! What a module has of a model that it was loaded from, and what it has not.

use std::{collections::BTreeSet, fmt};

/// What was loaded into a module, and what is fresh. Displays as both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Parameters that were loaded.
    pub parameters: usize,
    /// Numbers in them.
    pub numbers: usize,
    /// Tables with rows for new tokens: the name, the first new row, and the rows in all.
    pub new_rows: Vec<(String, usize, usize)>,
    /// Positions that were kept, and how many there were.
    pub positions: Option<(usize, usize)>,
    /// Parameters that the folder does not have.
    pub fresh: Vec<String>,
    /// Parameters of the folder that the module does not have.
    pub left: BTreeSet<String>,
}

impl fmt::Display for Loaded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameters, numbers, new_rows, positions, fresh, left } = self;
        write!(formatter, "{parameters} parameters with {numbers} numbers are loaded")?;
        if let Some((kept, of)) = positions {
            write!(formatter, ", of {of} learned positions the first {kept}")?;
        }
        if !left.is_empty() {
            write!(formatter, "; left out: {}", quoted(left))?;
        }
        if fresh.is_empty() && new_rows.is_empty() {
            return formatter.write_str("; nothing is fresh");
        }
        let rows = new_rows.iter().map(|(name, first, rows)| format!("rows {first} to {} of `{name}`", rows - 1));
        let mut said: Vec<String> = rows.collect();
        if !fresh.is_empty() {
            said.push(quoted(fresh));
        }
        write!(formatter, "; fresh are {}", said.join(" and "))
    }
}

fn quoted<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fresh_is_said() {
        let whole = Loaded { parameters: 2, numbers: 30, ..Loaded::default() };
        assert_eq!(whole.to_string(), "2 parameters with 30 numbers are loaded; nothing is fresh");
        let other = Loaded {
            new_rows: vec![("tokens".into(), 300, 303), ("head".into(), 300, 303)],
            positions: Some((16, 32)),
            fresh: vec!["classes".into()],
            left: ["score".to_owned()].into(),
            ..whole
        };
        let expected = "2 parameters with 30 numbers are loaded, of 32 learned positions the first 16; left out: `score`; fresh are rows 300 \
                        to 302 of `tokens` and rows 300 to 302 of `head` and `classes`";
        assert_eq!(other.to_string(), expected);
    }
}
