//! The kinds of elements that extraction tells apart.

use html5ever::{LocalName, local_name};

/// A kind of element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// `a`
    Link,
    /// `article`
    Article,
    /// `aside`
    Aside,
    /// `blockquote`
    Quote,
    /// `body`
    Body,
    /// `br`
    Break,
    /// `caption`, `figcaption`
    Caption,
    /// `td`, `th`
    Cell,
    /// Anything else that stands on lines of its own: `div`, `section`, `center` and their like
    Block,
    /// `figure`
    Figure,
    /// `footer`
    Footer,
    /// `form`
    Form,
    /// `h1` to `h6`
    Heading(u8),
    /// `header`, `hgroup`
    Header,
    /// `html`
    Html,
    /// Anything else that stands within a line
    Inline,
    /// `li`
    Item,
    /// `ul`, `ol`, `dl`
    List,
    /// `main`
    Main,
    /// `meta`
    Meta,
    /// `nav`, `menu`
    Navigation,
    /// `noscript`: what is shown where scripts do not run
    NoScript,
    /// `p`
    Paragraph,
    /// `pre`, `listing`
    Preformatted,
    /// `tr`
    Row,
    /// `table`
    Table,
    /// `tbody`, `thead`, `tfoot`
    Rows,
    /// `time`
    Time,
    /// `title`
    Title,
    /// `script` alone, whose text may hold data about the page
    Script,
    /// What never holds text that a reader sees as such: styles, controls, frames, drawings
    Silent,
}

impl Tag {
    /// The kind of an HTML element.
    pub fn of(name: &LocalName) -> Self {
        match *name {
            local_name!("a") => Self::Link,
            local_name!("article") => Self::Article,
            local_name!("aside") => Self::Aside,
            local_name!("blockquote") => Self::Quote,
            local_name!("body") => Self::Body,
            local_name!("br") => Self::Break,
            local_name!("caption") | local_name!("figcaption") => Self::Caption,
            local_name!("td") | local_name!("th") => Self::Cell,
            local_name!("address")
            | local_name!("center")
            | local_name!("dd")
            | local_name!("details")
            | local_name!("dialog")
            | local_name!("div")
            | local_name!("dt")
            | local_name!("fieldset")
            | local_name!("hr")
            | local_name!("section")
            | local_name!("summary") => Self::Block,
            local_name!("figure") => Self::Figure,
            local_name!("footer") => Self::Footer,
            local_name!("form") => Self::Form,
            local_name!("h1") => Self::Heading(1),
            local_name!("h2") => Self::Heading(2),
            local_name!("h3") => Self::Heading(3),
            local_name!("h4") => Self::Heading(4),
            local_name!("h5") => Self::Heading(5),
            local_name!("h6") => Self::Heading(6),
            local_name!("header") | local_name!("hgroup") => Self::Header,
            local_name!("html") => Self::Html,
            local_name!("li") => Self::Item,
            local_name!("ul") | local_name!("ol") | local_name!("dl") => Self::List,
            local_name!("main") => Self::Main,
            local_name!("meta") => Self::Meta,
            local_name!("nav") | local_name!("menu") => Self::Navigation,
            local_name!("noscript") => Self::NoScript,
            local_name!("p") => Self::Paragraph,
            local_name!("pre") | local_name!("listing") | local_name!("xmp") => Self::Preformatted,
            local_name!("tr") => Self::Row,
            local_name!("table") => Self::Table,
            local_name!("tbody") | local_name!("thead") | local_name!("tfoot") => Self::Rows,
            local_name!("time") => Self::Time,
            local_name!("title") => Self::Title,
            local_name!("script") => Self::Script,
            local_name!("applet")
            | local_name!("audio")
            | local_name!("button")
            | local_name!("canvas")
            | local_name!("datalist")
            | local_name!("embed")
            | local_name!("frame")
            | local_name!("frameset")
            | local_name!("iframe")
            | local_name!("img")
            | local_name!("input")
            | local_name!("legend")
            | local_name!("link")
            | local_name!("map")
            | local_name!("noframes")
            | local_name!("object")
            | local_name!("optgroup")
            | local_name!("option")
            | local_name!("progress")
            | local_name!("rp")
            | local_name!("rt")
            | local_name!("select")
            | local_name!("style")
            | local_name!("template")
            | local_name!("textarea")
            | local_name!("video") => Self::Silent,
            _ => Self::Inline,
        }
    }

    /// The kind of an element of another vocabulary: drawings are silent, formulas are text.
    pub fn foreign(name: &LocalName) -> Self {
        match *name {
            local_name!("svg") | local_name!("annotation") | local_name!("annotation-xml") => Self::Silent,
            _ => Self::Inline,
        }
    }

    /// Whether its attributes say something about the page or lead elsewhere.
    pub fn speaks(self) -> bool {
        matches!(self, Self::Html | Self::Meta | Self::Time | Self::Link | Self::Script)
    }

    /// Whether an article may be all that stands in it.
    pub fn may_hold_articles(self) -> bool {
        !matches!(
            self,
            Self::Paragraph
                | Self::Heading(_)
                | Self::Quote
                | Self::Item
                | Self::List
                | Self::Preformatted
                | Self::Link
                | Self::Header
                | Self::Caption
                | Self::Figure
        )
    }

    /// Whether it stands on lines of its own.
    pub fn is_block(self) -> bool {
        !matches!(
            self,
            Self::Link
                | Self::Break
                | Self::Cell
                | Self::Inline
                | Self::Meta
                | Self::Time
                | Self::Title
                | Self::Script
                | Self::Silent
        )
    }
}
