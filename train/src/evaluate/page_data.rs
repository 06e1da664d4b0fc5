//! What the page of an evaluation is made of: results, and the worst mistakes of its samples.

use super::{
    choice::probabilities,
    compare::ComparedRun,
    figures::{Figure, Method},
    page::{self, Clean, Compared, MISTAKES, Mistake, PageData, Run, ScoreUnit},
    results::{CleanScores, Results, RunResults, TaskResults},
    sample::{Sample, in_order},
    samples_file::SampleKey,
};
use crate::metrics::mean;

/// What the page shows.
///
/// - `samples`: of each run, in the order of the results
#[must_use]
pub fn page_data(results: &Results, samples: &[(SampleKey, Vec<Sample>)]) -> PageData {
    let tasks = results.tasks.iter().flat_map(|task| task.runs.iter().map(move |run| (task, run)));
    let against = results.against.as_ref().map(|against| page::Against {
        model: against.folder.clone(),
        runs: against
            .runs
            .iter()
            .map(|run| Compared {
                task: run.task.clone(),
                template: run.template.clone(),
                shots: run.shots.clone(),
                unit: unit_of(results, run),
                other: run.other,
                own: run.own,
                test: run.test,
                differs: run.differs.clone(),
            })
            .collect(),
    });
    PageData {
        model: results.model.folder.clone(),
        version: results.version.clone(),
        runs: tasks.zip(samples).map(|((task, run), (_, samples))| run_of(task, run, samples)).collect(),
        against,
        settings: settings(results),
    }
}

fn run_of(task: &TaskResults, run: &RunResults, samples: &[Sample]) -> Run {
    let count = |count: usize| u64::try_from(count).expect("a count");
    Run {
        task: task.task.clone(),
        template: run.template.clone(),
        shots: run.shots.to_string(),
        mean_shown: run.mean_shown,
        scores: run.scores.iter().map(score).collect(),
        chance: chance(run, samples),
        clean: run.clean.as_ref().map(|CleanScores { leaked, scores }| Clean {
            leaked: count(*leaked),
            scores: scores.iter().map(score).collect(),
        }),
        calibration: run.calibration.clone(),
        skipped: run.skipped.iter().map(|(skip, count)| (skip.name().to_owned(), *count)).collect(),
        cut: [count(run.cut.prompts), count(run.cut.tokens)],
        mistakes: mistakes(run, samples),
    }
}

fn score(figure: &Figure) -> page::Score {
    page::Score {
        metric: figure.metric.clone(),
        variant: figure.scoring.map(|scoring| scoring.name().to_owned()).unwrap_or_default(),
        own: figure.own,
        unit: ScoreUnit::of(&figure.metric),
        value: figure.value,
        standard_error: figure.stderr,
        count: u64::try_from(figure.count).expect("a count"),
    }
}

/// The share of examples that would be right by guessing, where there are choices.
fn chance(run: &RunResults, samples: &[Sample]) -> Option<f64> {
    let asked = in_order(samples).into_iter();
    let asked = asked.filter(|sample| sample.skip.is_none() && run.method == Method::Choices);
    let shares: Vec<f64> = asked.map(|sample| 1.0 / sample.answers.len() as f64).collect();
    (!shares.is_empty()).then(|| mean(&shares))
}

/// What the scores of examples of a run are measured in.
fn unit_of(results: &Results, compared: &ComparedRun) -> ScoreUnit {
    let runs = results.tasks.iter().filter(|task| task.task == compared.task).flat_map(|task| &task.runs);
    let is_same = |run: &&RunResults| run.template == compared.template && run.shots.to_string() == compared.shots;
    let own = runs.filter(is_same).find_map(RunResults::own);
    own.map_or_else(ScoreUnit::default, |own| ScoreUnit::of(&own.metric))
}

/// The worst mistakes: those of the least score, and of these the ones that the model was surest of.
fn mistakes(run: &RunResults, samples: &[Sample]) -> Vec<Mistake> {
    let full = run.own().map_or(1.0, |own| if ScoreUnit::of(&own.metric) == ScoreUnit::Points { 100.0 } else { 1.0 });
    let scoring = run.own().and_then(|own| own.scoring);
    let mut wrong: Vec<(f64, f64, usize, Mistake)> = in_order(samples)
        .into_iter()
        .enumerate()
        .filter_map(|(place, sample)| {
            let score = sample.score.filter(|score| *score < full)?;
            if run.method == Method::Choices && sample.predicted == sample.gold {
                // two answers that are as likely as each other
                return None;
            }
            let both = || -> Option<[f64; 2]> {
                let each = probabilities(&sample.scored(), scoring?)?;
                Some([each[sample.predicted?], each[sample.gold?]])
            };
            let found = both();
            let surest = found.map_or(0.0, |[own, right]| own - right);
            let name = |number: Option<usize>| {
                number.and_then(|number| sample.answers.get(number)).map(|answer| answer.name.clone())
            };
            let answer = match run.method {
                Method::Choices => name(sample.predicted).unwrap_or_default(),
                Method::Generation => sample.answer.clone().unwrap_or_else(|| sample.generated.concat()),
                Method::Answer | Method::Text => return None,
            };
            let right = match run.method {
                Method::Choices => name(sample.gold).into_iter().collect(),
                _ => sample.references.clone(),
            };
            let mistake = Mistake {
                id: sample.id.clone(),
                prompt: sample.prompt.clone(),
                answer,
                right,
                score,
                probabilities: found,
            };
            Some((score, -surest, place, mistake))
        })
        .collect();
    wrong.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)).then(one.2.cmp(&other.2)));
    wrong.truncate(MISTAKES);
    wrong.into_iter().map(|(_, _, _, mistake)| mistake).collect()
}

/// How the model was asked, and what else has to be the same for scores to compare.
fn settings(results: &Results) -> Vec<(String, String)> {
    let model = &results.model;
    let mut settings: Vec<(String, String)> = [
        ("model", model.folder.clone()),
        ("SHA-256 of its weights", model.sha256.clone()),
        ("SHA-256 of its tokenizer", model.tokenizer.clone()),
        ("weights held as", model.weights.clone()),
        ("context of the model", model.context_length.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    settings.extend(model.step.map(|step| ("steps that it was trained".to_owned(), step.to_string())));
    for (name, value) in results.settings.as_object().into_iter().flatten() {
        let shown = value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"));
        settings.push((name.replace('_', " "), shown));
    }
    settings
}
