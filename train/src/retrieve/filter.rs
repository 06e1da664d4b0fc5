//! Which passages may be found at all.

use super::segment::Facts;

/// What a passage's document has to be; what is empty asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these sources.
    pub sources: Vec<String>,
    /// One of these languages.
    pub languages: Vec<String>,
    /// Of this date or later; dates are compared as texts, such as 2026-11-30.
    pub since: Option<String>,
    /// Before this date.
    pub before: Option<String>,
}

impl Filter {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a passage may be found. One that does not say what is asked for may not.
    #[must_use]
    pub fn allows(&self, facts: &Facts) -> bool {
        let one_of = |wanted: &[String], found: &Option<String>| {
            wanted.is_empty() || found.as_ref().is_some_and(|found| wanted.contains(found))
        };
        let date = |is_in_time: &dyn Fn(&str) -> bool| facts.date.as_deref().is_some_and(is_in_time);
        one_of(&self.sources, &facts.source)
            && one_of(&self.languages, &facts.language)
            && self.since.as_deref().is_none_or(|since| date(&|found| found >= since))
            && self.before.as_deref().is_none_or(|before| date(&|found| found < before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_say_what_is_asked_for_is_not_found() {
        let facts = Facts { source: Some("forum".into()), date: Some("2026-11-30T08:00:00Z".into()), language: None };
        let filter = |sources: &[&str], languages: &[&str], since: Option<&str>, before: Option<&str>| Filter {
            sources: sources.iter().map(|source| (*source).to_owned()).collect(),
            languages: languages.iter().map(|language| (*language).to_owned()).collect(),
            since: since.map(str::to_owned),
            before: before.map(str::to_owned),
        };
        assert!(Filter::default().is_none() && Filter::default().allows(&facts));
        assert!(filter(&["web", "forum"], &[], Some("2026-11-30"), Some("2026-12")).allows(&facts));
        assert!(!filter(&["web"], &[], None, None).allows(&facts));
        assert!(!filter(&[], &["en"], None, None).allows(&facts), "it does not say its language");
        assert!(!filter(&[], &[], Some("2026-12-01"), None).allows(&facts));
        assert!(!filter(&[], &[], None, Some("2026-11-30")).allows(&facts));
    }
}
