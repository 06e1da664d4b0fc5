//! A page's text as blocks: what stands on lines of its own, with what can be seen of it without knowing the page.
//!
//! ```text
//! tree -> one walk -> paragraphs, headings, items, rows, code: each a range of one buffer
//! ```

use std::collections::HashSet;

use html5ever::tendril::StrTendril;

use super::{
    tag::Tag,
    tree::{Data, NONE, NodeId, Tree},
};

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A paragraph, or text in no element that says what it is.
    Text,
    /// A heading, with its level.
    Heading(u8),
    /// An item of a list.
    Item,
    /// A row of a table, its cells divided by ` | `.
    Row,
    /// Code or other text whose lines and spaces count.
    Preformatted,
}

/// Text on lines of its own.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// The innermost element that stands on lines of its own.
    pub node: NodeId,
    /// What it is.
    pub kind: Kind,
    /// Where its text begins in the buffer.
    pub start: u32,
    /// Where its text ends in the buffer.
    pub end: u32,
    /// Whether an item of a list begins with it.
    pub begins_item: bool,
    /// Bytes of text that lead elsewhere.
    pub linked: u32,
    /// Marks at which sentences and their parts end.
    pub marks: u32,
}

impl Block {
    /// Bytes of text.
    pub fn len(&self) -> u32 {
        self.end - self.start
    }
}

/// The blocks of a page, in its order.
#[derive(Debug, Default)]
pub struct Blocks {
    /// The text of all of them.
    pub text: String,
    /// The blocks.
    pub all: Vec<Block>,
    /// Where links lead, each with the number of the block in which it begins.
    links: Vec<(usize, StrTendril)>,
}

impl Blocks {
    /// The text of a block.
    pub fn text(&self, block: &Block) -> &str {
        &self.text[block.start as usize..block.end as usize]
    }

    /// Where the links of some blocks lead, as they are written, without those within the page; each once.
    pub fn links(&self, kept: &[bool]) -> Vec<String> {
        let of_kept = self.links.iter().filter(|(block, _)| kept.get(*block).is_some_and(|kept| *kept));
        let mut links: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for (_, link) in of_kept {
            let link = link.trim();
            if !link.is_empty() && !link.starts_with('#') && seen.insert(link) {
                links.push(link.to_owned());
            }
        }
        links
    }

    /// Divides a page into blocks.
    pub fn of(tree: &Tree) -> Self {
        let mut walk = Walk {
            tree,
            blocks: Self::default(),
            open: None,
            space: false,
            breaks: 0,
            links: 0,
            preformatted: 0,
            linked: 0,
            begins_item: false,
        };
        walk.all();
        walk.blocks
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    blocks: Blocks,
    /// Where the block that is being written begins.
    open: Option<(NodeId, Kind, usize)>,
    /// White space came since the last word.
    space: bool,
    /// Breaks of the line came since the last word.
    breaks: u32,
    /// How many links we are in.
    links: u32,
    preformatted: u32,
    /// An item of a list has begun, and nothing of it has been written.
    begins_item: bool,
    /// Bytes of the open block in links.
    linked: u32,
}

impl Walk<'_> {
    fn all(&mut self) {
        // elements that we are in and that stand on lines of their own
        let mut around: Vec<(NodeId, Kind)> = vec![(0, Kind::Text)];
        let mut at = 0;
        'nodes: loop {
            let node = self.tree.node(at);
            let inside = match &node.data {
                Data::Element { tag, .. } => self.enter(at, *tag, &mut around),
                Data::Text(text) => {
                    let (node, kind) = *around.last().expect("the document is around everything");
                    self.push(text, node, kind);
                    false
                }
                Data::Other => true,
            };
            if inside && node.first != NONE {
                at = node.first;
                continue;
            }
            if inside {
                self.leave(at, &mut around);
            }
            loop {
                let node = self.tree.node(at);
                if node.next != NONE {
                    at = node.next;
                    continue 'nodes;
                }
                if node.parent == NONE {
                    break 'nodes;
                }
                at = node.parent;
                self.leave(at, &mut around);
            }
        }
        self.close();
    }

    /// Enters an element; returns whether there is something in it for us.
    fn enter(&mut self, id: NodeId, tag: Tag, around: &mut Vec<(NodeId, Kind)>) -> bool {
        match tag {
            Tag::Silent | Tag::Script | Tag::Title | Tag::Meta => return false,
            Tag::Break => {
                if self.preformatted > 0 && self.open.is_some() {
                    self.blocks.text.push('\n');
                } else {
                    self.breaks += 1;
                }
                return false;
            }
            Tag::Link => {
                // an anchor without a target is a place to lead to, and is often left open
                if let Some(link) = self.tree.attribute(id, "href") {
                    self.links += 1;
                    if self.breaks > 1 {
                        self.close();
                    }
                    self.blocks.links.push((self.blocks.all.len(), link.clone()));
                }
            }
            Tag::Cell => {
                let (_, kind) = *around.last().expect("the document is around everything");
                if kind == Kind::Row {
                    if let Some((_, _, start)) = self.open
                        && self.blocks.text.len() > start
                    {
                        self.blocks.text.push_str(" | ");
                        self.space = false;
                    }
                } else {
                    self.close();
                    around.push((id, Kind::Text));
                }
            }
            tag if tag.is_block() => {
                self.close();
                let (_, outer) = *around.last().expect("the document is around everything");
                let kind = match tag {
                    Tag::Heading(level) => Kind::Heading(level),
                    Tag::Item => Kind::Item,
                    Tag::Preformatted => Kind::Preformatted,
                    Tag::Row if self.is_data(id) => Kind::Row,
                    // a block in an item or in code is still a part of that
                    Tag::Paragraph | Tag::Block
                        if matches!(outer, Kind::Item | Kind::Preformatted | Kind::Heading(_)) =>
                    {
                        outer
                    }
                    _ => Kind::Text,
                };
                self.preformatted += u32::from(tag == Tag::Preformatted);
                self.begins_item |= tag == Tag::Item;
                around.push((id, kind));
            }
            _ => {}
        }
        true
    }

    fn leave(&mut self, id: NodeId, around: &mut Vec<(NodeId, Kind)>) {
        match self.tree.tag(id) {
            Some(Tag::Link) => self.links -= u32::from(self.tree.attribute(id, "href").is_some()),
            Some(tag) => {
                if around.len() > 1 && around.last().is_some_and(|(node, _)| *node == id) {
                    self.close();
                    around.pop();
                }
                self.begins_item &= tag != Tag::Item;
                self.preformatted -= u32::from(tag == Tag::Preformatted);
            }
            None => {}
        }
    }

    /// Whether a row holds data: text alone, in two cells or more.
    fn is_data(&self, row: NodeId) -> bool {
        let mut cells = 0;
        for cell in self.tree.children(row) {
            if self.tree.tag(cell) == Some(Tag::Cell) {
                cells += 1;
                if self.tree.children(cell).any(|child| self.holds_blocks(child, 3)) {
                    return false;
                }
            }
        }
        cells > 1
    }

    fn holds_blocks(&self, id: NodeId, levels: u32) -> bool {
        match self.tree.tag(id) {
            Some(Tag::Paragraph) if self.tree.node(id).next == NONE => false,
            Some(tag) if tag.is_block() => true,
            Some(_) if levels > 0 => self.tree.children(id).any(|child| self.holds_blocks(child, levels - 1)),
            _ => false,
        }
    }

    fn push(&mut self, text: &StrTendril, node: NodeId, kind: Kind) {
        if self.preformatted > 0 {
            if self.open.is_none() && text.trim().is_empty() {
                return;
            }
            let _ = self.opened(node, kind);
            let before = self.blocks.text.len();
            self.blocks.text.push_str(text);
            self.count(before);
            return;
        }
        let mut rest: &str = text;
        loop {
            let trimmed = rest.trim_start_matches(is_space);
            self.space |= trimmed.len() < rest.len();
            if trimmed.is_empty() {
                return;
            }
            let end = trimmed.find(is_space).unwrap_or(trimmed.len());
            self.word(&trimmed[..end], node, kind);
            rest = &trimmed[end..];
        }
    }

    fn word(&mut self, word: &str, node: NodeId, kind: Kind) {
        if self.breaks > 1 {
            self.close();
        }
        let start = self.opened(node, kind);
        let before = self.blocks.text.len();
        if self.breaks == 1 && before > start && !matches!(kind, Kind::Row | Kind::Heading(_)) {
            self.blocks.text.push('\n');
        } else if (self.space || self.breaks > 0) && before > start && !self.blocks.text.ends_with(' ') {
            self.blocks.text.push(' ');
        }
        (self.breaks, self.space) = (0, false);
        self.blocks.text.push_str(word);
        self.count(before);
    }

    fn count(&mut self, before: usize) {
        if self.links > 0 {
            self.linked += length(self.blocks.text.len() - before);
        }
    }

    /// Where the open block begins; opens one where there is none.
    fn opened(&mut self, node: NodeId, kind: Kind) -> usize {
        let here = self.blocks.text.len();
        self.open.get_or_insert((node, kind, here)).2
    }

    fn close(&mut self) {
        (self.space, self.breaks) = (false, 0);
        let linked = std::mem::take(&mut self.linked);
        let Some((node, kind, start)) = self.open.take() else { return };
        let mut text = self.blocks.text[start..].trim_end();
        if kind == Kind::Row {
            text = text.trim_end_matches([' ', '|']);
        }
        let end = start + text.len();
        self.blocks.text.truncate(end);
        let text = &self.blocks.text[start..end];
        if !text.is_empty() {
            let marks = length(text.matches(is_mark).count());
            let begins_item = std::mem::take(&mut self.begins_item);
            let (start, end) = (length(start), length(end));
            self.blocks.all.push(Block { node, kind, start, end, begins_item, linked, marks });
        }
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn is_space(character: char) -> bool {
    character.is_whitespace()
}

fn is_mark(character: char) -> bool {
    matches!(character, ',' | '.' | '!' | '?' | ';' | ':' | '…' | '。' | '、' | '，' | '！' | '？' | '।' | '؟' | '،')
}
