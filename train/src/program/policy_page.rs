//! The page of a policy, `report.html`: one file that needs no network and no script.
//!
//! ```text
//! metrics.jsonl         -> a sentence, a table of evaluations              -+
//!   and best of n       -> rewards over the divergence                     -+-> HTML
//! answers/              -> those before the first step and after the last  -+
//! ```
//!
//! It holds no time, and what is in it is bounded.
//!
//! Useful for: whether a reward was worth its divergence, and whether answers deserve it. Not useful for: the course of each step; that is in
//! `metrics.jsonl` and on the dashboard.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead as _, BufReader, ErrorKind},
    path::Path,
};

use maud::{Markup, html};
use pages::{
    Page, Section,
    charts::{Axis, Chart, Colour, Line, LinePoint, Lines, Scale, Stroke, Unit},
    numbers::{grouped, percent},
    table::{Cell, Column, Table},
    tile,
};
use serde::Deserialize;
use system::AtomicFile;

use super::{
    answers_side_by_side::{Headed, answers_side_by_side},
    best_of_n::BestOfN,
    judged_answers::{self, JudgedAnswer},
};
use crate::{
    error::{Error, Result},
    metrics::{mean, stderr_of_mean},
};

/// The name of the file.
const FILE: &str = "report.html";

/// Evaluations in the table and in the chart, at most.
const MOST_EVALUATIONS: usize = 60;

/// Prompts whose answers are shown, at most.
const MOST_PROMPTS: usize = 12;

/// What a policy was judged by after so many steps, as a line of the log has it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct Evaluation {
    step: u64,
    validation_reward: f64,
    validation_gold_reward: Option<f64>,
    validation_kl: f64,
    validation_answer_tokens: f64,
    validation_ended: f64,
    validation_prompts: u64,
    text_loss: Option<f64>,
}

/// What the page shows.
struct PolicyPage<'p> {
    name: &'p str,
    /// What a sentence is made of.
    ends: [Evaluation; 2],
    /// Some of all, by their steps.
    evaluations: Vec<Evaluation>,
    /// The one with the highest gold reward, where that has fallen since.
    exploited: Option<Exploited>,
    best_of_n: &'p [BestOfN],
    /// Answers before the first step, and after the last at which the policy was judged.
    answers: [&'p [JudgedAnswer]; 2],
}

/// A gold reward that has fallen while the reward rose.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Exploited {
    highest: Evaluation,
    /// How far the gold reward of an answer has fallen since, and the standard error of that.
    fall: [f64; 2],
}

/// Writes the page of the training in a folder; none, where the policy was not judged yet.
///
/// # Errors
/// When what it shows cannot be read, or the page cannot be written.
pub(super) fn write(out: &Path, best_of_n: &[BestOfN]) -> Result<()> {
    let all = evaluations(&out.join("metrics.jsonl"))?;
    judged_answers::remove_others(out, &all.iter().map(|evaluation| evaluation.step).collect::<Vec<_>>())?;
    // those on other prompts do not compare
    let Some(last) = all.last().copied() else { return Ok(()) };
    let all: Vec<Evaluation> =
        all.into_iter().filter(|evaluation| evaluation.validation_prompts == last.validation_prompts).collect();
    let first = all[0];
    let [before, after] = [judged_answers::read(out, first.step)?, judged_answers::read(out, last.step)?];
    let name = out.file_name().unwrap_or(out.as_os_str()).to_string_lossy();
    let exploited = exploited(&all, |step| judged_answers::read(out, step))?;
    let page = PolicyPage {
        name: &name,
        ends: [first, last],
        evaluations: thinned(&all, exploited.map(|exploited| exploited.highest.step)),
        exploited,
        best_of_n,
        answers: [&before[..], if last.step == first.step { &[] } else { &after[..] }],
    };
    Ok(AtomicFile::write_whole(&out.join(FILE), page.html().as_bytes())?)
}

/// The evaluations of a log, in their order; other lines are passed over.
fn evaluations(metrics: &Path) -> Result<Vec<Evaluation>> {
    let file = match File::open(metrics) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => BufReader::new(file.map_err(Error::file("read", metrics))?),
    };
    let mut found = Vec::new();
    for line in file.lines() {
        found.extend(serde_json::from_str::<Evaluation>(&line.map_err(Error::file("read", metrics))?).ok());
    }
    Ok(found)
}

/// Some of the evaluations, the first, the last and one more among them, where there are many.
///
/// - `more`: the step of one
fn thinned(evaluations: &[Evaluation], more: Option<u64>) -> Vec<Evaluation> {
    let count = evaluations.len();
    let shown = count.min(MOST_EVALUATIONS);
    let mut places: BTreeSet<usize> = (0..shown).map(|place| place * (count - 1) / (shown - 1).max(1)).collect();
    places.extend(evaluations.iter().position(|evaluation| Some(evaluation.step) == more));
    places.into_iter().map(|place| evaluations[place]).collect()
}

/// The evaluation with the highest gold reward, where that has fallen since while the reward rose: by more than two standard errors of the
/// difference, answer by answer, since the highest of many is so by chance, too.
///
/// - `answers`: those after a step
fn exploited(
    evaluations: &[Evaluation],
    answers: impl Fn(u64) -> Result<Vec<JudgedAnswer>>,
) -> Result<Option<Exploited>> {
    let gold = |evaluation: &&Evaluation| evaluation.validation_gold_reward.unwrap_or(f64::NEG_INFINITY);
    let highest = evaluations.iter().max_by(|one, other| gold(one).total_cmp(&gold(other)));
    let (Some(highest), Some(last)) = (highest, evaluations.last()) else { return Ok(None) };
    if highest.step == last.step || last.validation_reward <= highest.validation_reward {
        return Ok(None);
    }
    let (before, after) = (answers(highest.step)?, answers(last.step)?);
    let falls = before.iter().zip(&after).filter(|(one, other)| one.prompt == other.prompt);
    let falls: Vec<f64> = falls.filter_map(|(one, other)| Some(one.gold_reward? - other.gold_reward?)).collect();
    let Some(error) = stderr_of_mean(&falls) else { return Ok(None) };
    let fall = [mean(&falls), error];
    Ok((fall[0] > 2.0 * error).then_some(Exploited { highest: *highest, fall }))
}

impl PolicyPage<'_> {
    fn html(&self) -> String {
        let sections = [Some(self.rewards()), Some(self.table()), self.side_by_side()];
        let page = Page {
            title: self.name,
            kind: "a policy",
            lead: self.lead(),
            sections: sections.into_iter().flatten().collect(),
        };
        page.html()
    }

    fn has_gold(&self) -> bool {
        self.ends.iter().any(|evaluation| evaluation.validation_gold_reward.is_some())
    }

    fn lead(&self) -> Markup {
        let [first, last] = self.ends;
        html! {
            p.verdict {
                "After " b { (grouped(last.step)) " steps" } " the mean reward of its answers to "
                (grouped(last.validation_prompts)) " prompts that it does not learn from is " b { (number(last.validation_reward, 3)) }
                "; at the beginning it was " (number(first.validation_reward, 3)) ". It has moved " b { (number(last.validation_kl, 2)) " nats" }
                " an answer from the model that it began as."
            }
            @if let Some(Exploited { highest, fall: [fall, error] }) = self.exploited {
                p.warning {
                    "The gold reward was highest, " (number(highest.validation_gold_reward.unwrap_or_default(), 3)) ", after "
                    (grouped(highest.step)) " steps, at " (number(highest.validation_kl, 2)) " nats. Since then it has fallen by "
                    (number(fall, 3)) " (standard error " (number(error, 3)) "), while the reward went on rising: the reward is exploited."
                }
            }
            ul.tiles {
                (tile(&number(last.validation_reward, 3), "reward"))
                @if let Some(gold) = last.validation_gold_reward { (tile(&number(gold, 3), "gold reward")) }
                (tile(&number(last.validation_kl, 2), "nats of KL divergence"))
                @if let Some(loss) = last.text_loss { (tile(&number(loss, 4), "text loss")) }
                (tile(&percent(last.validation_ended), "of answers ended"))
            }
        }
    }

    /// Rewards over the divergence: of the policy, and of the best of n. A gold reward has a unit of its own, and so a chart.
    fn rewards(&self) -> Section {
        let name = if self.has_gold() { "proxy reward" } else { "reward" };
        let chart =
            self.chart("rewards-chart", name, |policy| Some(policy.validation_reward), |best| Some(best.reward));
        let of_gold = |policy: &Evaluation| policy.validation_gold_reward;
        let gold = self.has_gold().then(|| self.chart("gold-chart", "gold reward", of_gold, |best| best.gold_reward));
        Section {
            id: "rewards",
            title: "Rewards",
            says: if gold.is_some() {
                "What answers are worth, by how far the policy that gives them is from the model that it began as: a point is an evaluation, and a line \
                 goes from one to the next. The divergence is an estimate, which may be below 0 and is drawn at 0. The best of n answers of that model \
                 costs no training, and at most the divergence at which it is drawn; a policy usually pays more for the same reward. A gold reward \
                 that falls while the proxy rises is a proxy that is exploited: the policy was best where the gold was highest."
            } else {
                "What answers are worth, by how far the policy that gives them is from the model that it began as: a point is an evaluation, and a line \
                 goes from one to the next. The divergence is an estimate, which may be below 0 and is drawn at 0. The best of n answers of that model \
                 costs no training, and at most the divergence at which it is drawn; a policy usually pays more for the same reward."
            },
            body: html! { (chart) @if let Some(gold) = gold { (gold) } },
        }
    }

    /// One reward over the divergence.
    fn chart(
        &self,
        id: &str,
        name: &str,
        of_policy: impl Fn(&Evaluation) -> Option<f64>,
        of_best: impl Fn(&BestOfN) -> Option<f64>,
    ) -> Chart {
        let point = |along: f64, value: Option<f64>, whose: String| {
            let value = value?;
            Some(LinePoint {
                along,
                value,
                shown: format!("{} at {} nats, {whose}", number(value, 3), number(along, 2)),
            })
        };
        let policy = self.evaluations.iter().filter_map(|evaluation| {
            point(evaluation.validation_kl, of_policy(evaluation), format!("step {}", evaluation.step))
        });
        let best =
            self.best_of_n.iter().filter_map(|best| point(best.kl, of_best(best), format!("best of {}", best.n)));
        let lines: Vec<Line> = [
            ("policy", Colour::Series(0), Stroke::Solid, policy.collect::<Vec<_>>()),
            ("best of n", Colour::Series(1), Stroke::Dashed, best.collect()),
        ]
        .into_iter()
        .filter(|(.., points)| !points.is_empty())
        .map(|(what, colour, stroke, points)| Line {
            what: what.to_owned(),
            colour,
            stroke: Some(stroke),
            has_points: true,
            points,
        })
        .collect();
        let points = || lines.iter().flat_map(|line| &line.points);
        let most = points().map(|point| point.along).fold(0.0, f64::max);
        let scale = Scale::Root { most: if most > 0.0 { most } else { 1.0 } };
        let below = Axis::new("KL divergence (nats, square-root scale)", scale, Unit::Number);
        let left = Axis::new(name, Scale::around(points().map(|point| point.value)), Unit::Number);
        let ends = |line: &Line| {
            let shown: Vec<&str> =
                [line.points.first(), line.points.last()].into_iter().flatten().map(|point| &point.shown[..]).collect();
            format!("{} from {}", line.what, shown.join(" to "))
        };
        let label =
            format!("Lines: {name} over the KL divergence. {}.", lines.iter().map(ends).collect::<Vec<_>>().join("; "));
        Chart::of_lines(id, label, &Lines { below, left, lines })
    }

    fn table(&self) -> Section {
        let has_gold = self.has_gold();
        let has_texts = self.evaluations.iter().any(|evaluation| evaluation.text_loss.is_some());
        let columns = ["step", "reward", "gold reward", "KL divergence", "text loss", "tokens", "ended"];
        let is_there = |name: &str| (has_gold || name != "gold reward") && (has_texts || name != "text loss");
        let row = |evaluation: &Evaluation| {
            let cells = [
                Cell::count(evaluation.step),
                decimal(Some(evaluation.validation_reward), 4),
                decimal(evaluation.validation_gold_reward, 4),
                decimal(Some(evaluation.validation_kl), 3),
                decimal(evaluation.text_loss, 4),
                Cell::decimal(evaluation.validation_answer_tokens, 1),
                Cell::share(evaluation.validation_ended),
            ];
            columns.into_iter().zip(cells).filter(|(name, _)| is_there(name)).map(|(_, cell)| cell).collect()
        };
        let rows = self.evaluations.iter().map(row).collect();
        let shown: Vec<Column<'_>> = columns.into_iter().filter(|name| is_there(name)).map(Column::Numbers).collect();
        let caption = html! { "What the policy was judged by, on prompts that it does not learn from." };
        let table = Table { id: "evaluations-table", caption, columns: &shown, rows };
        Section {
            id: "evaluations",
            title: "Evaluations",
            says: if has_texts {
                "The divergence and the tokens are those of an answer; the text loss is on texts that the policy should not forget, in nats a token."
            } else {
                "The divergence and the tokens are those of an answer."
            },
            body: html! { (table) },
        }
    }

    fn side_by_side(&self) -> Option<Section> {
        let [before, after] = self.answers;
        if before.is_empty() {
            return None;
        }
        let headed = |when: &str, judged: &JudgedAnswer| {
            let gold = judged.gold_reward.map(|gold| format!(", gold {}", number(gold, 2))).unwrap_or_default();
            format!("{when}: {}{gold}", number(judged.reward, 2))
        };
        let prompt = |place: usize| {
            // they are the same prompts in the same order, unless others were asked since
            let after = after.get(place).filter(|after| after.prompt == before[place].prompt);
            let answers: Vec<Headed<'_>> = [("before", before.get(place)), ("after", after)]
                .into_iter()
                .filter_map(|(when, judged)| {
                    let judged = judged?;
                    Some(Headed { heading: headed(when, judged), answer: &judged.answer })
                })
                .collect();
            answers_side_by_side(&before[place].prompt, place < 3, &answers, None)
        };
        Some(Section {
            id: "answers",
            title: "Answers",
            says: "What the policy answered to prompts that it does not learn from, before the first step and at the last evaluation, with its rewards: drawn \
                   with the same seed. All answers stand in the folder answers.",
            body: html! { @for place in 0..before.len().min(MOST_PROMPTS) { (prompt(place)) } },
        })
    }
}

/// A number as it is written, with a sign that is as wide as a digit, and none before a 0.
fn number(value: f64, digits: usize) -> String {
    let written = format!("{value:.digits$}");
    let is_zero = written.chars().all(|letter| matches!(letter, '-' | '0' | '.'));
    written.replace('-', if is_zero { "" } else { "−" })
}

fn decimal(value: Option<f64>, digits: usize) -> Cell {
    value.map_or(Cell::Empty, |value| Cell::Number(number(value, digits), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(step: u64, reward: f64, gold: Option<f64>) -> Evaluation {
        Evaluation {
            step,
            validation_reward: reward,
            validation_gold_reward: gold,
            validation_kl: step as f64 / 10.0,
            validation_answer_tokens: 8.0,
            validation_ended: 0.5,
            validation_prompts: 64,
            text_loss: None,
        }
    }

    fn judged(gold: &[f64]) -> Vec<JudgedAnswer> {
        let answer = |(place, gold): (usize, &f64)| JudgedAnswer {
            prompt: format!("a < b {place}"),
            answer: if place == 0 { String::new() } else { "<script>alert(1)</script>\u{7}".to_owned() },
            reward: -0.5,
            gold_reward: Some(*gold),
            kl: 0.0,
            ended: true,
        };
        gold.iter().enumerate().map(answer).collect()
    }

    fn page(evaluations: &[Evaluation], exploited: Option<Exploited>) -> String {
        let answers = judged(&[0.25, 0.5]);
        let best_of_n =
            [1, 2].map(|n| BestOfN { n, kl: n as f64 - 1.0, reward: 0.5, gold_reward: None, key: String::new() });
        PolicyPage {
            name: "a & b",
            ends: [evaluations[0], evaluations[evaluations.len() - 1]],
            evaluations: thinned(evaluations, None),
            exploited,
            best_of_n: &best_of_n,
            answers: [&answers, &answers],
        }
        .html()
    }

    /// A gold reward that falls while the reward rises is said; one that rises, too, or that falls within what chance does, is not.
    #[test]
    fn a_reward_that_is_exploited_is_said() -> Result<()> {
        let [start, peak, end] = [(0, -1.0, -1.0), (10, 0.0, 0.5), (20, 1.0, -0.25)]
            .map(|(step, reward, gold)| evaluation(step, reward, Some(gold)));
        let found = |evaluations: &[Evaluation], after: &[f64]| {
            exploited(evaluations, |step| Ok(judged(if step == 20 { after } else { &[0.5; 4] })))
        };
        let all = [start, peak, end];
        let fallen = found(&all, &[-0.25, -0.5, -0.25, 0.0])?;
        assert_eq!(fallen.map(|fallen| (fallen.highest.step, fallen.fall[0])), Some((10, 0.75)));
        assert_eq!(found(&all, &[-3.0, 4.0, -3.0, 3.0])?, None, "one cannot tell");
        assert_eq!(found(&all[..2], &[])?, None);
        let page = page(&all, fallen);
        let said =
            "The gold reward was highest, 0.500, after 10 steps, at 1.00 nats. Since then it has fallen by 0.750";
        for part in
            [said, "a &amp; b", "a &lt; b", "before: −0.50, gold 0.25", "&lt;script&gt;alert", "nothing", "gold-chart"]
        {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(
            !page.contains("://") && !page.contains("NaN") && !page.contains("text loss") && !page.contains('\u{7}')
        );
        Ok(())
    }

    #[test]
    fn of_many_evaluations_some_are_shown() {
        let all: Vec<Evaluation> = (0..1000).map(|step| evaluation(step, 0.0, None)).collect();
        let shown = thinned(&all, Some(7));
        assert_eq!((shown.len(), shown[0].step, shown[shown.len() - 1].step), (MOST_EVALUATIONS + 1, 0, 999));
        assert!(shown.iter().any(|evaluation| evaluation.step == 7));
        assert_eq!([thinned(&all[..2], None).len(), thinned(&all[..1], None).len()], [2, 1]);
        let page = page(&all[..1], None);
        assert!(!page.contains("NaN") && !page.contains("gold-chart"), "{page}");
        assert_eq!([number(-0.001, 2), number(-0.25, 1), number(0.0, 0)], ["0.00", "−0.2", "0"]);
    }
}
