//! Terms in the order of their bytes, in one piece of memory.

/// Terms by number, and numbers by term.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    letters: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Terms {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The term of a number.
    #[must_use]
    pub fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let begin = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.letters[begin..self.ends[number]]
    }

    /// The number of a term, if it is there.
    #[must_use]
    pub fn find(&self, term: &str) -> Option<u32> {
        let (mut low, mut high) = (0, u32::try_from(self.count()).expect("terms are numbered by 32 bits"));
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle).cmp(term) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// All, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0u32..).map_while(|number| ((number as usize) < self.count()).then(|| self.get(number)))
    }

    /// Whether they rise, each once.
    #[must_use]
    pub fn is_rising(&self) -> bool {
        self.iter().zip(self.iter().skip(1)).all(|(one, next)| one < next)
    }
}

impl<'t> FromIterator<&'t str> for Terms {
    /// Terms that rise.
    fn from_iter<I: IntoIterator<Item = &'t str>>(terms: I) -> Self {
        let mut found = Self::default();
        for term in terms {
            found.letters.push_str(term);
            found.ends.push(found.letters.len());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_number_and_by_its_letters() {
        let rising = ["", "a", "ab", "b", "é"];
        let terms: Terms = rising.into_iter().collect();
        assert!(terms.is_rising() && terms.iter().eq(rising));
        for (number, term) in (0u32..).zip(rising) {
            assert_eq!((terms.find(term), terms.get(number)), (Some(number), term));
        }
        assert_eq!(["aa", "zz"].map(|term| terms.find(term)), [None; 2]);
        assert_eq!(Terms::default().find("a"), None);
        assert!(!["b", "a"].into_iter().collect::<Terms>().is_rising());
    }
}
