//! Parts of addresses, in which `%` goes before two digits of a byte.

/// A part of an address as it is meant.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        // a number may have a sign, and a byte has none
        let digits = others.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_path_is_read_as_it_is_meant() {
        for (path, meant) in
            [("a%2Fb", "a/b"), ("%e6%97%A5", "日"), ("100%", "100%"), ("%2", "%2"), ("%+5%-1% 1", "%+5%-1% 1")]
        {
            assert_eq!(decoded(path), meant);
        }
    }
}
