//! A page's main text, found by Tamis itself.
//!
//! ```text
//! HTML -> tree -> blocks -> those of the main text -> lines
//!    (parsed once)  (one walk)
//! ```
//!
//! Useful for: pages of any language. Not useful for: pages that scripts write, whose text is not in their HTML.
//!
//! Source: see [`main_text`].
//! Cost: nine tenths of the time is the parser's.

mod about;
mod blocks;
mod hints;
mod main_text;
mod phrases;
mod tag;
mod tree;

use blocks::{Block, Blocks, Kind};
use tree::Tree;
pub use tree::{Limits, TooMuch};

use super::extracted::Extracted;

/// Bytes below which the text that was found is hardly one, and from which one for search engines takes its place.
const HARDLY_A_TEXT: usize = 400;

/// The main text of a page, and what the page says about itself; none where there is no text.
///
/// A paragraph, a heading, an item or a row of a table is a line each; items begin with `- `, cells of a row are divided by
/// ` | `, and code keeps its lines.
///
/// # Errors
/// When the page is over a limit.
pub fn extract(html: &str, limits: Limits) -> Result<Option<Extracted>, TooMuch> {
    let tree = Tree::parse(html, limits)?;
    let blocks = Blocks::of(&tree);
    let kept = main_text::main_text(&tree, &blocks);
    let mut text = lines(&blocks, &kept);
    let about = about::about(&tree, &blocks);
    // a page that shows its text by a script may still give it to search engines
    if text.len() < HARDLY_A_TEXT
        && let Some(body) = about.body.filter(|body| body.len() > HARDLY_A_TEXT)
    {
        text = body;
    }
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(Extracted {
        text,
        title: about.title,
        published: about.published,
        language: about.language,
        links: blocks.links(&kept),
    }))
}

/// What [`extract`] leaves out of a page, in lines like its own; none where that is nothing.
///
/// # Errors
/// When the page is over a limit.
pub fn boilerplate(html: &str, limits: Limits) -> Result<Option<Extracted>, TooMuch> {
    let tree = Tree::parse(html, limits)?;
    let blocks = Blocks::of(&tree);
    let mut kept = main_text::main_text(&tree, &blocks);
    kept.iter_mut().for_each(|kept| *kept = !*kept);
    let text = lines(&blocks, &kept);
    let about = about::about(&tree, &blocks);
    let links = blocks.links(&kept);
    Ok((!text.trim().is_empty()).then_some(Extracted {
        text,
        title: about.title,
        published: about.published,
        language: about.language,
        links,
    }))
}

/// The blocks that are kept, as lines.
fn lines(blocks: &Blocks, kept: &[bool]) -> String {
    let kept = || blocks.all.iter().zip(kept).filter(|(_, kept)| **kept).map(|(block, _)| block);
    let mut lines = String::with_capacity(kept().map(|block: &Block| block.len() as usize + 3).sum());
    for block in kept() {
        if !lines.is_empty() {
            lines.push('\n');
        }
        if block.begins_item && block.kind != Kind::Preformatted {
            lines.push_str("- ");
        }
        lines.push_str(blocks.text(block));
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    const SOUP: [&str; 28] = [
        "<p>",
        "</p>",
        "<div class='entry-content'>",
        "<div id=sidebar>",
        "</div>",
        "<table><tr><td>",
        "</td>",
        "</table>",
        "<ul><li>",
        "</ul>",
        "<a href=/x>",
        "</a>",
        "<b>",
        "</i>",
        "<br>",
        "<pre>",
        "</pre>",
        "<script>x < 1</script>",
        "<!-- no",
        "-->",
        "<svg><p>",
        "<noscript>",
        "<template>",
        "&amp;",
        "Salt and pepper, and oil; ",
        "A long sentence about the weather of the night before. ",
        "<h2>Title</h2>",
        "\u{0}",
    ];

    const PROSE: &str =
        "The keeper of the lighthouse wrote down the weather every morning, and read it out in the evening.";

    fn text(html: &str) -> String {
        extract(html, Limits::default()).expect("the page is small").map(|page| page.text).unwrap_or_default()
    }

    #[test]
    fn lists_tables_and_code_stay_legible() {
        let html = format!(
            "<body><article><h1>Salt</h1><p>{PROSE}</p><ul><li>one <b>half</b><li><p>two</p><p>more</p></ul>\
             <table><tr><td>a<td>b &lt; c</table><pre>if x:\n    y()</pre><p>{PROSE}<br>And so on.</p></article>"
        );
        let expected =
            format!("Salt\n{PROSE}\n- one half\n- two\nmore\na | b < c\nif x:\n    y()\n{PROSE}\nAnd so on.");
        assert_eq!(text(&html), expected);
    }

    #[test]
    fn what_surrounds_the_text_is_left_out() {
        let link = "<li><a href=/x>Another article that you may like, and a long one</a></li>";
        let html = format!(
            "<body><nav><ul>{0}</ul></nav><div class=page><div class=entry-content><p>{PROSE}</p><p>{PROSE}</p>\
             <h3>Read also</h3><ul>{0}</ul></div><div class=comments><p>{PROSE} I disagree!</p></div></div><footer>{PROSE}</footer>",
            link.repeat(5)
        );
        assert_eq!(text(&html), format!("{PROSE}\n{PROSE}"));
    }

    #[test]
    fn a_name_that_speaks_against_everything_says_nothing() {
        let html = format!("<body class=has-sidebar><div class='sidebar-layout'><p>{PROSE}</p><p>{PROSE}</p></div>");
        assert_eq!(text(&html), format!("{PROSE}\n{PROSE}"));
    }

    #[test]
    fn links_of_the_text_are_given_and_no_others() {
        let html = format!(
            "<nav><a href=/menu>Menu</a></nav><p>{PROSE} <a href='/salt'>Salt</a> and <a href='#top'>up</a></p>"
        );
        let page = extract(&html, Limits::default()).expect("the page is small").expect("there is text");
        assert_eq!(page.links, ["/salt"]);
    }

    #[test]
    fn work_is_limited() {
        let limits = Limits { nodes: 1000, depth: 100 };
        assert_eq!(extract(&"<i>x</i>".repeat(600), limits), Err(TooMuch::Nodes(1000)));
        assert_eq!(extract(&"<div>".repeat(200), limits), Err(TooMuch::Depth(100)));
    }

    proptest! {
        /// Whatever stands in a page, it ends, and gives words of the page alone, in their order.
        #[test]
        fn any_soup_gives_words_of_the_page(parts in vec(select(SOUP.to_vec()), 0..80)) {
            let html = parts.concat();
            let page = extract(&html, Limits::default()).expect("the page is small");
            let text = page.map(|page| page.text).unwrap_or_default();
            let mut rest = html.as_str();
            for word in text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()) {
                let at = rest.find(word);
                prop_assert!(at.is_some(), "{word} of {text:?} is not in {html}");
                // tables may send text in front of them
                rest = if html.contains("<t") { &html } else { &rest[at.unwrap_or_default()..] };
            }
        }
    }

    /// Found by fuzzing: html5ever read past the end of such an attribute.
    #[test]
    fn a_charset_without_a_value_is_none() {
        let html = format!("<meta http-equiv=Content-Type content='text/html; charset'><p>{PROSE}</p>");
        assert_eq!(text(&html), PROSE);
    }

    /// What stands in a script is stepped over without the tokenizer, and must end where the tokenizer would end it.
    #[test]
    fn scripts_end_where_they_end() {
        let html = format!(
            "<p>{PROSE}<script>'</div' < '<\\/script>' // </scrip</SCRIPT ><style>a{{}}</style><!-- --><p>{PROSE}"
        );
        assert_eq!(text(&html), format!("{PROSE}\n{PROSE}"));
        let escaped = format!("<p>{PROSE}<script><!-- <script> {PROSE} </script> {PROSE} --></script><p>{PROSE}");
        assert_eq!(text(&escaped), format!("{PROSE}\n{PROSE}"));
    }
}
