//! Numbers and names as they stand in a drawing.

/// The width of a text in pixels, in a letter of 12 pixels: about that of `DejaVu Sans`, which is wider than most.
pub fn width(text: &str) -> f64 {
    let of = |character: char| match character {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | 'I' | '.' | ',' | ':' | '\'' | '|' | ' ' | '\u{202f}' => 4.3,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 11.5,
        'A'..='Z' => 8.5,
        '\u{0}'..='\u{7f}' => 7.5,
        // of scripts whose characters are squares
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffff}' | '\u{20000}'..='\u{3ffff}' => 12.5,
        _ => 8.0,
    };
    text.chars().map(of).sum()
}

/// A place between 0 and 1 as a length of SVG.
pub fn length(place: f64) -> String {
    format!("{}%", trimmed(100.0 * place, 2))
}

/// A number without zeros at its end.
pub fn trimmed(number: f64, digits: usize) -> String {
    let written = format!("{number:.digits$}");
    if !written.contains('.') {
        return written;
    }
    written.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count in the unit that suits the `most` of its axis.
pub fn count(value: f64, most: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")];
    match units.into_iter().find(|(from, _)| most >= *from) {
        _ if value == 0.0 => "0".to_owned(),
        Some((_, "k")) => format!("{}k", trimmed(value / 1e3, 3)),
        Some((unit, name)) => format!("{}{name}", trimmed(value / unit, 3)),
        None if value >= 1e3 => format!("{:.0}\u{202f}{:03.0}", (value / 1e3).floor(), value % 1e3),
        None => trimmed(value, 3),
    }
}

/// A share of 1 in percent.
pub fn share(value: f64) -> String {
    format!("{}\u{202f}%", trimmed(100.0 * value, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 500.0, 1_500.0].map(|value| count(value, 2_000.0)), ["0", "500", "1\u{202f}500"]);
        assert_eq!([0.0, 5e3, 2e4].map(|value| count(value, 2e4)), ["0", "5k", "20k"]);
        assert_eq!([5e5, 2e6].map(|value| count(value, 2e6)), ["0.5M", "2M"]);
        assert_eq!([0.0, 0.25, 1.0].map(share), ["0\u{202f}%", "25\u{202f}%", "100\u{202f}%"]);
        assert_eq!([0.0, 1.0 / 3.0, 1.0].map(length), ["0%", "33.33%", "100%"]);
        assert_eq!(trimmed(100.0, 0), "100");
    }

    #[test]
    fn wide_letters_are_wide() {
        assert!(width("will") < width("move") && width("abcd") < width("文字文字"));
    }
}
