//! What the names that an element bears say about its part on the page.
//!
//! A site's authors name their elements for themselves, but in words that recur everywhere: `entry-content`, `sidebar`, `related`.
//! Names are read as words in lower case, divided at marks and at a change of case; all words are found in one pass.

use std::{ops::BitOr, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};
use html5ever::{Attribute, local_name};

use super::tag::Tag;

/// What an element's names say: a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints(u16);

impl Hints {
    /// The body of an article, by a name that is hardly used for anything else.
    pub const BODY: Self = Self(1);
    /// The part of a page that holds its text.
    pub const MAIN: Self = Self(1 << 1);
    /// Ways to other pages: menus, trails, page numbers.
    pub const NAVIGATION: Self = Self(1 << 2);
    /// The foot of the page.
    pub const FOOTER: Self = Self(1 << 3);
    /// Beside the text.
    pub const ASIDE: Self = Self(1 << 4);
    /// Other texts: related, recent, recommended.
    pub const RELATED: Self = Self(1 << 5);
    /// Buttons to share and follow.
    pub const SHARE: Self = Self(1 << 6);
    /// What readers wrote.
    pub const COMMENTS: Self = Self(1 << 7);
    /// Advertising.
    pub const ADVERTISING: Self = Self(1 << 8);
    /// About the text: who wrote it, when, under which heading.
    pub const ABOUT: Self = Self(1 << 9);
    /// Addressed to the reader: consent, registration, newsletters.
    pub const NOTICE: Self = Self(1 << 10);
    /// Not shown.
    pub const HIDDEN: Self = Self(1 << 11);
    /// What stands under a picture.
    pub const CAPTION: Self = Self(1 << 12);

    /// How many there are.
    pub const COUNT: usize = 13;

    /// All that speak against an element.
    pub const AGAINST: Self = Self(0b1_1111_1111_1100);

    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(|bit| Self(1 << bit)).filter(move |hint| self.any(*hint))
    }

    /// The number of one hint.
    pub fn number(self) -> usize {
        self.0.trailing_zeros() as usize
    }

    /// Whether any of `other` is among them.
    pub fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Those that are not in `other`.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Hints {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The words, by what they say. A space is an end of a word; a line feed, the beginning of an attribute.
const WORDS: [(Hints, &[&str]); 13] = [
    (
        Hints::BODY,
        &[
            "article body",
            "articlebody",
            "article content",
            "articlecontent",
            "article text",
            "articletext",
            "article copy",
            "article main",
            "article entry",
            "entry content",
            "entrycontent",
            "entry body",
            "entry text",
            "post content",
            "postcontent",
            "post body",
            "postbody",
            "post text",
            "posttext",
            "post entry",
            "story body",
            "storybody",
            "story content",
            "storycontent",
            "story text",
            "blog content",
            "blog post content",
            "news text",
            "newstext",
            "news content",
            "news body",
            "body copy",
            "bodycopy",
            "field name body",
            "field body",
            "content body",
            "body content",
            "single content",
            "page body",
            "artikel text",
            "artikeltext",
            "artikel content",
            "artikel body",
            "article detail",
            "articledetail",
            "rich text",
            "richtext",
            "wysiwyg",
            "text body",
            "texto nota",
            "cuerpo",
            "corps",
            "articolo",
            "mw parser output",
            "markdown body",
        ],
    ),
    (
        Hints::MAIN,
        &[
            " article",
            " post ",
            " entry",
            " content",
            "content ",
            " main",
            " story",
            " text",
            " beitrag",
            " artikel",
            " contenu",
            " contenido",
            " inhalt",
            " blog post",
            " single",
            "hentry",
        ],
    ),
    (
        Hints::NAVIGATION,
        &[
            " nav ",
            " navi",
            "nav  ",
            " navbar",
            " menu",
            "menu  ",
            "breadcrumb",
            "brotkrumen",
            "brotkrume",
            "pagination",
            " pager",
            " paging",
            " sitemap",
            " skip",
            "topbar",
            "toolbar",
            " tabs ",
            "page links",
            " toc ",
            "post nav",
            "navlink",
            " jump ",
            " subnav",
        ],
    ),
    (Hints::FOOTER, &[" footer", "footer  ", "colophon", "copyright", "impressum", " foot ", "bottom bar"]),
    (
        Hints::ASIDE,
        &[
            "sidebar",
            "side bar",
            "seitenleiste",
            " rail ",
            "right col",
            "rightcol",
            "left col",
            "leftcol",
            "marginal",
            "\n  widget ",
            " widget area",
            "infobox",
            " side ",
            "complementary",
            "secondary",
        ],
    ),
    (
        Hints::RELATED,
        &[
            " related",
            "related  ",
            "recommend",
            " promo",
            " popular",
            "trending",
            "also like",
            " similar",
            "outbrain",
            "taboola",
            " recent ",
            " recent posts",
            "latest",
            "next post",
            "prev post",
            "previous post",
            "read also",
            "readalso",
            "read next",
            "most read",
            "mostread",
            "meistgelesen",
            "carousel",
            "you may",
            "more from",
            "more news",
            "more stories",
            "morestories",
            " weitere",
            "verwandt",
            "empfehl",
            "relacionad",
            "mehr zum",
            "jp relatedposts",
            "crosslink",
            "see also",
            "lesen sie",
            "suggest",
            "further reading",
            "upnext",
            " aktuelle",
            "siehe auch",
            " linkbox",
            "link box",
            " more articles",
            "correlat",
        ],
    ),
    (
        Hints::SHARE,
        &[
            " share",
            "share  ",
            " sharing",
            " social",
            "social  ",
            "addtoany",
            "addthis",
            "sharedaddy",
            "follow us",
            "facebook",
            "whatsapp",
            " bookmark",
            " teilen",
            "shariff",
            " likes ",
            " vote",
            "rating",
            "feedback",
        ],
    ),
    (
        Hints::COMMENTS,
        &[
            " comment ",
            " comments",
            "commentlist",
            "disqus",
            "\n  respond",
            " respond ",
            " reply",
            "kommentar",
            "livefyre",
            "comentario",
            "commentaire",
            " discussion",
            "trackback",
            "pingback",
            "leserbrief",
        ],
    ),
    (
        Hints::ADVERTISING,
        &[
            "  ad  ",
            "  ads  ",
            " ad container",
            " ad wrapper",
            "advert",
            " adv ",
            "sponsor",
            " banner",
            " anzeige",
            "werbung",
            "adsense",
            "adslot",
            " dfp",
            "publicid",
            "affiliate",
            " ad slot",
            " reklam",
            "commercial",
        ],
    ),
    (
        Hints::ABOUT,
        &[
            "byline",
            " author",
            "author ",
            " autor",
            "authorbox",
            "  meta  ",
            "meta data",
            "metadata",
            "postmeta",
            "post meta",
            "entry meta",
            "tags  ",
            "  tag  ",
            "tagcloud",
            "taglist",
            "tag list",
            "posted",
            "  date  ",
            "post date",
            "entry date",
            "article date",
            "date published",
            "published",
            "pubdate",
            "timestamp",
            " bio ",
            "biography",
            "postinfo",
            "post info",
            "  category  ",
            "categories  ",
            "kategorie",
            "kicker",
            "reading time",
            "readtime",
            "lesezeit",
            "keyword",
            " verfasser",
            " eyebrow",
            "article info",
            "dateline",
            "schlagwort",
            "infoline",
            "entry utility",
            "post footer",
            "entry footer",
            "article footer",
            "post tags",
            "entry tags",
            "entry header meta",
            "signature",
        ],
    ),
    (
        Hints::NOTICE,
        &[
            "cookie",
            "consent",
            "gdpr",
            "newsletter",
            "subscri",
            " abo ",
            "sign up",
            "signup",
            "signin",
            "sign in",
            " login",
            "paywall",
            " modal",
            "popup",
            "pop up",
            "lightbox",
            "disclaimer",
            "donat",
            "registr",
            "privacy",
            "datenschutz",
            " search",
            "suche ",
            " contact",
            "kontakt",
            " noprint",
            "no print",
            "download app",
            "whatsapp",
            " cta",
            "call to action",
            " alert",
            " hinweis",
        ],
    ),
    (
        Hints::HIDDEN,
        &[
            "  hidden  ",
            "visually hidden",
            "visuallyhidden",
            "sr only",
            "screen reader",
            "screenreader",
            "  invisible  ",
            " print only",
            "printonly",
            "nodisplay",
            "no display",
            "  d none  ",
            "unsichtbar",
        ],
    ),
    (
        Hints::CAPTION,
        &[
            "caption",
            " credit",
            "credits ",
            "bildunterschrift",
            "bildnachweis",
            "bildtext",
            "legende",
            " copyright",
            " gallery",
            "galerie",
            " slideshow",
            "photo credit",
            "image source",
        ],
    ),
];

/// Reads names; its buffer serves from element to element.
pub struct Namer {
    words: &'static AhoCorasick,
    hints: &'static [Hints],
    buffer: String,
}

impl Default for Namer {
    fn default() -> Self {
        static FOUND: LazyLock<(AhoCorasick, Vec<Hints>)> = LazyLock::new(|| {
            let words = || WORDS.iter().flat_map(|(hints, words)| words.iter().map(move |word| (*hints, *word)));
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(aho_corasick::AhoCorasickKind::DFA))
                .build(words().map(|(_, word)| word))
                .expect("the words fit an automaton");
            (automaton, words().map(|(hints, _)| hints).collect())
        });
        Self { words: &FOUND.0, hints: &FOUND.1, buffer: String::new() }
    }
}

impl Namer {
    /// What the attributes of an element say.
    pub fn hints(&mut self, tag: Tag, attributes: &[Attribute]) -> Hints {
        let mut found = match tag {
            Tag::Navigation => Hints::NAVIGATION,
            Tag::Footer => Hints::FOOTER,
            Tag::Aside => Hints::ASIDE,
            Tag::Article | Tag::Main => Hints::MAIN,
            Tag::Caption => Hints::CAPTION,
            // mostly a word about scripts; a page whose whole text stands there is known by that
            Tag::NoScript => Hints::NOTICE,
            _ => Hints::default(),
        };
        self.buffer.clear();
        for attribute in attributes {
            let value = &*attribute.value;
            match attribute.name.local {
                local_name!("class") | local_name!("id") | local_name!("role") | local_name!("itemprop") => {
                    self.words(value);
                }
                local_name!("hidden") => found = found | Hints::HIDDEN,
                local_name!("aria-hidden") if value == "true" => found = found | Hints::HIDDEN,
                local_name!("style") if hides(value) => found = found | Hints::HIDDEN,
                _ if matches!(&*attribute.name.local, "data-testid" | "data-component" | "data-type") => {
                    self.words(value);
                }
                _ => {}
            }
        }
        if !self.buffer.is_empty() {
            for word in self.words.find_overlapping_iter(&self.buffer) {
                found = found | self.hints[word.pattern().as_usize()];
            }
        }
        found
    }

    /// Adds an attribute's value as words between spaces.
    fn words(&mut self, value: &str) {
        self.buffer.push_str("\n  ");
        let mut lower = false;
        for character in value.chars() {
            if character.is_ascii_uppercase() && lower {
                self.buffer.push(' ');
            }
            lower = character.is_ascii_lowercase();
            match character {
                ' ' | '\n' | '\t' => self.buffer.push_str("  "),
                character if character.is_alphanumeric() => self.buffer.push(character.to_ascii_lowercase()),
                _ if self.buffer.ends_with(' ') => {}
                _ => self.buffer.push(' '),
            }
        }
        self.buffer.push_str("  ");
    }
}

/// Whether a style takes an element from view.
fn hides(style: &str) -> bool {
    let mut rest = style;
    while let Some(at) = rest.find("display") {
        rest = rest[at + "display".len()..].trim_start();
        if let Some(value) = rest.strip_prefix(':')
            && value.trim_start().starts_with("none")
        {
            return true;
        }
    }
    false
}
