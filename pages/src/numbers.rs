//! Numbers as people read them.

/// A number with a narrow space between groups of three digits.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join("\u{202f}")
}

/// A size in the decimal unit that suits it.
#[must_use]
pub fn decimal(bytes: u64) -> String {
    let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / *size as f64),
        None => format!("{bytes} B"),
    }
}

/// A share of 1 in percent; with two digits where it is small.
#[must_use]
pub fn percent(share: f64) -> String {
    let digits = if share != 0.0 && share.abs() < 0.01 { 2 } else { 1 };
    format!("{:.digits$}\u{202f}%", share * 100.0)
}

/// A part of a whole, between 0 and 1; none of nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A part of a whole in percent; a dash of nothing.
#[must_use]
pub fn percent_of(part: u64, whole: u64) -> String {
    share(part, whole).map_or_else(|| "–".to_owned(), percent)
}

/// A length of time, in the units that suit it.
#[must_use]
pub fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a run takes no longer than time can tell"
    )]
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(decimal(30_750_595), "30.8 MB");
        assert_eq!((percent(0.5), percent(0.001)), ("50.0\u{202f}%".to_owned(), "0.10\u{202f}%".to_owned()));
        assert_eq!((percent_of(1, 4), percent_of(1, 0)), ("25.0\u{202f}%".to_owned(), "–".to_owned()));
        assert_eq!(
            (duration(0.25), duration(61.0), duration(7300.0)),
            ("0.2 s".into(), "1 min 1 s".into(), "2 h 1 min".into())
        );
    }
}
