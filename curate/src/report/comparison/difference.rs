//! Figures of two runs side by side.

use std::collections::BTreeMap;

use super::{
    figures::{Figure, Topic},
    value::Value,
};

/// A figure of one run or of both.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub topic: Topic,
    pub name: String,
    pub first: Option<Value>,
    pub second: Option<Value>,
}

impl Difference {
    pub fn differs(&self) -> bool {
        self.first != self.second
    }

    /// Whether it is no promise that the same run gives it again.
    pub fn is_of_time(&self) -> bool {
        self.topic == Topic::Time
    }

    /// How much more there is in the second run; nothing where it is the same, or one has no such figure.
    pub fn apart(&self) -> Option<String> {
        match (self.first, self.second) {
            (Some(first), Some(second)) if first != second => Some(first.distance(second)),
            _ => None,
        }
    }

    /// The change as a share of the first run's figure, where that is not 0.
    pub fn relative(&self) -> Option<f64> {
        let (first, second) = (self.first?.number(), self.second?.number());
        (first != 0.0 && self.differs()).then(|| (second - first) / first)
    }
}

/// The figures of two runs, by topic, in the order in which the first run has them.
pub fn differences(first: Vec<Figure>, second: Vec<Figure>) -> Vec<Difference> {
    let mut places: BTreeMap<(Topic, String), usize> = BTreeMap::new();
    let mut differences: Vec<Difference> = Vec::new();
    for (topic, name, value) in first {
        places.insert((topic, name.clone()), differences.len());
        differences.push(Difference { topic, name, first: Some(value), second: None });
    }
    for (topic, name, value) in second {
        match places.get(&(topic, name.clone())) {
            Some(place) => differences[*place].second = Some(value),
            None => differences.push(Difference { topic, name, first: None, second: Some(value) }),
        }
    }
    differences.sort_by_key(|difference| difference.topic);
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_either_run_are_there_once() {
        let figure = |name: &str, count| (Topic::Run, name.to_owned(), Value::Count(count));
        let found = differences(vec![figure("a", 1), figure("b", 2000)], vec![figure("b", 1000), figure("c", 3)]);
        let shown: Vec<_> = found.iter().map(|of| (of.name.as_str(), of.apart(), of.relative())).collect();
        assert_eq!(shown, [("a", None, None), ("b", Some("−1\u{202f}000".into()), Some(-0.5)), ("c", None, None)]);
        assert!(found.iter().all(Difference::differs));
    }
}
