//! What whoever reads the page should know first.

use super::data::{PageData, Run};

/// The share of prompts above which it is said that they were cut, and of examples from which it is said that they have no score.
const CUT: f64 = 0.01;
const WITHOUT_SCORE: f64 = 0.05;

/// Names that are said one after the other, at most.
const NAMES: usize = 5;

/// What is said, and of which runs.
type Check = (&'static str, fn(&Run) -> bool);

/// Whatever there is to know, with the runs that it is about.
pub fn warnings(data: &PageData) -> Vec<String> {
    let checks: [Check; 3] = [
        ("No better than guessing, as far as so few examples can tell", is_guessing),
        ("More than 1 % of the prompts found no room in the model's context and lost their beginning", is_cut),
        ("5 % of the examples or more have no score", is_without_score),
    ];
    let said = |(what, is): &Check| {
        let runs: Vec<&Run> = data.runs.iter().filter(|run| is(run)).collect();
        (!runs.is_empty()).then(|| format!("{what}: {}.", names(&runs, &data.runs)))
    };
    checks.iter().filter_map(said).collect()
}

fn is_guessing(run: &Run) -> bool {
    let (Some(score), Some(chance)) = (run.own(), run.chance) else { return false };
    score.interval().is_some_and(|[low, _]| low <= chance)
}

fn is_cut(run: &Run) -> bool {
    run.cut[0] as f64 > CUT * run.examples() as f64
}

fn is_without_score(run: &Run) -> bool {
    let skipped = run.skips() as f64;
    skipped > 0.0 && skipped >= WITHOUT_SCORE * (run.examples() as f64 + skipped)
}

/// The runs by their tasks, with the numbers of demonstrations.
fn names(runs: &[&Run], all: &[Run]) -> String {
    let mut names: Vec<(String, Vec<&str>)> = Vec::new();
    for run in runs {
        let name = run.name(all);
        match names.last_mut() {
            Some((last, shots)) if *last == name => shots.push(&run.shots),
            _ => names.push((name, vec![&run.shots])),
        }
    }
    let each = names.iter().take(NAMES).map(|(name, shots)| format!("{name} (demonstrations: {})", shots.join(", ")));
    let more = names.len().checked_sub(NAMES).filter(|more| *more > 0).map(|more| format!("{more} more"));
    each.chain(more).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{
        super::data::{Score, ScoreUnit},
        *,
    };

    #[test]
    fn what_is_said_has_its_reason() {
        let run = |shots: &str, value: f64| Run {
            task: "rte".to_owned(),
            shots: shots.to_owned(),
            chance: Some(0.5),
            scores: vec![Score {
                own: true,
                unit: ScoreUnit::Share,
                value,
                standard_error: Some(0.02),
                count: 95,
                ..Score::default()
            }],
            ..Run::default()
        };
        let data = |runs| PageData { runs, ..PageData::default() };
        assert_eq!(warnings(&data(vec![run("0", 0.6)])), Vec::<String>::new());
        let guessing = warnings(&data(vec![run("0", 0.53), run("4", 0.6), run("max", 0.4)]));
        assert!(guessing[0].ends_with("tell: rte (demonstrations: 0, max)."), "{guessing:?}");
        let skipped = Run { skipped: vec![("no_answer".to_owned(), 5)], cut: [1, 7], ..run("0", 0.9) };
        let found = warnings(&data(vec![skipped]));
        assert!(found.len() == 2 && found[0].starts_with("More") && found[1].starts_with("5 %"), "{found:?}");
    }
}
