//! Hierarchical softmax: labels as the leaves of a Huffman tree, and the likeliest of them without looking at all.
//!
//! Source: as fastText 0.9 builds and walks it.

/// A tree over labels.
pub struct LabelTree {
    labels: usize,
    /// The left and right child of each inner node; inner node n stands at n - labels.
    children: Vec<(usize, usize)>,
}

impl LabelTree {
    /// The tree of labels that occur as often as `counts` say, the most frequent first.
    pub fn new(counts: &[i64]) -> Self {
        const MANY: i64 = 1_000_000_000_000_000;
        let labels = counts.len();
        // a count that no file of true counts has is as good as any other
        let mut weights: Vec<i64> = counts.iter().map(|count| (*count).clamp(0, MANY - 1)).collect();
        weights.resize(2 * labels - 1, MANY);
        let (mut leaf, mut node) = (labels, labels);
        let mut children = Vec::with_capacity(labels - 1);
        for parent in labels..2 * labels - 1 {
            let mut lightest = || {
                if leaf > 0 && weights[leaf - 1] < weights[node] {
                    leaf -= 1;
                    leaf
                } else {
                    node += 1;
                    node - 1
                }
            };
            let pair = (lightest(), lightest());
            weights[parent] = weights[pair.0].saturating_add(weights[pair.1]);
            children.push(pair);
        }
        Self { labels, children }
    }

    /// The likeliest label and its probability, where `score` gives the logit of going right at an inner node.
    pub fn likeliest(&self, score: impl Fn(usize) -> f32) -> (usize, f32) {
        let mut best = (0, f32::NEG_INFINITY);
        let mut open = vec![(self.labels + self.children.len() - 1, 0.0)];
        while let Some((node, so_far)) = open.pop() {
            // every step makes a path less likely
            if so_far < best.1 {
                continue;
            }
            match node.checked_sub(self.labels) {
                None => best = (node, so_far),
                Some(inner) => {
                    let right = sigmoid(score(inner));
                    let (left_child, right_child) = self.children[inner];
                    open.push((right_child, so_far + logarithm(right)));
                    open.push((left_child, so_far + logarithm(1.0 - right)));
                }
            }
        }
        (best.0, best.1.exp())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "as the original rounds")]
fn sigmoid(logit: f32) -> f32 {
    (1.0 / (1.0 + f64::from((-logit).exp()))) as f32
}

#[expect(clippy::cast_possible_truncation, reason = "as the original rounds")]
fn logarithm(share: f32) -> f32 {
    (f64::from(share) + 1e-5).ln() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_labels_stand_high() {
        // by weight: 8, then 4, then 2 and 1 together
        let tree = LabelTree::new(&[8, 4, 2, 1]);
        assert_eq!(tree.children, [(3, 2), (4, 1), (5, 0)]);
        let (label, probability) = tree.likeliest(|_| 9.0);
        assert_eq!(label, 0);
        assert!(probability > 0.99);
        // left at the root, then right
        assert_eq!(tree.likeliest(|inner| if inner == 2 { -9.0 } else { 9.0 }).0, 1);
        assert_eq!(tree.likeliest(|_| -9.0).0, 3);
        assert_eq!(LabelTree::new(&[3]).likeliest(|_| 0.0).0, 0);
    }
}
