//! What a page says about itself: its title, when it was published, its language.

use super::{
    blocks::{Blocks, Kind},
    tag::Tag,
    tree::{Data, NodeId, Tree},
};

/// What a page says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Its title, without the site's name where it gives both.
    pub title: Option<String>,
    /// The day on which it was published, as `YYYY-MM-DD`.
    pub published: Option<String>,
    /// Its language, as it says it.
    pub language: Option<String>,
    /// Its text, as it is given to search engines.
    pub body: Option<String>,
}

/// Names of `meta` elements that hold the day of publication.
const PUBLISHED: [&str; 12] = [
    "article:published_time",
    "og:published_time",
    "datepublished",
    "date",
    "pubdate",
    "publishdate",
    "dc.date",
    "dc.date.issued",
    "dcterms.created",
    "sailthru.date",
    "parsely-pub-date",
    "article.published",
];

/// Reads what the page says about itself.
///
/// - The title is the one meant for sharing, else the only heading of the first level, else the window's.
/// - The day is the first that a `meta` element, data for search engines or a `time` element gives, in this order.
pub fn about(tree: &Tree, blocks: &Blocks) -> About {
    let (mut shared, mut window, mut language, mut locale) = (None, None, None, None);
    let (mut meta_day, mut data_day, mut time_day) = (None, None, None);
    let mut body = None;
    for id in tree.ids() {
        match tree.tag(id) {
            Some(Tag::Html) => {
                language = language.or_else(|| tree.attribute(id, "lang").and_then(|lang| present(lang)));
            }
            Some(Tag::Meta) => {
                let Some(content) = tree.attribute(id, "content").and_then(|content| present(content)) else {
                    continue;
                };
                let name = ["property", "name", "itemprop", "http-equiv"];
                let Some(name) = name.iter().find_map(|key| tree.attribute(id, key)) else { continue };
                let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
                if is("og:title") || is("twitter:title") {
                    shared = shared.or(Some(content));
                } else if is("og:locale") || is("content-language") {
                    locale = locale.or(Some(content));
                } else if PUBLISHED.iter().any(|wanted| is(wanted)) {
                    meta_day = meta_day.or_else(|| day(&content));
                }
            }
            Some(Tag::Title) => window = window.or_else(|| present(&text(tree, id))),
            Some(Tag::Time) => {
                time_day = time_day.or_else(|| tree.attribute(id, "datetime").and_then(|time| day(time)));
            }
            Some(Tag::Script) => {
                let data = text(tree, id);
                data_day = data_day.or_else(|| published(&data));
                body = body.or_else(|| article_body(&data));
            }
            _ => {}
        }
    }
    let mut headings = blocks.all.iter().filter(|block| block.kind == Kind::Heading(1));
    let heading = headings.next().filter(|_| headings.next().is_none()).map(|block| blocks.text(block).to_owned());
    About {
        title: shared.or(heading).or(window),
        published: meta_day.or(data_day).or(time_day),
        language: language.or(locale),
        body,
    }
}

/// The text right in an element.
fn text(tree: &Tree, id: NodeId) -> String {
    let texts = tree.children(id).filter_map(|child| match &tree.node(child).data {
        Data::Text(text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}

fn present(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The day of publication in data for search engines.
fn published(data: &str) -> Option<String> {
    let (_, after) = data.split_once("\"datePublished\"")?;
    day(after.trim_start_matches([' ', '\n', '\t', '\r', ':', '"', '[']))
}

/// The text of an article in data for search engines, with its lines.
fn article_body(data: &str) -> Option<String> {
    let (_, after) = data.split_once("\"articleBody\"")?;
    let value = after.trim_start().strip_prefix(':')?;
    let body: String = serde_json::Deserializer::from_str(value).into_iter().next()?.ok()?;
    let lines: Vec<String> = body.lines().filter_map(present).collect();
    // some sites put markup into it
    (!lines.is_empty() && !body.contains("</")).then(|| lines.join("\n"))
}

/// The day at the beginning of a date as ISO 8601 has it.
fn day(date: &str) -> Option<String> {
    let date = date.trim().get(..10)?;
    let number = |range: std::ops::Range<usize>| {
        let digits = &date[range];
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten()
    };
    let divided = date.is_ascii() && &date[4..5] == "-" && &date[7..8] == "-";
    let is_day = divided
        && (1990..2100).contains(&number(0..4)?)
        && (1..=12).contains(&number(5..7)?)
        && (1..=31).contains(&number(8..10)?);
    is_day.then(|| date.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::page::tree::Limits;

    fn read(html: &str) -> About {
        let tree = Tree::parse(html, Limits::default()).expect("the page is small");
        about(&tree, &Blocks::of(&tree))
    }

    #[test]
    fn the_title_comes_without_the_sites_name() {
        let page = "<html lang=en><title>Salt | The Daily</title><meta property=og:title content='Salt'><h1>Salt!</h1>";
        let expected = About { title: Some("Salt".into()), language: Some("en".into()), ..About::default() };
        assert_eq!(read(page), expected);
        assert_eq!(read("<title>Salt | The Daily</title><h1>Salt</h1>").title.as_deref(), Some("Salt"));
        assert_eq!(read("<title>Two</title><h1>One</h1><h1>Two</h1>").title.as_deref(), Some("Two"));
    }

    #[test]
    fn the_text_of_an_article_may_stand_in_data() {
        let data =
            r#"<script type="application/ld+json">{"articleBody" : "Salt  \u0026 oil.\n\nMore.", "x": 1}</script>"#;
        assert_eq!(read(data).body.as_deref(), Some("Salt & oil.\nMore."));
        assert_eq!(read(&data.replace("oil", "<b>oil</b>")).body, None);
        assert_eq!(read(&data.replace("\"Salt", "Salt")).body, None);
    }

    #[test]
    fn a_day_is_a_day() {
        let data = r#"<script type="application/ld+json">{"datePublished": "2021-03-04T10:00:00Z"}</script>"#;
        assert_eq!(read(data).published.as_deref(), Some("2021-03-04"));
        assert_eq!(read("<time datetime='2021-13-04'></time>").published, None);
        assert_eq!(
            read("<time datetime='4 März 2021'></time><time datetime=2021-03-04>").published.as_deref(),
            Some("2021-03-04")
        );
    }
}
