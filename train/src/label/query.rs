//! What stands behind the question mark of a path.

/// The value of a key, as it is meant; none where it is not there.
pub fn value(query: &str, key: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decoded(name), value)).find(|(name, _)| name == key).map(|(_, value)| decoded(value))
}

/// A part of a query as it is meant: a plus is a blank, and `%` goes before two digits of a byte.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let digits = others.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(match (first, byte) {
            (_, Some(byte)) => byte,
            (b'+', None) => b' ',
            (first, None) => *first,
        });
        rest = if byte.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
