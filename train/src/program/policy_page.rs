//! The page of a policy, `report.html`: one file that needs no network and no script.
//!
//! ```text
//! metrics.jsonl        -> a sentence, a table of evaluations    -+
//!   and best_of_n.jsonl -> rewards over the divergence          -+-> HTML
//! answers/             -> those before the first step, and after the last, side by side
//! ```
//!
//! It holds no time, and what is in it is bounded.
//!
//! Useful for: whether a reward was worth its divergence, and whether answers deserve it. Not useful for: the course of each step; that is in
//! `metrics.jsonl` and on the dashboard.

use std::path::Path;

use maud::{Markup, html};
use pages::{
    Page, Section,
    charts::{Axis, Chart, Colour, Line, LinePoint, Lines, Scale, Stroke, Unit},
    numbers::{grouped, percent},
    table::{Cell, Column, Table},
    tile,
};
use serde::Deserialize;
use serde_json::Value;
use system::AtomicFile;

use super::{
    answers_side_by_side::{Headed, answers_side_by_side},
    best_of_n::{self, BestOfN},
    json_rows,
    judged_answers::{self, JudgedAnswer},
};
use crate::error::Result;

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
    evaluations: &'p [Evaluation],
    best_of_n: &'p [BestOfN],
    /// Answers before the first step, and after the last at which the policy was judged.
    answers: [&'p [JudgedAnswer]; 2],
}

/// Writes the page of the training in a folder; none, where the policy was not judged yet.
///
/// # Errors
/// When what it shows cannot be read, or the page cannot be written.
pub(super) fn write(out: &Path) -> Result<()> {
    let lines: Vec<Value> = json_rows::read(&out.join("metrics.jsonl"))?;
    let evaluations: Vec<Evaluation> = lines.iter().filter_map(|line| Evaluation::deserialize(line).ok()).collect();
    let [Some(first), Some(last)] = [evaluations.first(), evaluations.last()] else { return Ok(()) };
    let best_of_n: Vec<BestOfN> = json_rows::read(&out.join(best_of_n::FILE))?;
    let [before, after] = [judged_answers::read(out, first.step)?, judged_answers::read(out, last.step)?];
    let name = out.file_name().unwrap_or(out.as_os_str()).to_string_lossy();
    let answers = [&before[..], if last.step == first.step { &[] } else { &after[..] }];
    let page = PolicyPage { name: &name, evaluations: &thinned(&evaluations), best_of_n: &best_of_n, answers };
    Ok(AtomicFile::write_whole(&out.join(FILE), page.html().as_bytes())?)
}

/// Some of the evaluations, the first and the last among them, where there are many.
fn thinned(evaluations: &[Evaluation]) -> Vec<Evaluation> {
    let count = evaluations.len();
    let shown = count.min(MOST_EVALUATIONS);
    (0..shown).map(|place| evaluations[place * (count - 1) / (shown - 1).max(1)]).collect()
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

    fn first(&self) -> &Evaluation {
        self.evaluations.first().expect("it was judged")
    }

    fn last(&self) -> &Evaluation {
        self.evaluations.last().expect("it was judged")
    }

    /// The evaluation with the highest gold reward, where that has fallen since while the reward rose.
    fn exploited(&self) -> Option<(&Evaluation, f64, f64)> {
        let gold = |evaluation: &Evaluation| evaluation.validation_gold_reward;
        let best = self.evaluations.iter().max_by(|one, other| {
            let of = |evaluation| gold(evaluation).unwrap_or(f64::NEG_INFINITY);
            of(one).total_cmp(&of(other))
        })?;
        let (highest, now) = (gold(best)?, gold(self.last())?);
        let has_fallen = now < highest && self.last().validation_reward > best.validation_reward;
        has_fallen.then_some((best, highest, now))
    }

    fn lead(&self) -> Markup {
        let (first, last) = (self.first(), self.last());
        html! {
            p.verdict {
                "After " b { (grouped(last.step)) " steps" } " the mean reward of its answers to "
                (grouped(last.validation_prompts)) " prompts that it does not learn from is " b { (number(last.validation_reward, 3)) }
                "; at the beginning it was " (number(first.validation_reward, 3)) ". It has moved " b { (number(last.validation_kl, 2)) " nats" }
                " an answer from the model that it began as."
            }
            @if let Some((best, highest, now)) = self.exploited() {
                p.warning {
                    "The gold reward was highest, " (number(highest, 3)) ", after " (grouped(best.step)) " steps, at " (number(best.validation_kl, 2))
                    " nats, and is " (number(now, 3)) " now, while the reward went on rising: it is exploited."
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

    /// Rewards over the divergence: of the policy, and of the best of n.
    fn rewards(&self) -> Section {
        let of_policy = |reward: fn(&Evaluation) -> Option<f64>| {
            let point = |evaluation: &Evaluation| {
                let (along, value) = (evaluation.validation_kl, reward(evaluation)?);
                let shown = format!("{} at {} nats, step {}", number(value, 3), number(along, 2), evaluation.step);
                Some(LinePoint { along, value, shown })
            };
            self.evaluations.iter().filter_map(point).collect::<Vec<_>>()
        };
        let of_best = |reward: fn(&BestOfN) -> Option<f64>| {
            let point = |best: &BestOfN| {
                let (along, value) = (best.kl, reward(best)?);
                let shown = format!("{} at {} nats, best of {}", number(value, 3), number(along, 2), best.n);
                Some(LinePoint { along, value, shown })
            };
            self.best_of_n.iter().filter_map(point).collect::<Vec<_>>()
        };
        let (reward, gold) = (Colour::Series(0), Colour::Series(1));
        let lines: Vec<Line> = [
            ("reward", reward, Stroke::Solid, of_policy(|evaluation| Some(evaluation.validation_reward))),
            ("gold reward", gold, Stroke::DashDot, of_policy(|evaluation| evaluation.validation_gold_reward)),
            ("reward, best of n", reward, Stroke::Dashed, of_best(|best| Some(best.reward))),
            ("gold reward, best of n", gold, Stroke::Dotted, of_best(|best| best.gold_reward)),
        ]
        .into_iter()
        .filter(|(.., points)| !points.is_empty())
        .map(|(what, colour, stroke, points)| Line { what: what.to_owned(), colour, stroke, points })
        .collect();
        let points = || lines.iter().flat_map(|line| &line.points);
        let most = points().map(|point| point.along).fold(0.0, f64::max);
        let below = Axis::new(
            "KL divergence in nats, by its root",
            Scale::Root { most: if most > 0.0 { most } else { 1.0 } },
            Unit::Number,
        );
        let left = Axis::new("reward", Scale::around(points().map(|point| point.value)), Unit::Number);
        let ends = |line: &Line| {
            let shown: Vec<&str> =
                [line.points.first(), line.points.last()].into_iter().flatten().map(|point| &point.shown[..]).collect();
            format!("{} from {}", line.what, shown.join(" to "))
        };
        let label = format!(
            "Lines: rewards over the KL divergence. {}.",
            lines.iter().map(ends).collect::<Vec<_>>().join("; ")
        );
        let chart = Chart::of_lines("rewards-chart", label, &Lines { below, left, lines });
        Section {
            id: "rewards",
            title: "Rewards",
            says: "What answers are worth, by how far the policy that gives them is from the model that it began as: a point is an evaluation, and a line \
                   goes from one to the next. A policy is to be above the best of n answers of that model, which costs no training. A gold reward \
                   that falls while the reward rises is a reward that is exploited: the policy is best where it was highest.",
            body: html! { (chart) },
        }
    }

    fn table(&self) -> Section {
        let has_gold = self.evaluations.iter().any(|evaluation| evaluation.validation_gold_reward.is_some());
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
            let answers: Vec<Headed<'_>> = [("before", before.get(place)), ("after", after.get(place))]
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
                   with the same seed. All answers stand in `answers/`.",
            body: html! { @for place in 0..before.len().min(MOST_PROMPTS) { (prompt(place)) } },
        })
    }
}

/// A number as it is written, with a sign that is as wide as a digit.
fn number(value: f64, digits: usize) -> String {
    format!("{value:.digits$}").replace('-', "−")
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

    fn page(evaluations: &[Evaluation]) -> String {
        let answer = |text: &str| {
            let (prompt, answer) = ("a < b".to_owned(), text.to_owned());
            vec![JudgedAnswer { prompt, answer, reward: -0.5, gold_reward: Some(0.25), kl: 0.0, ended: true }]
        };
        let (before, after) = (answer(""), answer("<script>alert(1)</script>"));
        let best_of_n = [1, 2].map(|n| BestOfN { n, kl: n as f64 - 1.0, reward: 0.5, gold_reward: None });
        PolicyPage { name: "a & b", evaluations, best_of_n: &best_of_n, answers: [&before, &after] }.html()
    }

    /// A gold reward that falls while the reward rises is said; one that rises, too, is not.
    #[test]
    fn a_reward_that_is_exploited_is_said() {
        let [start, peak, end] = [(0, -1.0, -1.0), (10, 0.0, 0.5), (20, 1.0, -0.25)]
            .map(|(step, reward, gold)| evaluation(step, reward, Some(gold)));
        let exploited = page(&[start, peak, end]);
        let said = "The gold reward was highest, 0.500, after 10 steps, at 1.00 nats, and is −0.250 now";
        assert!(exploited.contains(said), "{exploited}");
        assert!(!page(&[start, peak]).contains("The gold reward was highest"));
        for part in ["a &amp; b", "a &lt; b", "before: −0.50, gold 0.25", "&lt;script&gt;alert", "nothing"] {
            assert!(exploited.contains(part), "{part}: {exploited}");
        }
        assert!(!exploited.contains("://") && !exploited.contains("NaN") && !exploited.contains("text loss"));
    }

    #[test]
    fn of_many_evaluations_some_are_shown() {
        let all: Vec<Evaluation> = (0..1000).map(|step| evaluation(step, 0.0, None)).collect();
        let shown = thinned(&all);
        assert_eq!((shown.len(), shown[0].step, shown[shown.len() - 1].step), (MOST_EVALUATIONS, 0, 999));
        assert_eq!(thinned(&all[..2]).len(), 2);
        assert_eq!(thinned(&all[..1]).len(), 1);
        assert!(!page(&all[..1]).contains("NaN"));
    }
}
