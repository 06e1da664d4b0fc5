//! What stands behind the question mark of a path.

use crate::percent;

/// The value of a key, as it is meant; none where it is not there.
pub fn value(query: &str, key: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decoded(name), value)).find(|(name, _)| name == key).map(|(_, value)| decoded(value))
}

/// A part of a query as it is meant: a plus is a blank, which is no byte of `%` yet.
fn decoded(text: &str) -> String {
    percent::decoded(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_is_meant() {
        for (query, found) in [
            ("labeler=ann", Some("ann")),
            ("a=b&labeler=Zo%C3%AB+B.&c", Some("Zoë B.")),
            ("labeler=", Some("")),
            ("labeler", Some("")),
            ("labeler=1%2B1%3D2%26", Some("1+1=2&")),
            ("labeler=100%", Some("100%")),
            ("label=x", None),
            ("", None),
        ] {
            assert_eq!(value(query, "labeler").as_deref(), found, "{query}");
        }
    }
}
