//! Regression by trees, each fitted to what those before it leave (Friedman 2001), grown leaf by leaf as LightGBM grows its own (Ke et al. 2017).
//!
//! Useful for: a hundred runs or more. Not useful for: fewer, and for weights beyond those of all runs, where a tree says what it says at the last.

/// Trees whose values are added up.
#[derive(Debug, Clone)]
pub(super) struct Boosted {
    mean: f64,
    trees: Vec<Vec<Node>>,
}

#[derive(Debug, Clone, Copy)]
enum Node {
    /// What is at the threshold or below goes to the node `below`, all else to the next.
    Split {
        feature: usize,
        threshold: f64,
        below: usize,
    },
    Leaf(f64),
}

/// How many trees there are, and how large they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct TreesConfig {
    /// Trees.
    pub trees: usize,
    /// What the value of each is multiplied by.
    pub rate: f64,
    /// Leaves of a tree, at most.
    pub leaves: usize,
    /// Rows of a leaf, at least.
    pub least_rows: usize,
}

impl Default for TreesConfig {
    /// LightGBM's leaves; fewer trees, and as much larger steps, than RegMix's 1,000 at 0.01, which rank as well.
    fn default() -> Self {
        Self { trees: 300, rate: 0.05, leaves: 31, least_rows: 20 }
    }
}

impl Boosted {
    /// Fits trees to targets.
    ///
    /// - `features`: a row for each target
    pub fn fit(features: &[Vec<f64>], targets: &[f64], config: TreesConfig) -> Self {
        let rows = targets.len();
        let width = features.first().map_or(0, Vec::len);
        let mean = targets.iter().sum::<f64>() / rows as f64;
        let mut left: Vec<f64> = targets.iter().map(|target| target - mean).collect();
        // rows in the order of each feature
        let orders: Vec<Vec<usize>> = (0..width)
            .map(|feature| {
                let mut order: Vec<usize> = (0..rows).collect();
                order.sort_by(|one, other| {
                    features[*one][feature].total_cmp(&features[*other][feature]).then(one.cmp(other))
                });
                order
            })
            .collect();
        let mut trees = Vec::with_capacity(config.trees);
        for _ in 0..config.trees {
            let tree = grow(features, &left, &orders, config);
            for (row, left) in left.iter_mut().enumerate() {
                *left -= value(&tree, &features[row]);
            }
            trees.push(tree);
        }
        Self { mean, trees }
    }

    /// What the trees say of a row.
    pub fn predict(&self, features: &[f64]) -> f64 {
        self.mean + self.trees.iter().map(|tree| value(tree, features)).sum::<f64>()
    }
}

/// What a tree says of a row.
fn value(tree: &[Node], features: &[f64]) -> f64 {
    let mut at = 0;
    loop {
        match tree[at] {
            Node::Leaf(value) => return value,
            Node::Split { feature, threshold, below } => {
                at = if features[feature] <= threshold { below } else { below + 1 };
            }
        }
    }
}

/// A leaf that may be divided.
struct Open {
    node: usize,
    /// Its rows, in the order of each feature.
    orders: Vec<Vec<usize>>,
    /// What is gained by the best split, its feature and its threshold.
    split: Option<(f64, usize, f64)>,
}

/// A tree of what is left.
fn grow(features: &[Vec<f64>], targets: &[f64], orders: &[Vec<usize>], config: TreesConfig) -> Vec<Node> {
    let mut nodes = vec![Node::Leaf(0.0)];
    let leaf = |orders: &[Vec<usize>]| {
        let rows = &orders[0];
        Node::Leaf(config.rate * rows.iter().map(|row| targets[*row]).sum::<f64>() / rows.len() as f64)
    };
    let open = |node: usize, orders: Vec<Vec<usize>>| {
        let split = best_split(features, targets, &orders, config.least_rows);
        Open { node, orders, split }
    };
    nodes[0] = leaf(orders);
    let mut opened = vec![open(0, orders.to_vec())];
    let mut leaves = 1;
    while leaves < config.leaves {
        // the split that explains the most, wherever it is
        let best = (0..opened.len()).filter(|place| opened[*place].split.is_some()).max_by(|one, other| {
            let gain = |place: usize| opened[place].split.map_or(0.0, |split| split.0);
            gain(*one).total_cmp(&gain(*other)).then(other.cmp(one))
        });
        let Some(best) = best else { break };
        let Open { node, orders, split } = opened.swap_remove(best);
        let Some((_, feature, threshold)) = split else { break };
        let below = nodes.len();
        nodes[node] = Node::Split { feature, threshold, below };
        let is_below = |row: &usize| features[*row][feature] <= threshold;
        let (first, second): (Vec<Vec<usize>>, Vec<Vec<usize>>) =
            orders.iter().map(|order| order.iter().partition::<Vec<usize>, _>(|row| is_below(row))).unzip();
        nodes.push(leaf(&first));
        nodes.push(leaf(&second));
        opened.push(open(below, first));
        opened.push(open(below + 1, second));
        leaves += 1;
    }
    nodes
}

/// By how much the best split lessens the squares, the feature, and the threshold.
fn best_split(
    features: &[Vec<f64>],
    targets: &[f64],
    orders: &[Vec<usize>],
    least: usize,
) -> Option<(f64, usize, f64)> {
    let rows = orders.first()?.len();
    if rows < 2 * least {
        return None;
    }
    let total: f64 = orders[0].iter().map(|row| targets[*row]).sum();
    let mut best: Option<(f64, usize, f64)> = None;
    for (feature, order) in orders.iter().enumerate() {
        let mut sum = 0.0;
        for place in 1..rows {
            sum += targets[order[place - 1]];
            let (one, next) = (features[order[place - 1]][feature], features[order[place]][feature]);
            if place < least || rows - place < least || one >= next {
                continue;
            }
            let gain =
                sum * sum / place as f64 + (total - sum).powi(2) / (rows - place) as f64 - total * total / rows as f64;
            if gain > best.map_or(1e-12, |best| best.0) {
                best = Some((gain, feature, one + (next - one) / 2.0));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_where_they_are() {
        let features: Vec<Vec<f64>> = (0..200).map(|row| vec![f64::from(row % 20), f64::from(row / 20)]).collect();
        let step = |row: &[f64]| if row[0] > 12.0 { 3.0 } else { 0.0 } + if row[1] > 4.0 { -1.0 } else { 0.0 };
        let targets: Vec<f64> = features.iter().map(|row| step(row)).collect();
        let trees = Boosted::fit(&features, &targets, TreesConfig::default());
        for row in [[0.0, 0.0], [12.0, 9.0], [13.0, 4.0], [19.0, 5.0]] {
            assert!((trees.predict(&row) - step(&row)).abs() < 1e-3, "{row:?}: {}", trees.predict(&row));
        }
        // too few rows for a split: the mean
        let few = Boosted::fit(&features[..30], &targets[..30], TreesConfig::default());
        assert!((few.predict(&[0.0, 0.0]) - targets[..30].iter().sum::<f64>() / 30.0).abs() < 1e-9);
    }
}
