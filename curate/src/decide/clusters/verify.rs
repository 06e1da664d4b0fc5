//! Candidates whose similarity decides: documents of one bucket are joined where their shingles say so.

use rayon::prelude::*;

use super::{ClusterAccount, buckets::Bucket, forest::Forest, sets::Sets};
use crate::{error::Result, text::shingles::jaccard};

/// Pairs that are compared together, on all cores.
const TOGETHER: usize = 1 << 12;

/// Compares the texts of a bucket's documents. Those that are joined already are not compared: it would change nothing.
#[derive(Debug)]
pub struct Verifier<'a> {
    pub forest: &'a mut Forest,
    pub sets: &'a Sets,
    /// The slot of each number's set; one beyond all sets where it has none.
    pub slots: &'a [u32],
    pub similarity: f64,
    pub max_bucket: usize,
    pub account: &'a mut ClusterAccount,
    pub pending: Vec<(u32, u32)>,
}

impl Verifier<'_> {
    /// Joins those of a bucket that are alike.
    pub fn take(&mut self, bucket: Bucket<'_>) -> Result<()> {
        let members = bucket.members;
        if bucket.same_text {
            members[1..].iter().for_each(|member| {
                self.forest.join(members[0], *member);
            });
            return Ok(());
        }
        if members.len() > self.max_bucket {
            let beyond = (members.len() - self.max_bucket) as u64;
            self.account.buckets_over_limit += 1;
            self.account.pairs_left += beyond * (beyond - 1) / 2;
        }
        for (place, one) in members.iter().enumerate().take(self.max_bucket) {
            for other in &members[place + 1..] {
                if self.forest.root(*one) != self.forest.root(*other) {
                    self.pending.push((*one, *other));
                }
            }
            if self.pending.len() >= TOGETHER {
                self.compare()?;
            }
        }
        Ok(())
    }

    /// Compares the pairs that wait.
    pub fn compare(&mut self) -> Result<()> {
        let mut pairs = std::mem::take(&mut self.pending);
        pairs.retain(|(one, other)| self.forest.root(*one) != self.forest.root(*other));
        let (sets, slots, similarity) = (self.sets, self.slots, self.similarity);
        let alike = |(left, right): &mut (Vec<u64>, Vec<u64>), (one, other): &(u32, u32)| -> Result<bool> {
            let (one, other) = (slots[*one as usize], slots[*other as usize]);
            let (few, many) = (sets.len(one).min(sets.len(other)), sets.len(one).max(sets.len(other)));
            if few == 0 || (few as f64) < similarity * many as f64 {
                // even if one held all of the other
                return Ok(false);
            }
            sets.read(one, left)?;
            sets.read(other, right)?;
            Ok(jaccard(left, right) >= similarity)
        };
        let found: Vec<bool> = pairs.par_iter().map_init(Default::default, alike).collect::<Result<_>>()?;
        self.account.pairs_compared += pairs.len() as u64;
        for ((one, other), _) in pairs.iter().zip(&found).filter(|(_, alike)| **alike) {
            self.account.pairs_alike += 1;
            self.forest.join(*one, *other);
        }
        pairs.clear();
        self.pending = pairs;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::decide::clusters::buckets::Buckets;

    const DOCUMENTS: u32 = 12;

    proptest! {
        /// Joined are those that share a hash and are alike enough, over and over: whatever is held in memory, and however many
        /// pairs had to be compared for it.
        #[test]
        fn clusters_are_those_of_the_similar_pairs(
            texts in vec(vec(0u64..12, 1..8), DOCUMENTS as usize),
            hashes in vec((0u64..4, 0u32..DOCUMENTS), 0..40),
            similarity in 0.2f64..1.0,
            budget in 0usize..200,
        ) {
            let folder = tempfile::tempdir().expect("the temporary folder can be written");
            let mut sets = Sets::new(&folder.path().join("sets"), budget);
            let texts: Vec<Vec<u64>> = texts
                .into_iter()
                .map(|mut text| {
                    text.sort_unstable();
                    text.dedup();
                    text
                })
                .collect();
            let slots: Vec<u32> = texts.iter().map(|text| sets.push(text).expect("the disk has room")).collect();
            let mut buckets = Buckets::new(&folder.path().join("hashes"), budget);
            let spread = |hash: u64| hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) & !1;
            for (hash, document) in &hashes {
                // a hash of the whole text comes first, and is shared with nobody
                let whole = spread(100 + u64::from(*document)) + 1;
                buckets.push(*document, &[whole, spread(*hash)]).expect("the disk has room");
            }
            let numbers: Vec<u32> = (0..DOCUMENTS).collect();
            let (mut forest, mut account) = (Forest::new(DOCUMENTS), ClusterAccount::default());
            let mut verifier = Verifier {
                forest: &mut forest, sets: &sets, slots: &slots, similarity, max_bucket: 100, account: &mut account,
                pending: Vec::new(),
            };
            buckets.each(&numbers, |bucket| verifier.take(bucket)).expect("the files can be read");
            verifier.compare().expect("the file can be read");

            let mut expected = Forest::new(DOCUMENTS);
            for (hash, one) in &hashes {
                for (_, other) in hashes.iter().filter(|(same, _)| same == hash) {
                    if jaccard(&texts[*one as usize], &texts[*other as usize]) >= similarity {
                        expected.join(*one, *other);
                    }
                }
            }
            for document in 0..DOCUMENTS {
                prop_assert_eq!(forest.root(document), expected.root(document));
            }
        }
    }

    /// A bucket over the limit: the first documents are compared with all, and what is left out is counted.
    #[test]
    fn what_is_not_compared_is_counted() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut sets = Sets::new(&folder.path().join("sets"), 1 << 10);
        // 0 is like 5, and 3 is like 4
        let texts = [[1, 2], [3, 4], [5, 6], [7, 8], [7, 8], [1, 2]];
        let slots: Vec<u32> = texts.iter().map(|text| sets.push(text).expect("the disk has room")).collect();
        let (mut forest, mut account) = (Forest::new(6), ClusterAccount::default());
        let mut verifier = Verifier {
            forest: &mut forest,
            sets: &sets,
            slots: &slots,
            similarity: 0.9,
            max_bucket: 2,
            account: &mut account,
            pending: Vec::new(),
        };
        verifier.take(Bucket { members: &[0, 1, 2, 3, 4, 5], same_text: false }).expect("the file can be read");
        verifier.compare().expect("the file can be read");
        assert_eq!((forest.root(5), forest.root(4)), (0, 4), "3 and 4 are beyond the limit");
        let expected = ClusterAccount {
            pairs_compared: 9,
            pairs_alike: 1,
            buckets_over_limit: 1,
            pairs_left: 6,
            ..ClusterAccount::default()
        };
        assert_eq!(account, expected);
    }
}
