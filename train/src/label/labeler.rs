//! What a labeler is called.

/// Characters of a name, at most.
pub const LONGEST_NAME: usize = 40;

/// A name as it is kept: without white space around it.
///
/// # Errors
/// When it is empty or too long, or has characters that cannot be seen.
pub fn labeler_name(name: &str) -> Result<String, String> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > LONGEST_NAME || name.contains(char::is_control) {
        return Err(format!(
            "a labeler's name has 1 to {LONGEST_NAME} characters, none of which is a control character"
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_read() {
        assert_eq!(labeler_name("  Zoë B. "), Ok("Zoë B.".into()));
        assert!(labeler_name(&"日".repeat(40)).is_ok());
        for name in ["", "  ", "a\nb", "a\0", &"x".repeat(41)] {
            assert!(labeler_name(name).is_err(), "{name:?}");
        }
    }
}
