//! ARC records, the form in which archives were kept before WARC, read as if they were WARC.
//!
//! A record is a line of fields divided by spaces, then as many bytes as its last field says:
//!
//! ```text
//! http://example.org/ 192.0.2.1 20030101120000 text/html 1432
//! ```
//!
//! Source: Burner and Kahle 1996, "Arc File Format", versions 1 and 2.

/// What the line of a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArcLine {
    /// The address.
    pub url: String,
    /// When it was captured, as WARC writes dates.
    pub date: String,
    /// The type that the server named.
    pub media_type: String,
    /// Bytes that follow the line.
    pub length: usize,
}

/// How the first line of an ARC file begins.
pub const MAGIC: &[u8] = b"filedesc://";

impl ArcLine {
    /// Reads a line of version 1 (five fields) or 2 (ten); none where it is no such line. An address may hold spaces.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.trim_end().split(' ').collect();
        let is_date = |field: &str| field.len() == 14 && field.bytes().all(|byte| byte.is_ascii_digit());
        // the date stands third from the end in version 1, and eighth in version 2
        let date = [3, 8].into_iter().find_map(|from_end| {
            let at = fields.len().checked_sub(from_end)?;
            (at >= 2 && is_date(fields[at])).then_some(at)
        })?;
        let length = fields.last()?.parse().ok()?;
        let digits = fields[date];
        Some(Self {
            url: fields[..date - 1].join(" "),
            date: format!(
                "{}-{}-{}T{}:{}:{}Z",
                &digits[..4],
                &digits[4..6],
                &digits[6..8],
                &digits[8..10],
                &digits[10..12],
                &digits[12..]
            ),
            media_type: fields[date + 1].to_owned(),
            length,
        })
    }

    /// The headers that a WARC record of the same answer would have.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let is_web = self.url.starts_with("http://") || self.url.starts_with("https://");
        let kind = if self.url.as_bytes().starts_with(MAGIC) { "warcinfo" } else { "response" };
        let content_type = if is_web { "application/http; msgtype=response" } else { self.media_type.as_str() };
        [
            ("WARC-Type", kind),
            ("WARC-Target-URI", &self.url),
            ("WARC-Date", &self.date),
            ("Content-Type", content_type),
            ("Content-Length", &self.length.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read() {
        let one = ArcLine::parse("http://example.org/a b 192.0.2.1 20030131120059 text/html 1432").expect("version 1");
        assert_eq!(
            (one.url.as_str(), one.date.as_str(), one.length),
            ("http://example.org/a b", "2003-01-31T12:00:59Z", 1432)
        );
        let two = "http://example.org/ 192.0.2.1 20030131120059 text/html 200 fac069 - 209 a.arc.gz 1432";
        assert_eq!(ArcLine::parse(two).map(|line| line.media_type), Some("text/html".into()));
        assert_eq!(ArcLine::parse("HTTP/1.1 200 OK"), None);
        assert_eq!(ArcLine::parse("http://example.org/ 192.0.2.1 20030131120059 text/html many"), None);
    }
}
