//! Which item a labeler sees next, and in which order answers are shown: hashes of names, so that nothing has to be remembered.
//!
//! ```text
//! shared: the share of items with the smallest hashes of (seed, id)      first, for everyone: agreement is taken on them
//! all others                                                             afterwards
//! within both: by a hash of (seed, labeler, id)                          an order of one's own
//! ```
//!
//! An item that is added later moves none of the others, but for those that are shared.

use xxhash_rust::xxh3::xxh3_64;

use super::store::Item;
use crate::random::Stream;

/// The numbers of all items in the order in which a labeler goes through them.
///
/// - `overlap`: the share of items that everyone sees first, from 0 to 1; rounded up
pub fn order(seed: u64, labeler: &str, items: &[Item], overlap: f64) -> Vec<i64> {
    let shared = Stream::new(seed, "label overlap");
    let own = Stream::new(seed, &format!("label order {labeler}"));
    let mut places: Vec<(u64, &Item)> = items.iter().map(|item| (xxh3_64(item.id.as_bytes()), item)).collect();
    places.sort_unstable_by_key(|(hash, item)| (shared.bits(*hash), item.number));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the items is no more than these"
    )]
    let count = (overlap.clamp(0.0, 1.0) * items.len() as f64).ceil() as usize;
    let (first, others) = places.split_at_mut(count.min(items.len()));
    for part in [first, others] {
        part.sort_unstable_by_key(|(hash, item)| (own.bits(*hash), item.number));
    }
    places.into_iter().map(|(_, item)| item.number).collect()
}

/// The place on the page of each answer to an item, from 0.
pub fn shown(seed: u64, id: &str, answers: u32) -> Vec<u32> {
    let stream = Stream::new(seed, &format!("label shown {id}"));
    let mut order: Vec<u32> = (0..answers).collect();
    order.sort_unstable_by_key(|place| (stream.bits(u64::from(*place)), *place));
    let mut shown = vec![0; order.len()];
    for (position, place) in (0..).zip(order) {
        shown[place as usize] = position;
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn items(count: i64) -> Vec<Item> {
        (1..=count).map(|number| Item { number, id: format!("p{number}") }).collect()
    }

    #[test]
    fn everyone_sees_the_same_items_first_in_an_order_of_their_own() {
        let items = items(40);
        let [ann, bob] = ["ann", "bob"].map(|labeler| order(7, labeler, &items, 0.1));
        let first = |order: &[i64]| order[..4].iter().copied().collect::<BTreeSet<i64>>();
        assert_eq!(first(&ann), first(&bob));
        assert_ne!(ann, bob);
        assert_eq!(ann, order(7, "ann", &items, 0.1));
        assert_ne!(first(&ann), first(&order(8, "ann", &items, 0.1)));
        // nothing is shared, or everything
        assert_ne!(first(&order(7, "ann", &items, 0.0)), first(&order(7, "bob", &items, 0.0)));
        assert_ne!(order(7, "ann", &items, 1.0), order(7, "bob", &items, 1.0));
        assert!(order(7, "ann", &[], 0.1).is_empty());
    }

    /// What is added stands somewhere between the others, which stay in their order.
    #[test]
    fn items_can_be_added() {
        let before = order(3, "ann", &items(20), 0.0);
        let after: Vec<i64> = order(3, "ann", &items(30), 0.0).into_iter().filter(|number| *number <= 20).collect();
        assert_eq!(before, after);
    }

    /// Each place of the page is as likely as any other for an answer.
    #[test]
    fn answers_are_shown_anywhere() {
        let mut counts = [[0; 4]; 4];
        for item in 0..4000 {
            for (place, position) in shown(1, &format!("p{item}"), 4).into_iter().enumerate() {
                counts[place][position as usize] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    proptest! {
        /// Each item comes once, whoever asks and whatever is shared; each answer is shown once.
        #[test]
        fn nothing_is_left_out(count in 0i64..60, overlap in 0.0..1.0f64, seed: u64, labeler in "\\PC{1,8}", answers in 1u32..10) {
            let mut order = order(seed, &labeler, &items(count), overlap);
            order.sort_unstable();
            prop_assert_eq!(order, (1..=count).collect::<Vec<i64>>());
            let mut shown = shown(seed, &labeler, answers);
            shown.sort_unstable();
            prop_assert_eq!(shown, (0..answers).collect::<Vec<u32>>());
        }
    }
}
