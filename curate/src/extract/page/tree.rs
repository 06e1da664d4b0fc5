//! A page as a tree of elements and text, parsed once.
//!
//! Nodes lie in one list and know each other by number. Of an element's attributes little is kept: what its names say about
//! its part on the page, and what the page says about itself.
//!
//! Cost: 48 bytes a node; text is shared with the parser's input, not copied.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::Rc,
};

use html5ever::{
    Attribute, QualName, local_name, ns,
    tendril::StrTendril,
    tokenizer::{BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeBuilder, TreeBuilderOpts, TreeSink},
};

use memchr::memchr_iter;

use super::{
    hints::{Hints, Namer},
    tag::Tag,
};

/// A node's place in the list.
pub type NodeId = u32;

/// No node.
pub const NONE: NodeId = u32::MAX;

/// How much work a page may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most nodes of the tree.
    pub nodes: u32,
    /// Most elements within each other.
    pub depth: u16,
}

impl Default for Limits {
    /// Of 990 pages of news and blogs, none has more than 30,000 nodes, and none more than 50 levels.
    fn default() -> Self {
        Self { nodes: 500_000, depth: 512 }
    }
}

/// Why a page was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// More nodes than the limit.
    #[error("more than {0} nodes")]
    Nodes(u32),
    /// More levels than the limit.
    #[error("more than {0} elements within each other")]
    Depth(u16),
}

/// What a node is.
#[derive(Debug)]
pub enum Data {
    /// An element.
    Element {
        /// What kind of element.
        tag: Tag,
        /// What its names say.
        hints: Hints,
        /// The attributes of an element that speaks of the page: see [`Tag::speaks`].
        attributes: Box<[Attribute]>,
    },
    /// Text.
    Text(StrTendril),
    /// The document, a comment, an instruction.
    Other,
}

/// A node and its neighbours.
#[derive(Debug)]
pub struct Node {
    /// The element around it.
    pub parent: NodeId,
    /// Its first child.
    pub first: NodeId,
    last: NodeId,
    /// The sibling before it.
    previous: NodeId,
    /// The sibling after it.
    pub next: NodeId,
    depth: u16,
    /// What it is.
    pub data: Data,
}

/// A parsed page; its root is node 0.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Parses a page.
    ///
    /// # Errors
    /// When the page is over a limit.
    pub fn parse(html: &str, limits: Limits) -> Result<Self, TooMuch> {
        let builder = TreeBuilder::new(
            Sink {
                nodes: RefCell::new(Vec::with_capacity(html.len() / 48 + 16)),
                namer: RefCell::new(Namer::default()),
                limits,
                too_much: Cell::new(None),
            },
            TreeBuilderOpts { scripting_enabled: false, drop_doctype: true, ..TreeBuilderOpts::default() },
        );
        builder.sink.push(Data::Other);
        let input = Rc::new(BufferQueue::default());
        input.push_back(StrTendril::from_slice(html));
        let tokenizer = Tokenizer::new(Guarded { builder, input: Rc::clone(&input) }, TokenizerOpts::default());
        // the end of a script suspends the tokenizer, which then only has to be called again
        while !input.is_empty() {
            let _ = tokenizer.feed(&input);
        }
        tokenizer.end();
        let sink = tokenizer.sink.builder.sink;
        match sink.too_much.get() {
            Some(too_much) => Err(too_much),
            None => Ok(Self { nodes: sink.nodes.into_inner() }),
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node with a number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The kind of an element; none for other nodes.
    pub fn tag(&self, id: NodeId) -> Option<Tag> {
        match self.node(id).data {
            Data::Element { tag, .. } => Some(tag),
            _ => None,
        }
    }

    /// What an element's names say; nothing for other nodes.
    pub fn hints(&self, id: NodeId) -> Hints {
        match self.node(id).data {
            Data::Element { hints, .. } => hints,
            _ => Hints::default(),
        }
    }

    /// An attribute of an element that speaks of the page.
    pub fn attribute(&self, id: NodeId, name: &str) -> Option<&StrTendril> {
        match &self.node(id).data {
            Data::Element { attributes, .. } => {
                attributes.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &attribute.value)
            }
            _ => None,
        }
    }

    /// All nodes.
    pub fn ids(&self) -> std::ops::Range<NodeId> {
        0..NodeId::try_from(self.nodes.len()).expect("the limit is far below")
    }

    /// A node and all around it, from the inside out.
    pub fn upwards(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(some(id), |id| some(self.node(*id).parent))
    }

    /// The children of a node.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(some(self.node(id).first), |child| some(self.node(*child).next))
    }
}

fn some(id: NodeId) -> Option<NodeId> {
    (id != NONE).then_some(id)
}

/// Hands tokens on to the tree's builder until a limit is reached, and steps over what is no text.
struct Guarded {
    builder: TreeBuilder<Handle, Sink>,
    /// What the tokenizer has not read yet.
    input: Rc<BufferQueue>,
}

impl TokenSink for Guarded {
    type Handle = Handle;

    fn process_token(&self, mut token: Token, line: u64) -> TokenSinkResult<Handle> {
        let skipped = match &mut token {
            Token::CommentToken(_) | Token::ParseError(_) => return TokenSinkResult::Continue,
            _ if self.builder.sink.too_much.get().is_some() => return TokenSinkResult::Continue,
            Token::TagToken(tag) if tag.name == local_name!("meta") => {
                // html5ever 0.39 reads past the end of `charset` without a value; the page has been decoded anyway
                tag.attrs.retain(|attribute| !names_a_charset(attribute));
                None
            }
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => skipped(tag),
            _ => None,
        };
        let result = self.builder.process_token(token, line);
        if let (Some(name), TokenSinkResult::RawData(_)) = (skipped, &result) {
            skip(&self.input, name);
        }
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Whether an attribute says that its element names the page's charset.
fn names_a_charset(attribute: &Attribute) -> bool {
    attribute.name.local == local_name!("http-equiv") && attribute.value.eq_ignore_ascii_case("content-type")
}

/// The name of an element whose content is neither markup nor of use; none where it is either.
fn skipped(tag: &html5ever::tokenizer::Tag) -> Option<&'static [u8]> {
    match tag.name {
        local_name!("script") => {
            let holds_data = |attribute: &Attribute| {
                attribute.name.local == local_name!("type")
                    && attribute.value.eq_ignore_ascii_case("application/ld+json")
            };
            (!tag.attrs.iter().any(holds_data)).then_some(b"script")
        }
        local_name!("style") => Some(b"style"),
        _ => None,
    }
}

/// Takes all up to the end of the element `name` off the input; nothing where the end is not plain to see.
///
/// A script that holds `<!--` may hold `</script>` as well, so it is left to the tokenizer.
fn skip(input: &BufferQueue, name: &[u8]) {
    let Some(mut front) = input.pop_front() else { return };
    let bytes = front.as_bytes();
    let end = memchr_iter(b'<', bytes).find(|at| {
        let rest = &bytes[at + 1..];
        rest.starts_with(b"!--")
            || rest.first() == Some(&b'/') && rest.get(1..=name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name))
    });
    if let Some(end) = end
        && bytes[end + 1] == b'/'
        && let Ok(end) = u32::try_from(end)
    {
        front.pop_front(end);
    }
    input.push_front(front);
}

/// A node and its name, which the parser asks for at every turn.
#[derive(Debug, Clone)]
struct Handle {
    id: NodeId,
    name: QualName,
}

struct Sink {
    nodes: RefCell<Vec<Node>>,
    namer: RefCell<Namer>,
    limits: Limits,
    too_much: Cell<Option<TooMuch>>,
}

impl Sink {
    fn push(&self, data: Data) -> NodeId {
        self.push_to(&mut self.nodes.borrow_mut(), data)
    }

    fn push_to(&self, nodes: &mut Vec<Node>, data: Data) -> NodeId {
        let id = NodeId::try_from(nodes.len()).expect("the limit is far below");
        if id >= self.limits.nodes {
            self.too_much.set(Some(TooMuch::Nodes(self.limits.nodes)));
        }
        nodes.push(Node { parent: NONE, first: NONE, last: NONE, previous: NONE, next: NONE, depth: 0, data });
        id
    }

    fn other(&self) -> Handle {
        Handle { id: self.push(Data::Other), name: QualName::new(None, ns!(), local_name!("")) }
    }

    fn take_out(nodes: &mut [Node], id: NodeId) {
        let Node { parent, previous, next, .. } = nodes[id as usize];
        if parent == NONE {
            return;
        }
        match previous {
            NONE => nodes[parent as usize].first = next,
            previous => nodes[previous as usize].next = next,
        }
        match next {
            NONE => nodes[parent as usize].last = previous,
            next => nodes[next as usize].previous = previous,
        }
        let node = &mut nodes[id as usize];
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
    }

    /// Puts a node under `parent`, before `next`, which is one of its children or none.
    fn put(&self, nodes: &mut [Node], id: NodeId, parent: NodeId, next: NodeId) {
        Self::take_out(nodes, id);
        let previous = if next == NONE { nodes[parent as usize].last } else { nodes[next as usize].previous };
        match previous {
            NONE => nodes[parent as usize].first = id,
            previous => nodes[previous as usize].next = id,
        }
        match next {
            NONE => nodes[parent as usize].last = id,
            next => nodes[next as usize].previous = id,
        }
        let depth = nodes[parent as usize].depth + 1;
        if depth > self.limits.depth {
            self.too_much.set(Some(TooMuch::Depth(self.limits.depth)));
        }
        let node = &mut nodes[id as usize];
        (node.parent, node.previous, node.next, node.depth) = (parent, previous, next, depth.min(u16::MAX - 1));
    }

    /// Puts a node or text under `parent`, before `next`; text goes on the text before it.
    fn insert(&self, parent: NodeId, next: NodeId, child: NodeOrText<Handle>) {
        let id = match child {
            NodeOrText::AppendNode(handle) => handle.id,
            NodeOrText::AppendText(text) => {
                let nodes = &mut *self.nodes.borrow_mut();
                let before = if next == NONE { nodes[parent as usize].last } else { nodes[next as usize].previous };
                if before != NONE
                    && let Data::Text(before) = &mut nodes[before as usize].data
                {
                    before.push_tendril(&text);
                    return;
                }
                self.push_to(nodes, Data::Text(text))
            }
        };
        self.put(&mut self.nodes.borrow_mut(), id, parent, next);
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Self;
    type ElemName<'a> = &'a QualName;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle { id: 0, name: QualName::new(None, ns!(), local_name!("")) }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> &'a QualName {
        &target.name
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> Handle {
        let tag = if name.ns == ns!(html) { Tag::of(&name.local) } else { Tag::foreign(&name.local) };
        let hints = self.namer.borrow_mut().hints(tag, &attributes);
        let attributes = if tag.speaks() { attributes.into() } else { Box::default() };
        Handle { id: self.push(Data::Element { tag, hints, attributes }), name }
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        self.other()
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        self.other()
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.insert(parent.id, NONE, child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        if self.nodes.borrow()[element.id as usize].parent == NONE {
            self.append(previous, child);
        } else {
            self.append_before_sibling(element, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    // a template's content is never shown, and neither is what stands in the template
    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.clone()
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.id == other.id
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let parent = self.nodes.borrow()[sibling.id as usize].parent;
        if parent != NONE {
            self.insert(parent, sibling.id, child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Handle, missing: Vec<Attribute>) {
        if let Data::Element { tag, attributes, .. } = &mut self.nodes.borrow_mut()[target.id as usize].data
            && tag.speaks()
        {
            let mut all = std::mem::take(attributes).into_vec();
            let new = missing.into_iter().filter(|new| all.iter().all(|old| old.name != new.name));
            let new: Vec<_> = new.collect();
            all.extend(new);
            *attributes = all.into();
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        Self::take_out(&mut self.nodes.borrow_mut(), target.id);
    }

    fn reparent_children(&self, node: &Handle, parent: &Handle) {
        let nodes = &mut *self.nodes.borrow_mut();
        loop {
            let child = nodes[node.id as usize].first;
            if child == NONE {
                break;
            }
            self.put(nodes, child, parent.id, NONE);
        }
    }
}
