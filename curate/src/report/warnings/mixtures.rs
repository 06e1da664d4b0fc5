//! What keeps a mixture small, what is left unused for it, and which change would help; and splits that hold out too much.

use std::collections::BTreeMap;

use pages::numbers::{decimal, share};
use serde_json::Value;

use super::{Warning, steps::hardest_step};
use crate::{
    decide::{MixtureAccount, SourceAccount, Unit, largest_whole},
    report::findings::Findings,
};

/// The share of what sources have that may be left unused before it is said.
const UNUSED: f64 = 0.5;

/// Up to so many epochs, repeated data does about as much for a model as new data (Muennighoff et al. 2023).
const GOOD_EPOCHS: f64 = 4.0;

/// What keeps mixtures small.
pub fn mixtures(findings: &Findings) -> Vec<Warning> {
    let of_mixture = |account: &MixtureAccount| {
        let recipe = &findings.manifest.recipe["mixture"][&account.mixture];
        let messages = limits(account, recipe, |source| hardest_step(findings, source));
        let warning = |message| Warning { about: format!("mixture {}", account.mixture), message };
        messages.into_iter().map(warning).collect::<Vec<_>>()
    };
    findings.mixtures.iter().flat_map(of_mixture).collect()
}

/// What keeps a mixture small: with a budget, each source that cannot fill its share; without, the source of which the others have too much.
fn limits<'f>(
    account: &MixtureAccount,
    recipe: &Value,
    hardest_step: impl Fn(&str) -> Option<(&'f str, u64, u64)>,
) -> Vec<String> {
    // weights by size follow what there is
    if !recipe["proportional"].is_null() {
        return Vec::new();
    }
    let amount = |size| amount(size, account.unit);
    let loosen = |source: &str| {
        let step = hardest_step(source)
            .map(|(step, kept, of)| format!("loosen `{step}`, which keeps {kept} of its {of} documents"));
        step.unwrap_or_else(|| "find more of it".to_owned())
    };
    if !recipe["budget"].is_null() {
        let short = account.sources.iter().filter(|(_, of)| (of.given as f64) < 0.9 * of.asked as f64);
        let says = |(source, of): (&String, &SourceAccount)| {
            let (given, asked, available) = (amount(of.given), amount(of.asked), amount(of.available));
            let enough = (of.asked as f64 / of.available as f64).ceil();
            let raise = if of.available > 0 && enough <= GOOD_EPOCHS {
                format!("raise its `max_epochs` to {enough}")
            } else {
                "lower the budget or its weight".to_owned()
            };
            format!(
                "`{source}` gives {given} of the {asked} that its weight asks for: it has {available}, to be taken {} times at most; {raise}, or {}",
                of.max_epochs,
                loosen(source)
            )
        };
        return short.map(says).collect();
    }
    // the whole that each source would allow by itself
    let allowed = |of: &SourceAccount| largest_whole(of.available, of.max_epochs, of.weight);
    let mut sources: Vec<(&String, &SourceAccount)> =
        account.sources.iter().filter(|(_, of)| of.weight > 0.0).collect();
    sources.sort_by(|one, other| allowed(one.1).total_cmp(&allowed(other.1)));
    let Some(((source, limiting), others)) = sources.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Vec::new();
    };
    let unused: u64 = others.iter().map(|(_, of)| of.available - of.given.min(of.available)).sum();
    let available = others.iter().map(|(_, of)| of.available).sum();
    let Some(share) = share(unused, available).filter(|share| *share >= UNUSED) else { return Vec::new() };
    let names: Vec<String> = others.iter().map(|(name, _)| format!("`{name}`")).collect();
    let whole: f64 = sources.iter().map(|(_, of)| of.available as f64 * of.max_epochs).sum();
    let own = limiting.available as f64 * limiting.max_epochs;
    let mut changes = Vec::new();
    let enough = (allowed(others[0].1) * limiting.weight / limiting.available as f64).ceil().min(GOOD_EPOCHS);
    if limiting.available > 0 && enough > limiting.max_epochs {
        let larger = enough / limiting.max_epochs;
        changes.push(format!("raise its `max_epochs` to {enough}, for {larger:.1} times as much"));
    }
    if own > 0.0 {
        changes.push(format!("lower its weight, to {} for all that there is", significant(own / whole)));
    }
    changes.push(loosen(source));
    let digits = usize::from(share >= 0.99); // not 100 % where something is used
    vec![format!(
        "`{source}` limits it, with {} at a weight of {}: {:.digits$} % of {} is left unused; {}",
        amount(limiting.available),
        significant(limiting.weight),
        share * 100.0,
        names.join(", "),
        changes.join(", or ")
    )]
}

/// Mixtures without rows to train on, or with as many that are held out.
pub fn splits(findings: &Findings) -> Vec<Warning> {
    let mut rows: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for entry in &findings.ledger.mixtures {
        rows.entry(&entry.mixture).or_default()[usize::from(entry.split != "train")] += entry.rows;
    }
    let warning = |(mixture, [train, held_out]): (&str, [u64; 2])| {
        let message = match (train, held_out) {
            (0, _) => "it has no row to train on".to_owned(),
            (train, held_out) if 2 * held_out >= train => format!(
                "{train} rows are to train on and {held_out} are held out: these are taken once each, whatever the weights"
            ),
            _ => return None,
        };
        Some(Warning { about: format!("mixture {mixture}"), message })
    };
    rows.into_iter().filter_map(warning).collect()
}

fn amount(size: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => decimal(size),
        Unit::Words | Unit::Tokens | Unit::Documents => format!("{size} {}", unit.name()),
    }
}

/// A share to two significant digits.
fn significant(share: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is not that small")]
    let digits = (1.0 - share.max(1e-9).log10().floor()).max(0.0) as usize;
    let written = format!("{share:.digits$}");
    written.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn source(weight: f64, available: u64, given: u64) -> SourceAccount {
        SourceAccount { weight, asked: given, available, max_epochs: 1.0, given }
    }

    fn account(web: SourceAccount, posts: SourceAccount) -> MixtureAccount {
        let sources = [("posts".to_owned(), posts), ("web".to_owned(), web)].into_iter().collect();
        MixtureAccount { mixture: "text".into(), unit: Unit::Words, sources }
    }

    fn said(account: &MixtureAccount, recipe: &Value) -> Vec<String> {
        limits(account, recipe, |name| (name == "web").then_some(("pareto", 2, 990)))
    }

    /// A Pareto draw that leaves two pages holds back twenty thousand posts.
    #[test]
    fn the_source_that_limits_a_mixture_is_named_with_what_would_help() {
        let limited = account(source(0.5, 1_000, 1_000), source(0.5, 99_000, 1_000));
        assert_eq!(
            said(&limited, &json!({ "weights": {} })),
            [
                "`web` limits it, with 1000 words at a weight of 0.5: 99 % of `posts` is left unused; raise its `max_epochs` to 4, for 4.0 \
              times as much, or lower its weight, to 0.01 for all that there is, or loosen `pareto`, which keeps 2 of its 990 documents"
            ]
        );
        let none = account(source(0.5, 0, 0), source(0.5, 99_000, 0));
        assert_eq!(
            said(&none, &json!({ "weights": {} })),
            [
                "`web` limits it, with 0 words at a weight of 0.5: 100.0 % of `posts` is left unused; loosen `pareto`, which keeps 2 of its 990 \
              documents"
            ]
        );
        let fair = account(source(0.4, 1_000, 1_000), source(0.6, 2_000, 1_500));
        assert_eq!(said(&fair, &json!({ "weights": {} })), [""; 0]);
        assert_eq!(said(&limited, &json!({ "proportional": {} })), [""; 0], "weights by size are what was asked for");
    }

    #[test]
    fn a_budget_that_a_source_cannot_fill_is_said() {
        let web = SourceAccount { asked: 3_000, ..source(0.5, 1_000, 1_000) };
        let short = account(web, source(0.5, 99_000, 3_000));
        assert_eq!(
            said(&short, &json!({ "budget": 6000 })),
            [
                "`web` gives 1000 words of the 3000 words that its weight asks for: it has 1000 words, to be taken 1 times at most; raise its \
              `max_epochs` to 3, or loosen `pareto`, which keeps 2 of its 990 documents"
            ]
        );
    }

    #[test]
    fn shares_have_two_digits_that_say_something() {
        assert_eq!([0.5, 0.0123, 0.001, 1.0].map(significant), ["0.5", "0.012", "0.001", "1"]);
    }
}
