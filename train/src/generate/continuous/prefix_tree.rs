//! What is known of the beginnings of texts: keys and values of their tokens, and log-probabilities that were asked for.
//!
//! ```text
//! root -- "A question: " -- "what is" .. leaf        a node: the tokens that it adds, what each was judged to be
//!                       \-- "who was" .. leaf        a leaf: the keys and values of all tokens from the root on
//! ```
//!
//! Caches share what they have in common, so that each token is held once; a leaf's is also that of the nodes above it. Nodes that a running
//! sequence shares are pinned, and stay; of the others the leaf that was not used for the longest time goes first.
//!
//! Source: Zheng et al. 2024 (SGLang), section 3.

use std::collections::BTreeMap;

use super::TokenScore;

/// The keys and values of the beginning of a text; clones share what they hold.
pub trait CachedPrefix: Clone {
    /// Forgets all tokens but the first `length`.
    fn truncate(&mut self, length: usize);
}

/// The number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(usize);

/// The node of the empty beginning.
const ROOT: NodeId = NodeId(0);

/// The tree.
#[derive(Debug)]
pub struct PrefixTree<C> {
    /// By number; none where one is free.
    nodes: Vec<Option<Node<C>>>,
    free: Vec<NodeId>,
    /// Counts uses.
    clock: u64,
    /// Tokens in all nodes.
    tokens: usize,
    /// Nodes with a cache.
    leaves: usize,
}

#[derive(Debug)]
struct Node<C> {
    parent: NodeId,
    /// The tokens that it adds to its parent's; one or more but at the root.
    tokens: Vec<u32>,
    /// What each was judged to be.
    scores: Vec<Option<TokenScore>>,
    /// Tokens from the root to its end.
    length: usize,
    /// By their first token.
    children: BTreeMap<u32, NodeId>,
    /// Of all tokens to its end, at a leaf.
    cache: Option<C>,
    /// Running sequences that end here.
    pins: usize,
    last_use: u64,
}

impl<C: CachedPrefix> PrefixTree<C> {
    pub fn new() -> Self {
        let root = Node {
            parent: ROOT,
            tokens: Vec::new(),
            scores: Vec::new(),
            length: 0,
            children: BTreeMap::new(),
            cache: None,
            pins: 0,
            last_use: 0,
        };
        Self { nodes: vec![Some(root)], free: Vec::new(), clock: 0, tokens: 0, leaves: 0 }
    }

    /// Tokens whose keys and values it holds.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Caches that it holds, each with blocks of its own at the end.
    pub fn leaves(&self) -> usize {
        self.leaves
    }

    /// Tokens and leaves that could be forgotten: of nodes that are not pinned, nor any below them.
    pub fn forgettable(&self) -> (usize, usize) {
        let mut is_kept = vec![false; self.nodes.len()];
        is_kept[ROOT.0] = true;
        for (number, node) in self.nodes.iter().enumerate() {
            let Some(node) = node.as_ref().filter(|node| node.pins > 0) else { continue };
            let mut id = NodeId(number);
            let mut parent = node.parent;
            while !std::mem::replace(&mut is_kept[id.0], true) {
                (id, parent) = (parent, self.node(parent).parent);
            }
        }
        // below each of these all goes, and it is a leaf then itself
        let is_bare = |(number, node): &(usize, &Option<Node<C>>)| {
            let children = node.iter().flat_map(|node| node.children.values());
            *number != ROOT.0
                && is_kept[*number]
                && children.clone().count() > 0
                && children.clone().all(|child| !is_kept[child.0])
        };
        let bare = self.nodes.iter().enumerate().filter(is_bare).count();
        let goes =
            self.nodes.iter().zip(&is_kept).filter(|(_, is_kept)| !**is_kept).filter_map(|(node, _)| node.as_ref());
        let (tokens, leaves) = goes.fold((0, 0), |(tokens, leaves), node| {
            (tokens + node.tokens.len(), leaves + usize::from(node.children.is_empty()))
        });
        (tokens, leaves - bare)
    }

    /// How many tokens of a text's beginning are known.
    pub fn known(&self, ids: &[u32]) -> usize {
        let (node, within) = self.walk(ids);
        self.node(node).length - self.node(node).tokens.len() + within
    }

    /// The node of as much of a text's beginning as is known, and its tokens.
    pub fn find(&mut self, ids: &[u32]) -> (NodeId, usize) {
        let (mut node, within) = self.walk(ids);
        if within < self.node(node).tokens.len() {
            node = self.split(node, within);
        }
        self.clock += 1;
        let mut used = node;
        while used != ROOT {
            let clock = self.clock;
            let node = self.node_mut(used);
            node.last_use = clock;
            used = node.parent;
        }
        (node, self.node(node).length)
    }

    /// What the tokens up to a node were judged to be, from the first on.
    pub fn scores(&self, node: NodeId) -> Vec<&Option<TokenScore>> {
        let mut path = vec![node];
        while path[path.len() - 1] != ROOT {
            path.push(self.node(path[path.len() - 1]).parent);
        }
        path.into_iter().rev().flat_map(|node| &self.node(node).scores).collect()
    }

    /// The keys and values of the tokens up to a node; none at the root.
    pub fn cache(&self, node: NodeId) -> Option<C> {
        let length = self.node(node).length;
        let mut leaf = node;
        while let Some(child) = self.node(leaf).children.values().next() {
            leaf = *child;
        }
        let mut cache = self.node(leaf).cache.clone().filter(|_| node != ROOT)?;
        cache.truncate(length);
        Some(cache)
    }

    /// Adds a text, as far as it is not known. Returns its node, and how much of it was known.
    ///
    /// - `cache`: of all of its tokens, or more
    /// - `scores`: of as many of its tokens as were judged
    pub fn insert(&mut self, ids: &[u32], cache: &C, scores: &[Option<TokenScore>]) -> (NodeId, usize) {
        let (mut node, known) = self.find(ids);
        if known < ids.len() {
            let mut cache = cache.clone();
            cache.truncate(ids.len());
            let leaf = Node {
                parent: node,
                tokens: ids[known..].to_vec(),
                scores: vec![None; ids.len() - known],
                length: ids.len(),
                children: BTreeMap::new(),
                cache: Some(cache),
                pins: 0,
                last_use: self.clock,
            };
            let leaf = self.add(leaf);
            let parent = self.node_mut(node);
            parent.children.insert(ids[known], leaf);
            // the child's holds its tokens, too
            self.leaves += usize::from(parent.cache.take().is_none());
            node = leaf;
        }
        self.judge(node, scores);
        (node, known)
    }

    /// Keeps a node until it is released as often.
    pub fn pin(&mut self, node: NodeId) {
        self.node_mut(node).pins += 1;
    }

    pub fn release(&mut self, node: NodeId) {
        self.node_mut(node).pins -= 1;
    }

    /// Forgets the leaf that was not used for the longest time. Returns whether there was one that nobody needs.
    pub fn forget_one(&mut self) -> bool {
        let leaves = (1..self.nodes.len()).filter_map(|number| Some((NodeId(number), self.nodes[number].as_ref()?)));
        let idle = leaves.filter(|(_, node)| node.children.is_empty() && node.pins == 0);
        let Some((oldest, _)) = idle.min_by_key(|(_, node)| node.last_use) else { return false };
        let node = self.nodes[oldest.0].take().expect("it is there");
        self.free.push(oldest);
        self.tokens -= node.tokens.len();
        self.leaves -= 1;
        let parent = self.node_mut(node.parent);
        parent.children.remove(&node.tokens[0]);
        if parent.children.is_empty() && node.parent != ROOT {
            let length = parent.length;
            parent.cache = node.cache.map(|mut cache| {
                cache.truncate(length);
                cache
            });
            self.leaves += 1;
        }
        true
    }

    fn node(&self, id: NodeId) -> &Node<C> {
        self.nodes[id.0].as_ref().expect("only nodes that are there are named")
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node<C> {
        self.nodes[id.0].as_mut().expect("only nodes that are there are named")
    }

    /// The node in which what is known of a text ends, and how many of its tokens are of the text: all, where none of its children goes on.
    fn walk(&self, ids: &[u32]) -> (NodeId, usize) {
        let (mut id, mut rest) = (ROOT, ids);
        loop {
            let node = self.node(id);
            let Some(child) = rest.first().and_then(|first| node.children.get(first)) else {
                return (id, node.tokens.len());
            };
            let tokens = &self.node(*child).tokens;
            let common = tokens.iter().zip(rest).take_while(|(one, other)| one == other).count();
            if common < tokens.len() {
                return (*child, common);
            }
            (id, rest) = (*child, &rest[common..]);
        }
    }

    /// Cuts a node in two behind its first `count` tokens. Returns the upper one; the lower one keeps its number, and those who pin it.
    fn split(&mut self, id: NodeId, count: usize) -> NodeId {
        let lower = self.node_mut(id);
        let rest = lower.tokens.split_off(count);
        let rest_scores = lower.scores.split_off(count);
        let (parent, first, length) = (lower.parent, lower.tokens[0], lower.length - rest.len());
        let upper = Node {
            parent,
            tokens: std::mem::take(&mut lower.tokens),
            scores: std::mem::take(&mut lower.scores),
            length,
            children: BTreeMap::from([(rest[0], id)]),
            cache: None,
            pins: 0,
            last_use: lower.last_use,
        };
        (lower.tokens, lower.scores) = (rest, rest_scores);
        self.tokens -= count;
        let upper = self.add(upper);
        self.node_mut(id).parent = upper;
        self.node_mut(parent).children.insert(first, upper);
        upper
    }

    /// Gives a node its number.
    fn add(&mut self, node: Node<C>) -> NodeId {
        self.tokens += node.tokens.len();
        match self.free.pop() {
            Some(id) => {
                self.nodes[id.0] = Some(node);
                id
            }
            None => {
                self.nodes.push(Some(node));
                NodeId(self.nodes.len() - 1)
            }
        }
    }

    /// Writes down what the tokens up to a node were judged to be, where that says more than is known.
    fn judge(&mut self, node: NodeId, scores: &[Option<TokenScore>]) {
        let mut id = node;
        while id != ROOT && !scores.is_empty() {
            let node = self.node_mut(id);
            let start = node.length - node.tokens.len();
            for (known, new) in node.scores.iter_mut().zip(scores.iter().skip(start)) {
                if let Some(new) = new
                    && known.as_ref().is_none_or(|known| !known.has(new.top.len()))
                {
                    *known = Some(new.clone());
                }
            }
            id = node.parent;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A cache that knows what it is of.
    #[derive(Debug, Clone, PartialEq)]
    struct Ids(Vec<u32>);

    impl CachedPrefix for Ids {
        fn truncate(&mut self, length: usize) {
            assert!(length <= self.0.len(), "it has no more than it was given");
            self.0.truncate(length);
        }
    }

    fn score(id: u32) -> TokenScore {
        TokenScore { id, logprob: -1.0, top: vec![(id, -1.0)] }
    }

    #[derive(Debug, Clone)]
    enum Action {
        Insert(Vec<u32>, bool),
        Find(Vec<u32>),
        Pin(Vec<u32>),
        Release,
        Forget,
    }

    fn action() -> impl Strategy<Value = Action> {
        let ids = || proptest::collection::vec(0..3u32, 0..7);
        prop_oneof![
            (ids(), any::<bool>()).prop_map(|(ids, judged)| Action::Insert(ids, judged)),
            ids().prop_map(Action::Find),
            ids().prop_map(Action::Pin),
            Just(Action::Release),
            Just(Action::Forget),
        ]
    }

    proptest! {
        /// Whatever is added and forgotten: what is found is a beginning of what is looked for, with its own cache; tokens are counted
        /// once; what is pinned stays.
        #[test]
        fn a_beginning_is_what_it_is(actions in proptest::collection::vec(action(), 0..60)) {
            let mut tree: PrefixTree<Ids> = PrefixTree::new();
            let mut pinned: Vec<(NodeId, Vec<u32>)> = Vec::new();
            for action in actions {
                match action {
                    Action::Insert(ids, judged) => {
                        let cache = Ids(ids.iter().copied().chain([9]).collect());
                        let scores: Vec<Option<TokenScore>> =
                            ids.iter().skip(1).filter(|_| judged).map(|id| Some(score(*id))).collect();
                        let scores = if judged { [vec![None], scores].concat() } else { scores };
                        let known = tree.known(&ids);
                        let (node, before) = tree.insert(&ids, &cache, &scores);
                        prop_assert_eq!(known, before);
                        prop_assert_eq!(tree.known(&ids), ids.len());
                        if !ids.is_empty() {
                            prop_assert_eq!(tree.cache(node), Some(Ids(ids.clone())));
                        }
                        if judged && !ids.is_empty() {
                            let expected: Vec<Option<TokenScore>> =
                                [vec![None], ids[1..].iter().map(|id| Some(score(*id))).collect()].concat();
                            let found = tree.scores(node);
                            prop_assert_eq!(found, expected.iter().collect::<Vec<_>>());
                        }
                    }
                    Action::Find(ids) => {
                        let known = tree.known(&ids);
                        let (node, length) = tree.find(&ids);
                        prop_assert_eq!(known, length);
                        prop_assert_eq!(tree.cache(node), (length > 0).then(|| Ids(ids[..length].to_vec())));
                    }
                    Action::Pin(ids) => {
                        let (node, length) = tree.find(&ids);
                        tree.pin(node);
                        pinned.push((node, ids[..length].to_vec()));
                    }
                    Action::Release => {
                        if let Some((node, _)) = pinned.pop() {
                            tree.release(node);
                        }
                    }
                    Action::Forget => {
                        let before = tree.tokens();
                        prop_assert_eq!(tree.forget_one(), tree.tokens() < before);
                    }
                }
                for (_, ids) in &pinned {
                    prop_assert_eq!(tree.known(ids), ids.len());
                }
                let nodes = || (0..tree.nodes.len()).filter_map(|number| Some((NodeId(number), tree.nodes[number].as_ref()?)));
                prop_assert_eq!(tree.leaves(), nodes().filter(|(_, node)| node.cache.is_some()).count());
                prop_assert_eq!(tree.tokens(), nodes().map(|(_, node)| node.tokens.len()).sum::<usize>());
                for (id, node) in nodes() {
                    prop_assert_eq!(node.tokens.len(), node.scores.len());
                    prop_assert!((id == ROOT) == node.tokens.is_empty());
                    prop_assert_eq!(node.children.is_empty() && id != ROOT, node.cache.is_some());
                    for (first, child) in &node.children {
                        let child = tree.node(*child);
                        prop_assert!(child.parent == id && child.tokens[0] == *first);
                        prop_assert_eq!(child.length, node.length + child.tokens.len());
                    }
                }
            }
            let forgettable = tree.forgettable();
            let (tokens, leaves) = (tree.tokens(), tree.leaves());
            while tree.forget_one() {}
            prop_assert_eq!((tokens - tree.tokens(), leaves - tree.leaves()), forgettable);
            pinned.into_iter().for_each(|(node, _)| tree.release(node));
            while tree.forget_one() {}
            prop_assert_eq!(tree.tokens(), 0);
        }
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let mut tree: PrefixTree<Ids> = PrefixTree::new();
        for ids in [[1, 2, 3], [1, 2, 4], [5, 6, 7]] {
            tree.insert(&ids, &Ids(ids.to_vec()), &[]);
        }
        tree.find(&[1, 2, 3]);
        assert!(tree.forget_one());
        assert_eq!(tree.known(&[1, 2, 4]), 2);
        assert!(tree.forget_one());
        assert_eq!((tree.known(&[5, 6, 7]), tree.known(&[1, 2, 3]), tree.tokens()), (0, 3, 3));
    }
}
