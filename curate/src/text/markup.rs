//! Markup of a corpus's files, which a classifier would take for a sign of worth.

/// Undoes how `WikiText` was divided into words: its headings and `<unk>` go, `@-@` is a hyphen again, and punctuation stands at its words.
///
/// ```
/// # use curate::text::markup::plain_wikitext;
/// let mut plain = String::new();
/// plain_wikitext(" = Valkyria = \n\n The game 's 2 @.@ 5 million <unk> copies ( as of 2011 ) , sold well @-@ loved . \n", &mut plain);
/// assert_eq!(plain, "The game's 2.5 million copies (as of 2011), sold well-loved.");
/// ```
pub fn plain_wikitext(text: &str, plain: &mut String) {
    plain.clear();
    for line in text.lines() {
        let words = line.trim();
        if words.is_empty() || (words.starts_with("= ") && words.ends_with(" =")) {
            continue;
        }
        if !plain.is_empty() {
            plain.push('\n');
        }
        let (mut joins, mut quoted) = (true, false);
        for word in words.split_whitespace() {
            let (before, word, behind) = match word {
                "<unk>" => continue,
                "@-@" => (true, "-", true),
                "@,@" => (true, ",", true),
                "@.@" => (true, ".", true),
                "," | "." | ";" | ":" | "!" | "?" | "%" | ")" | "]" | "}" => (true, word, false),
                "(" | "[" | "{" | "$" | "£" | "€" => (false, word, true),
                "\"" => {
                    quoted = !quoted;
                    (!quoted, word, quoted)
                }
                // what is left of 's, 't, 're and their kind
                _ => (word.starts_with('\'') || word == "n't" || word.starts_with('’'), word, false),
            };
            if !(joins || before) {
                plain.push(' ');
            }
            plain.push_str(word);
            joins = behind;
        }
    }
}

/// Takes out Markdown's headings, rules, quotes and emphasis, and what a file says of itself in them.
///
/// ```
/// # use curate::text::markup::plain_markdown;
/// let mut plain = String::new();
/// plain_markdown("# Title: Emma\n\n-----\n> It was *her* own\n__house__.\n", &mut plain);
/// assert_eq!(plain, "It was her own\nhouse.");
/// ```
pub fn plain_markdown(text: &str, plain: &mut String) {
    plain.clear();
    let is_rule = |line: &str| line.len() >= 3 && line.chars().all(|sign| matches!(sign, '-' | '*' | '_' | '=' | ' '));
    for line in text.lines() {
        let line = line.trim_end();
        let words = line.trim_start();
        if words.starts_with('#') || is_rule(words) {
            continue;
        }
        // one blank line at most, and none at the beginning
        if words.is_empty() {
            if !plain.is_empty() && !plain.ends_with("\n\n") {
                plain.push('\n');
            }
            continue;
        }
        let words = words.trim_start_matches("> ").trim_start_matches('>');
        plain.extend(words.chars().filter(|sign| !matches!(sign, '*' | '_')));
        plain.push('\n');
    }
    plain.truncate(plain.trim_end().len());
}
