//! Items that go through a model once, in batches of like length.
//!
//! Useful for: what is computed of each of some items that are in memory. Not useful for: batches to train on, in whose order chance has its say;
//! [`super::by_length`] makes those.

/// What comes of each item, in their order, while they go through by length, so that little is padded.
///
/// - `count`: items
/// - `batch_size`: items that go through together
/// - `length`: of an item by its place
/// - `batch`: what comes of the items at some places, in the places' order
pub fn by_like_length<T>(
    count: usize,
    batch_size: usize,
    length: impl Fn(usize) -> usize,
    mut batch: impl FnMut(&[usize]) -> Vec<T>,
) -> Vec<T> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_cached_key(|place| length(*place));
    let mut found: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for places in order.chunks(batch_size.max(1)) {
        let of_places = batch(places);
        assert_eq!(of_places.len(), places.len(), "each item of a batch comes to something");
        for (place, item) in places.iter().zip(of_places) {
            found[*place] = Some(item);
        }
    }
    found.into_iter().map(|item| item.expect("each item is in a batch")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_items_is_in_their_order() {
        let words = ["ccc", "", "bb", "dddd", "a", "bb"];
        let mut batches = Vec::new();
        let upper = by_like_length(
            words.len(),
            4,
            |place| words[place].len(),
            |places| {
                batches.push(places.to_vec());
                places.iter().map(|place| words[*place].to_uppercase()).collect()
            },
        );
        assert_eq!(upper, words.map(str::to_uppercase));
        assert_eq!(batches, [vec![1, 4, 2, 5], vec![0, 3]]);
    }
}
