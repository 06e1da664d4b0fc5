//! Which blocks are the page's main text.
//!
//! ```text
//! blocks -> what each is worth -> what names speak against -> the element worth most: the root
//!        -> blocks in the root, and the lead before it, without what surrounds texts -> kept
//! ```
//!
//! A block is worth its bytes outside of links if it is long enough to be prose, and costs something if it is a link. An
//! element is worth what its blocks are, and more if its names say that it holds an article. What names speak against
//! (sidebars, comments, related articles) is worth nothing, unless it holds an article, or nearly all text of the page.
//!
//! Useful for: articles, posts, entries, documentation. Not useful for: front pages and lists of links, of which little is kept.
//!
//! Source: link density after Kohlschütter et al. 2010 (boilerpipe); the element worth most after Arc90's Readability. The numbers
//! were chosen on seven tenths of 990 annotated pages, by their domains.
//! Cost: three passes over the blocks and their ancestors.

use super::{
    blocks::{Block, Blocks, Kind},
    hints::Hints,
    phrases::surrounds,
    tag::Tag,
    tree::{NodeId, Tree},
};

/// Bytes from which text without a mark may be prose, and text with one.
const PROSE: (u32, u32) = (80, 40);

/// How many blocks before the root the page's title may stand, for the lead to be looked for between them.
const LEAD: usize = 40;

/// Bytes below which a block may be told by its phrases.
const SHORT: u32 = 250;

/// Bytes of prose from which no advertisement and no row of buttons is one.
const NO_BUTTONS: i64 = 300;

/// Whether each block is kept.
pub fn main_text(tree: &Tree, blocks: &Blocks) -> Vec<bool> {
    let mut page = Page::new(tree, blocks);
    let Some(root) = page.root().or_else(|| {
        // where names speak against everything, they say nothing
        page.void = Hints::AGAINST;
        page.root()
    }) else {
        return vec![false; blocks.all.len()];
    };
    let mut kept = page.kept(root);
    page.drop_headings_of_nothing(root, &mut kept);
    kept
}

struct Page<'a> {
    tree: &'a Tree,
    blocks: &'a Blocks,
    /// What each block is worth.
    worth: Vec<i64>,
    /// Bytes of prose in each node.
    prose: Vec<i64>,
    /// Which nodes hold an article, a title or the body of an article.
    holds_main: Vec<bool>,
    /// Which nodes hold the body of an article, by its name.
    holds_body: Vec<bool>,
    /// Hints that mean nothing on this page.
    void: Hints,
}

impl<'a> Page<'a> {
    fn new(tree: &'a Tree, blocks: &'a Blocks) -> Self {
        let worth: Vec<i64> = blocks.all.iter().map(worth).collect();
        let nodes = tree.len();
        let (holds_main, holds_body) = (vec![false; nodes], vec![false; nodes]);
        let mut page =
            Self { tree, blocks, worth, prose: vec![0; nodes], holds_main, holds_body, void: Hints::default() };
        for (block, worth) in blocks.all.iter().zip(&page.worth).filter(|(_, worth)| **worth > 0) {
            for id in tree.upwards(block.node) {
                page.prose[id as usize] += worth;
            }
        }
        page.find_main();
        page.void = page.meaningless();
        page
    }

    fn find_main(&mut self) {
        let elsewhere = Hints::COMMENTS | Hints::HIDDEN | Hints::NOTICE | Hints::ASIDE | Hints::FOOTER;
        for id in self.tree.ids() {
            let Some(tag) = self.tree.tag(id) else { continue };
            let hints = self.tree.hints(id);
            let is_body = hints.any(Hints::BODY);
            if hints.any(elsewhere) || !(is_body || matches!(tag, Tag::Article | Tag::Main | Tag::Heading(1))) {
                continue;
            }
            mark(self.tree, id, &mut self.holds_main);
            if is_body && !hints.any(Hints::RELATED) {
                mark(self.tree, id, &mut self.holds_body);
            }
        }
    }

    /// Hints that would take most of the page: a site may call anything a `caption`.
    fn meaningless(&self) -> Hints {
        let mut taken = [0; Hints::COUNT];
        let mut all = 0;
        for (block, worth) in self.blocks.all.iter().zip(&self.worth).filter(|(_, worth)| **worth > 0) {
            let hints = self.tree.upwards(block.node).fold(Hints::default(), |hints, id| hints | self.speaking(id));
            hints.each().for_each(|hint| taken[hint.number()] += worth);
            all += worth;
        }
        let most = |hint| match hint {
            Hints::HIDDEN => 90,
            Hints::COMMENTS => 80,
            _ => 60,
        };
        let void = Hints::AGAINST.each().filter(|hint| taken[hint.number()] * 100 > all * most(*hint));
        void.fold(Hints::default(), |void, hint| void | hint)
    }

    /// What speaks against an element by its names, unless what it holds speaks for it.
    fn speaking(&self, id: NodeId) -> Hints {
        let hints = self.tree.hints(id);
        let place = id as usize;
        let shown = !hints.any(Hints::HIDDEN);
        let holds_much = self.prose[place] * 10 > self.prose[0];
        if !hints.any(Hints::AGAINST)
            || hints.any(Hints::BODY)
            || matches!(self.tree.tag(id), Some(Tag::Body | Tag::Html | Tag::Main))
            || shown && holds_much && self.holds_main[place]
            || shown && self.holds_body[place] && !hints.any(Hints::COMMENTS | Hints::RELATED)
        {
            return Hints::default();
        }
        if self.prose[place] > NO_BUTTONS { hints.without(Hints::ADVERTISING | Hints::SHARE) } else { hints }
    }

    fn against(&self, id: NodeId) -> bool {
        self.speaking(id).without(self.void).any(Hints::AGAINST)
    }

    /// The element that is worth most; the innermost of equals.
    fn root(&self) -> Option<NodeId> {
        let mut worth = vec![0; self.tree.len()];
        for (block, of_block) in self.blocks.all.iter().zip(&self.worth) {
            if !self.tree.upwards(block.node).any(|id| self.against(id)) {
                self.tree.upwards(block.node).for_each(|id| worth[id as usize] += of_block);
            }
        }
        // per cent, as names and kinds speak for an element
        let weighted = |id: NodeId| {
            let hints = self.tree.hints(id);
            let mut weight = 100;
            weight = if hints.any(Hints::BODY) { weight * 3 / 2 } else { weight };
            weight = if hints.any(Hints::MAIN) { weight * 6 / 5 } else { weight };
            weight = if self.tree.tag(id) == Some(Tag::Article) { weight * 6 / 5 } else { weight };
            worth[id as usize] * weight
        };
        self.tree
            .ids()
            .filter(|id| worth[*id as usize] > 0 && self.tree.tag(*id).is_some_and(Tag::may_hold_articles))
            .max_by_key(|id| weighted(*id))
    }

    fn kept(&self, root: NodeId) -> Vec<bool> {
        let blocks = &self.blocks.all;
        let first = blocks.iter().position(|block| self.is_in(block, root)).unwrap_or(0);
        let title = blocks[..first].iter().rposition(|block| block.kind == Kind::Heading(1));
        let title = title.filter(|title| first - title < LEAD);
        let mut near = self.tree.upwards(root).skip(1).take(6);
        let around = near.find(|id| matches!(self.tree.tag(*id), Some(Tag::Article | Tag::Main)));
        let keep = |(place, block): (usize, &Block)| {
            let (mut in_root, mut in_around) = (false, false);
            for id in self.tree.upwards(block.node) {
                if id == root {
                    in_root = true;
                    break;
                }
                in_around |= Some(id) == around;
                if self.against(id) {
                    return false;
                }
            }
            if block.len() < SHORT && surrounds(self.blocks.text(block)) {
                return false;
            }
            if in_root {
                return block.linked * 10 < block.len() * 6;
            }
            // the lead stands under the title, or in the same article, before the root
            let follows_title = title.is_some_and(|title| place > title);
            let is_lead = self.worth[place] > 60 || matches!(block.kind, Kind::Heading(2..)) && block.len() > 60;
            place < first && (follows_title || in_around) && is_lead && block.linked * 10 < block.len() * 3
        };
        blocks.iter().enumerate().map(keep).collect()
    }

    /// Drops headings, and short lines like them, behind which the links that they announced were dropped.
    fn drop_headings_of_nothing(&self, root: NodeId, kept: &mut [bool]) {
        for place in (0..kept.len()).rev() {
            let block = &self.blocks.all[place];
            let is_heading = matches!(block.kind, Kind::Heading(_)) && block.len() < 100;
            let is_short = block.len() < 60 && (block.marks == 0 || self.blocks.text(block).ends_with(':'));
            kept[place] &= match self.blocks.all.get(place + 1) {
                None => !is_heading,
                Some(next) if !kept[place + 1] => {
                    let links = next.linked * 2 > next.len();
                    !(links && (is_heading || is_short) || is_heading && !self.is_in(next, root))
                }
                Some(_) => true,
            };
        }
    }

    fn is_in(&self, block: &Block, root: NodeId) -> bool {
        self.tree.upwards(block.node).any(|id| id == root)
    }
}

/// Marks a node and all around it.
fn mark(tree: &Tree, id: NodeId, marks: &mut [bool]) {
    for id in tree.upwards(id) {
        if std::mem::replace(&mut marks[id as usize], true) {
            break;
        }
    }
}

/// What a block is worth, in bytes: above 0 for prose, below for links.
fn worth(block: &Block) -> i64 {
    let (length, linked) = (i64::from(block.len()), i64::from(block.linked));
    if matches!(block.kind, Kind::Heading(_)) {
        0
    } else if linked * 5 > length * 2 {
        -(length.min(30) * linked / length)
    } else if block.len() >= PROSE.0 || block.marks > 0 && block.len() >= PROSE.1 {
        length - linked
    } else {
        -1
    }
}
