//! Candidates whose similarity decides: documents of one bucket are joined where their shingles say so.

use rayon::prelude::*;

use super::{ClusterAccount, buckets::Bucket, sets::Sets, union_find::UnionFind};
use crate::{error::Result, text::shingles::are_similar};

/// Pairs that are compared together, on all cores.
const TOGETHER: usize = 1 << 12;

/// Compares the texts of a bucket's documents. Those that are joined already are not compared: it would change nothing.
#[derive(Debug)]
pub struct Verifier<'a> {
    pub union_find: &'a mut UnionFind,
    pub sets: &'a Sets,
    /// The slot of each number's set; one beyond all sets where it has none.
    pub slots: &'a [u32],
    pub similarity: f64,
    pub max_bucket: usize,
    pub account: &'a mut ClusterAccount,
    /// Pairs that wait to be compared.
    pub pending: Vec<(u32, u32)>,
    /// The documents of a bucket, each behind the size of its set; reused from bucket to bucket.
    pub by_size: Vec<(usize, u32)>,
}

impl Verifier<'_> {
    /// Joins those of a bucket that are similar enough.
    pub fn take(&mut self, bucket: Bucket<'_>) -> Result<()> {
        let members = bucket.members;
        if bucket.same_text {
            members[1..].iter().for_each(|member| {
                self.union_find.union(members[0], *member);
            });
            return Ok(());
        }
        let mut by_size = std::mem::take(&mut self.by_size);
        by_size.clear();
        by_size.extend(members.iter().map(|member| (self.sets.len(self.slots[*member as usize]), *member)));
        by_size.sort_unstable();
        let left = self.account.pairs_left;
        for (place, (size, one)) in by_size.iter().enumerate() {
            // a larger one cannot be alike, even if it held all of this one
            let behind = &by_size[place + 1..];
            let near = behind.partition_point(|(other, _)| *size as f64 >= self.similarity * *other as f64);
            let near = if *size == 0 { 0 } else { near };
            self.account.pairs_left += near.saturating_sub(self.max_bucket) as u64;
            for (_, other) in &behind[..near.min(self.max_bucket)] {
                if self.union_find.find(*one) != self.union_find.find(*other) {
                    self.pending.push((*one, *other));
                }
            }
            if self.pending.len() >= TOGETHER {
                self.compare()?;
            }
        }
        self.account.buckets_over_limit += u64::from(self.account.pairs_left > left);
        self.by_size = by_size;
        Ok(())
    }

    /// Compares the pairs that wait.
    pub fn compare(&mut self) -> Result<()> {
        let mut pairs = std::mem::take(&mut self.pending);
        pairs.retain(|(one, other)| self.union_find.find(*one) != self.union_find.find(*other));
        let (sets, slots, similarity) = (self.sets, self.slots, self.similarity);
        let alike = |(left, right): &mut (Vec<u64>, Vec<u64>), (one, other): &(u32, u32)| -> Result<bool> {
            let one = sets.get(slots[*one as usize], left)?;
            let other = sets.get(slots[*other as usize], right)?;
            Ok(are_similar(one, other, similarity))
        };
        let found: Vec<bool> = pairs.par_iter().map_init(Default::default, alike).collect::<Result<_>>()?;
        self.account.pairs_compared += pairs.len() as u64;
        for ((one, other), _) in pairs.iter().zip(&found).filter(|(_, alike)| **alike) {
            self.account.pairs_alike += 1;
            self.union_find.union(*one, *other);
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
    use crate::text::shingles::jaccard;

    const DOCUMENTS: u32 = 12;

    proptest! {
        /// Joined are those that share a hash and are similar enough, over and over: whatever is held in memory, and however many
        /// pairs had to be compared for it.
        #[test]
        fn clusters_are_those_of_the_similar_pairs(
            texts in vec(vec(0u64..12, 1..8), DOCUMENTS as usize),
            hashes in vec((0u64..4, 0u32..DOCUMENTS), 0..40),
            similarity in 0.2f64..1.0,
            budget in 0usize..200,
        ) {
            let folder = tempfile::tempdir().expect("the temporary folder can be written");
            let mut sets = Sets::new(folder.path(), budget);
            let texts: Vec<Vec<u64>> = texts
                .into_iter()
                .map(|mut text| {
                    text.sort_unstable();
                    text.dedup();
                    text
                })
                .collect();
            let slots: Vec<u32> = texts.iter().map(|text| sets.push(text).expect("the disk has room")).collect();
            let mut buckets = Buckets::new(folder.path(), budget);
            let spread = |hash: u64| hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) & !1;
            for (hash, document) in &hashes {
                // a hash of the whole text comes first, and is shared with nobody
                let whole = spread(100 + u64::from(*document)) + 1;
                buckets.push(*document, &[whole, spread(*hash)]).expect("the disk has room");
            }
            let numbers: Vec<u32> = (0..DOCUMENTS).collect();
            let (mut union_find, mut account) = (UnionFind::new(DOCUMENTS), ClusterAccount::default());
            let mut verifier = Verifier {
                union_find: &mut union_find, sets: &sets, slots: &slots, similarity, max_bucket: 100, account: &mut account,
                pending: Vec::new(),
                by_size: Vec::new(),
            };
            buckets.each(&numbers, |bucket| verifier.take(bucket)).expect("the files can be read");
            verifier.compare().expect("the file can be read");

            let mut expected = UnionFind::new(DOCUMENTS);
            for (hash, one) in &hashes {
                for (_, other) in hashes.iter().filter(|(same, _)| same == hash) {
                    if jaccard(&texts[*one as usize], &texts[*other as usize]) >= similarity {
                        expected.union(*one, *other);
                    }
                }
            }
            for document in 0..DOCUMENTS {
                prop_assert_eq!(union_find.find(document), expected.find(document));
            }
        }
    }

    /// In a bucket over the limit a document is compared with those whose sets come next in size, and what is left out is counted;
    /// what is too large to be alike is neither.
    #[test]
    fn what_is_not_compared_is_counted() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut sets = Sets::new(folder.path(), 1 << 10);
        // 0 is like 4, and 2 is like 3; 5 is twice as large
        let texts: [&[u64]; 6] = [&[1, 2], &[3, 4], &[5, 6], &[5, 6], &[1, 2], &[1, 2, 3, 4]];
        let slots: Vec<u32> = texts.iter().map(|text| sets.push(text).expect("the disk has room")).collect();
        let (mut union_find, mut account) = (UnionFind::new(6), ClusterAccount::default());
        let mut verifier = Verifier {
            union_find: &mut union_find,
            sets: &sets,
            slots: &slots,
            similarity: 0.9,
            max_bucket: 2,
            account: &mut account,
            pending: Vec::new(),
            by_size: Vec::new(),
        };
        verifier.take(Bucket { members: &[0, 1, 2, 3, 4, 5], same_text: false }).expect("the file can be read");
        verifier.compare().expect("the file can be read");
        assert_eq!((union_find.find(3), union_find.find(4)), (2, 4), "0 and 4 are beyond the limit");
        let expected = ClusterAccount {
            pairs_compared: 7,
            pairs_alike: 1,
            buckets_over_limit: 1,
            pairs_left: 3,
            ..ClusterAccount::default()
        };
        assert_eq!(account, expected);
    }
}
