//! What a labeler says of an item, and the columns in which that stands.
//!
//! ```text
//! kind             value            skip
//! ranking          [2,1,2,4]                        a rank for each answer, in the answers' own order
//! demonstration    what they wrote
//! skip                              unclear         why; `other: ` goes before words of their own
//! undo                                              of the judgment before
//! ```

use super::Kind;

/// Characters of a reason, at most.
const LONGEST_REASON: usize = 1000;

/// What the kind of a judgment is called that takes another one back.
pub const UNDO: &str = "undo";

const RANKING: &str = "ranking";
const DEMONSTRATION: &str = "demonstration";
const SKIP: &str = "skip";

/// What a labeler says of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The rank of each answer, in their own order: 1 is the best, and equal ones are ties.
    Ranks(Vec<i64>),
    /// What they would answer.
    Text(String),
    /// Why they say nothing of it.
    Skip(String),
}

impl Verdict {
    /// That it is one of what is asked for.
    ///
    /// - `answers`: how many there are
    ///
    /// # Errors
    /// When it is not: in words.
    pub fn check(&self, kind: Kind, answers: usize) -> Result<(), String> {
        match (self, kind) {
            (Self::Ranks(ranks), Kind::Rankings) => {
                if ranks.len() != answers {
                    return Err(format!("it ranks {} answers, and there are {answers}", ranks.len()));
                }
                let most = i64::try_from(answers).unwrap_or(i64::MAX);
                match ranks.iter().find(|rank| !(1..=most).contains(*rank)) {
                    Some(rank) => Err(format!("it has the rank {rank}, and ranks go from 1 to {most}")),
                    None => Ok(()),
                }
            }
            (Self::Text(text), Kind::Demonstrations) => {
                if text.trim().is_empty() {
                    Err("the demonstration is empty".into())
                } else {
                    Ok(())
                }
            }
            (Self::Skip(reason), _) => match reason.chars().count() {
                0 => Err("the reason is empty".into()),
                length if length > LONGEST_REASON => {
                    Err(format!("the reason has {length} characters, and may have {LONGEST_REASON}"))
                }
                _ if reason.chars().any(char::is_control) => {
                    Err("the reason has characters that cannot be seen, such as a line break".into())
                }
                _ => Ok(()),
            },
            (Self::Ranks(_), Kind::Demonstrations) => Err("it is a ranking, and demonstrations are asked for".into()),
            (Self::Text(_), Kind::Rankings) => Err("it is a demonstration, and rankings are asked for".into()),
        }
    }

    /// The same with ranks in the answers' own order, where they are in the order in which those are shown.
    ///
    /// - `shown`: the place of each answer on the page
    #[must_use]
    pub fn in_own_order(self, shown: &[u32]) -> Self {
        match self {
            Self::Ranks(ranks) => Self::Ranks(shown.iter().map(|place| ranks[*place as usize]).collect()),
            other => other,
        }
    }

    /// The same with ranks in the order in which answers are shown, where they are in their own.
    ///
    /// - `shown`: the place of each answer on the page
    #[must_use]
    pub fn in_shown_order(self, shown: &[u32]) -> Self {
        match self {
            Self::Ranks(ranks) => {
                let mut placed: Vec<(u32, i64)> = shown.iter().copied().zip(ranks).collect();
                placed.sort_unstable();
                Self::Ranks(placed.into_iter().map(|(_, rank)| rank).collect())
            }
            other => other,
        }
    }

    /// The columns `kind`, `value` and `skip`.
    pub fn columns(&self) -> (&'static str, Option<String>, Option<&str>) {
        match self {
            Self::Ranks(ranks) => (RANKING, Some(serde_json::json!(ranks).to_string()), None),
            Self::Text(text) => (DEMONSTRATION, Some(text.clone()), None),
            Self::Skip(reason) => (SKIP, None, Some(reason)),
        }
    }

    /// What stands in these columns; none in those of an undoing.
    ///
    /// # Errors
    /// When they hold nothing of the kind.
    pub fn of_columns(kind: &str, value: Option<String>, skip: Option<String>) -> Result<Option<Self>, String> {
        match (kind, value, skip) {
            (RANKING, Some(ranks), None) => match serde_json::from_str(&ranks) {
                Ok(ranks) => Ok(Some(Self::Ranks(ranks))),
                Err(_) => Err(format!("its ranks are {ranks:?}, and no list of whole numbers")),
            },
            (DEMONSTRATION, Some(text), None) => Ok(Some(Self::Text(text))),
            (SKIP, None, Some(reason)) => Ok(Some(Self::Skip(reason))),
            (UNDO, None, None) => Ok(None),
            (RANKING | DEMONSTRATION | SKIP | UNDO, value, skip) => {
                let holds = |is_there: bool| if is_there { "a" } else { "no" };
                let (value, skip) = (holds(value.is_some()), holds(skip.is_some()));
                Err(format!("a judgment of the kind {kind} has {value} value and {skip} skip"))
            }
            _ => Err(format!("its kind is {kind:?}, which nothing is called")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_what_its_columns_hold() {
        for verdict in
            [Verdict::Ranks(vec![2, 1, 2]), Verdict::Text(" a\n".into()), Verdict::Skip("other: too long".into())]
        {
            let (kind, value, skip) = verdict.columns();
            assert_eq!(Verdict::of_columns(kind, value, skip.map(str::to_owned)), Ok(Some(verdict)));
        }
        assert_eq!(Verdict::of_columns(UNDO, None, None), Ok(None));
        for (kind, value, message) in [
            ("ranking", Some("1, 2"), "its ranks are \"1, 2\", and no list of whole numbers"),
            ("ranking", None, "a judgment of the kind ranking has no value and no skip"),
            ("undo", Some("x"), "a judgment of the kind undo has a value and no skip"),
            ("praise", None, "its kind is \"praise\", which nothing is called"),
        ] {
            let found = Verdict::of_columns(kind, value.map(str::to_owned), None);
            assert_eq!(found, Err(message.to_owned()));
        }
    }

    #[test]
    fn ranks_go_with_their_answers() {
        // the first answer is shown last
        let shown = [2, 0, 1];
        let own = Verdict::Ranks(vec![3, 1, 2]).in_own_order(&shown);
        assert_eq!(own, Verdict::Ranks(vec![2, 3, 1]));
        assert_eq!(own.in_shown_order(&shown), Verdict::Ranks(vec![3, 1, 2]));
        let text = Verdict::Text("a".into());
        assert_eq!(text.clone().in_own_order(&shown), text);
    }

    #[test]
    fn a_verdict_fits_what_was_asked_for() {
        let ranks = |ranks: &[i64]| Verdict::Ranks(ranks.to_vec()).check(Kind::Rankings, 3);
        assert_eq!((ranks(&[1, 1, 1]), ranks(&[3, 1, 2])), (Ok(()), Ok(())));
        assert_eq!(ranks(&[1, 2]), Err("it ranks 2 answers, and there are 3".into()));
        assert_eq!(ranks(&[1, 0, 2]), Err("it has the rank 0, and ranks go from 1 to 3".into()));
        assert_eq!(ranks(&[1, 4, 2]), Err("it has the rank 4, and ranks go from 1 to 3".into()));
        assert!(Verdict::Text(" \n".into()).check(Kind::Demonstrations, 0).is_err());
        assert!(Verdict::Text("a".into()).check(Kind::Rankings, 3).is_err());
        assert!(Verdict::Ranks(vec![]).check(Kind::Demonstrations, 0).is_err());
        assert!(Verdict::Skip(String::new()).check(Kind::Rankings, 3).is_err());
        assert!(Verdict::Skip("x".repeat(1001)).check(Kind::Rankings, 3).is_err());
    }
}
