//! Names as messages list them.

/// Names one after the other: `` `a`, `b` ``, or `none`.
#[must_use]
pub fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".into() } else { format!("`{}`", names.join("`, `")) }
}

/// Names of which one is wanted, two or more: `` `a`, `b` and `c` ``.
#[must_use]
pub fn list_with_and(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and `{last}`", list(others)),
        _ => list(names),
    }
}
