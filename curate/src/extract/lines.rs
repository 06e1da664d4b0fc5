//! Clean HTML as lines of text: a paragraph, a heading, an item or a row of a table each.
//!
//! The input is what an extractor serialises: every tag is closed, attributes are quoted, and `<` and `&` are escaped in text.

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 33] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tr",
    "ul",
];

/// Elements whose content is no text.
const SILENT: [&str; 3] = ["script", "style", "head"];

/// The text of clean HTML. Items begin with `- `, cells of a row are divided by ` | `, and `pre` keeps its lines.
///
/// ```
/// # use curate::extract::lines;
/// assert_eq!(lines("<h1>Salt &amp; pepper</h1><ul><li>one</li> <li>two\n<b>halves</b></li></ul>"), "Salt & pepper\n- one\n- two halves");
/// ```
#[must_use]
pub fn lines(html: &str) -> String {
    let mut text =
        Lines { out: String::with_capacity(html.len() / 2), pending_space: false, preformatted: 0, silent: 0 };
    let mut rest = html;
    while let Some((before, tagged)) = rest.split_once('<') {
        text.push(before);
        if let Some(comment) = tagged.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let (tag, after) = split_tag(tagged);
        text.tag(tag);
        rest = after;
    }
    text.push(rest);
    text.out.truncate(text.out.trim_end().len());
    text.out
}

/// A tag without its brackets, and what follows it; `>` in a quoted attribute does not end it.
fn split_tag(tagged: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, byte) in tagged.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return (&tagged[..at], &tagged[at + 1..]),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    (tagged, "")
}

struct Lines {
    out: String,
    /// White space came since the last word.
    pending_space: bool,
    preformatted: usize,
    silent: usize,
}

impl Lines {
    fn tag(&mut self, tag: &str) {
        let closes = tag.starts_with('/');
        let name = tag.trim_start_matches('/').split([' ', '\n', '\t', '/']).next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let name = name.as_str();
        if SILENT.contains(&name) {
            self.silent = if closes { self.silent.saturating_sub(1) } else { self.silent + 1 };
        } else if BLOCKS.contains(&name) {
            self.end_line();
            match (name, closes) {
                ("pre", false) => self.preformatted += 1,
                ("pre", true) => self.preformatted = self.preformatted.saturating_sub(1),
                ("li", false) => self.out.push_str("- "),
                _ => {}
            }
        } else if matches!(name, "td" | "th") && !closes && !self.at_line_start() {
            self.out.push_str(" | ");
            self.pending_space = false;
        }
    }

    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    fn end_line(&mut self) {
        self.pending_space = false;
        let end = self.out.trim_end_matches(' ').len();
        // an item without text leaves no bullet behind
        let end = if self.out[..end].ends_with("\n-") || self.out[..end] == *"-" { end - 1 } else { end };
        self.out.truncate(end);
        if !self.at_line_start() {
            self.out.push('\n');
        }
    }

    fn push(&mut self, escaped: &str) {
        if self.silent > 0 || escaped.is_empty() {
            return;
        }
        let mut rest = escaped;
        while let Some(at) = rest.find('&') {
            self.push_plain(&rest[..at]);
            let (character, length) = entity(&rest[at..]);
            self.push_plain(character);
            rest = &rest[at + length..];
        }
        self.push_plain(rest);
    }

    fn push_plain(&mut self, text: &str) {
        if self.preformatted > 0 {
            self.out.push_str(text);
            return;
        }
        for character in text.chars() {
            if character.is_whitespace() {
                self.pending_space = true;
                continue;
            }
            if self.pending_space && !self.at_line_start() && !self.out.ends_with(' ') {
                self.out.push(' ');
            }
            self.pending_space = false;
            self.out.push(character);
        }
    }
}

/// What the entity at the start of `text` stands for, and its length; a lone `&` stands for itself.
fn entity(text: &str) -> (&str, usize) {
    let known = [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&nbsp;", " "),
        ("&#39;", "'"),
        ("&#34;", "\""),
    ];
    known.iter().find(|(name, _)| text.starts_with(name)).map_or(("&", 1), |(name, character)| (*character, name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_lines_and_inline_tags_are_nothing() {
        let html = "<body><div><p>One <i>two</i>,\n three.</p><p></p><p>Four<br>five</p></div>six</body>";
        assert_eq!(lines(html), "One two, three.\nFour\nfive\nsix");
    }

    #[test]
    fn rows_and_code_keep_their_shape() {
        let html = "<table><tr><th>a</th><td title=\"x > y\">b &lt; c</td></tr></table><pre>if x:\n    y()</pre><ul><li></li></ul>";
        assert_eq!(lines(html), "a | b < c\nif x:\n    y()");
    }
}
