//! The page of rounds, `report.html`: one file that needs no network and no script.
//!
//! ```text
//! figures of rounds -> a sentence, a table, a chart of the reward model, charts of the policy    -+
//! samples           -> prompts, with the answers of the start and of each round side by side     -+-> HTML
//! rounds.json       -> what the rounds are known by                                              -+
//! ```
//!
//! It holds no time but that of steps, and what is in it is bounded: charts and answers are of the last rounds where there are many.
//!
//! Useful for: whether a further round is worth its labels, and how answers changed. Not useful for: all rankings; they stand in the folders.

use maud::{Markup, html};
use pages::{
    Page, Section,
    charts::{Axis, Chart, Colour, Curve, CurvePoint, Curves, Scale, Stroke, Unit},
    excerpt::short,
    numbers::{grouped, percent},
    table::{Cell, Column, Table},
    tile,
};

use super::{
    answers_side_by_side::{Headed, answers_side_by_side},
    rlhf_figures::{PolicyFigures, RewardFigures, RoundFigures},
    rlhf_samples::RoundSample,
};

/// The name of the file.
pub(super) const FILE: &str = "report.html";

/// Rounds in a chart, at most.
const MOST_ROUNDS: usize = 24;

/// Answers to a prompt that are shown, at most: that of the start, and those of the last rounds.
const MOST_ANSWERS: usize = 12;

/// Characters of a setting, at most.
const LONGEST_VALUE: usize = 100;

/// How lines of a chart are drawn, one after the other.
static LINES: [(Colour, Stroke); 2] = [(Colour::Dropped, Stroke::Dashed), (Colour::Series(0), Stroke::Solid)];

/// What the page shows.
pub(super) struct RoundsPage<'p> {
    /// What the rounds are called.
    pub name: &'p str,
    /// By what policies learn.
    pub method: &'p str,
    /// Rounds that are done.
    pub rounds: &'p [RoundFigures],
    /// What they answered.
    pub samples: &'p [RoundSample],
    /// Keys with what they say.
    pub settings: Vec<(&'p str, &'p str)>,
}

/// What the policy is judged by: how it is called, how it is written, and where it stands.
struct Measure {
    id: &'static str,
    what: &'static str,
    unit: Unit,
    digits: usize,
    of: fn(&PolicyFigures) -> Option<f64>,
}

/// All of them, in their order.
static MEASURES: [Measure; 5] = [
    Measure {
        id: "reward",
        what: "validation reward",
        unit: Unit::Number,
        digits: 3,
        of: |figures| figures.validation_reward,
    },
    Measure { id: "kl", what: "KL divergence", unit: Unit::Number, digits: 3, of: |figures| figures.validation_kl },
    Measure { id: "text-loss", what: "text loss", unit: Unit::Number, digits: 4, of: |figures| figures.text_loss },
    Measure {
        id: "loss",
        what: "validation loss",
        unit: Unit::Number,
        digits: 4,
        of: |figures| figures.validation_loss,
    },
    Measure {
        id: "accuracy",
        what: "accuracy on pairs",
        unit: Unit::Share,
        digits: 3,
        of: |figures| figures.validation_accuracy,
    },
];

impl RoundsPage<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let sections = [self.table(), self.reward_model(), self.policy(), self.answers(), self.known_by()];
        let page = Page {
            title: self.name,
            kind: "rounds of feedback",
            lead: self.lead(),
            sections: sections.into_iter().flatten().collect(),
        };
        page.html()
    }

    fn lead(&self) -> Markup {
        let Some(last) = self.rounds.last() else {
            return html! { p.verdict { "No round is done yet." } };
        };
        let RewardFigures { accuracy, interval: [low, high], .. } = last.reward;
        let rounds = if self.rounds.len() == 1 { " round" } else { " rounds" };
        html! {
            p.verdict {
                "After " b { (self.rounds.len()) (rounds) } " of feedback by " b { (self.method) } ", the reward model ranks "
                b { (percent(accuracy)) } " of the pairs that it has not seen as they were ranked (" (percent(low)) " to " (percent(high)) ")."
            }
            @if low <= 0.5 { p.warning { "That may be chance: more rankings, or a larger model, are needed." } }
            ul.tiles {
                (tile(&grouped(self.rounds.len() as u64), rounds.trim()))
                (tile(&grouped(last.all_rankings as u64), "rankings"))
                (tile(&percent(accuracy), "of pairs ranked rightly"))
                @for measure in MEASURES.iter().filter(|measure| (measure.of)(&last.after).is_some()).take(3) {
                    (tile(&measure.written((measure.of)(&last.after)), measure.what))
                }
            }
        }
    }

    /// Measures that some round has.
    fn measures(&self) -> impl Iterator<Item = &'static Measure> {
        MEASURES.iter().filter(move |measure| self.rounds.iter().any(|round| (measure.of)(&round.after).is_some()))
    }

    fn table(&self) -> Option<Section> {
        if self.rounds.is_empty() {
            return None;
        }
        let names: Vec<[String; 2]> = self
            .measures()
            .map(|measure| [format!("{} before", measure.what), format!("{} after", measure.what)])
            .collect();
        let mut columns = vec![
            Column::Numbers("round"),
            Column::Numbers("rankings"),
            Column::Numbers("in all"),
            Column::Numbers("reward model"),
            Column::Numbers("95 % interval"),
            Column::Numbers("pairs"),
        ];
        columns.extend(names.iter().flatten().map(|name| Column::Numbers(name)));
        columns.extend([Column::Numbers("steps"), Column::Numbers("tokens/s")]);
        let rows = self.rounds.iter().map(|round| self.row(round)).collect();
        let caption = html! { "What each round won. The reward model is judged by its accuracy, the policy before its first step and after its last." };
        let table = Table { id: "rounds-table", caption, columns: &columns, rows };
        Some(Section {
            id: "rounds",
            title: "Rounds",
            says: "Each round trains a reward model on the rankings of all rounds so far, from the model that the first began with, and the policy \
                   from that of the round before. Rewards of different rounds are of different reward models, and do not compare; those before and \
                   after a round do.",
            body: html! { (table) },
        })
    }

    fn row(&self, figures: &RoundFigures) -> Vec<Cell> {
        let RoundFigures { round, rankings, all_rankings, reward, before, after, steps, tokens_per_second } = figures;
        let RewardFigures { pairs, accuracy, interval: [low, high] } = *reward;
        let mut row = vec![
            Cell::count(*round as u64),
            Cell::count(*rankings as u64),
            Cell::count(*all_rankings as u64),
            Cell::share(accuracy),
            Cell::Number(format!("{} to {}", percent(low), percent(high)), low),
            Cell::count(pairs as u64),
        ];
        for measure in self.measures() {
            row.extend([before, after].map(|figures| measure.cell((measure.of)(figures))));
        }
        row.extend([Cell::count(*steps), Cell::decimal(*tokens_per_second, 0)]);
        row
    }

    /// The last rounds, which charts show.
    fn shown(&self) -> &[RoundFigures] {
        &self.rounds[self.rounds.len().saturating_sub(MOST_ROUNDS)..]
    }

    fn reward_model(&self) -> Option<Section> {
        let rounds = self.shown();
        if rounds.is_empty() {
            return None;
        }
        let point = |round: &RoundFigures| {
            let RewardFigures { accuracy, interval: [low, high], .. } = round.reward;
            let shown = format!("{} ({} to {})", percent(accuracy), percent(low), percent(high));
            Some(CurvePoint { value: accuracy, interval: Some([low, high]), shown })
        };
        let points = rounds.iter().map(point).collect();
        let axis = Axis::new("accuracy", Scale::linear(1.0), Unit::Share);
        let chart =
            chart("reward-model-chart", "accuracy of the reward model", axis, rounds, vec![("reward model", points)]);
        Some(Section {
            id: "reward-model",
            title: "Reward model",
            says: "The share of pairs, of prompts that it was not trained on, that the reward model ranks as they were ranked; guessing is right in \
                   half. The line through a point is its 95 % interval by prompts. With more rankings it should rise, or its interval narrow.",
            body: html! { (chart) },
        })
    }

    fn policy(&self) -> Option<Section> {
        let rounds = self.shown();
        let charts: Vec<Chart> = self.measures().map(|measure| measure.chart(rounds)).collect();
        if charts.is_empty() {
            return None;
        }
        Some(Section {
            id: "policy",
            title: "Policy",
            says: "What the policy was judged by, on prompts that it did not learn from: before the first step of a round, and after its last. A reward \
                   that rises while answers get worse is a reward model that is exploited: read the answers below. The divergence is from the model \
                   that the round began with.",
            body: html! { @for chart in &charts { (chart) } },
        })
    }

    fn answers(&self) -> Option<Section> {
        let mut prompts: Vec<&str> = Vec::new();
        for sample in self.samples {
            if !prompts.contains(&sample.prompt.as_str()) {
                prompts.push(&sample.prompt);
            }
        }
        if prompts.is_empty() {
            return None;
        }
        Some(Section {
            id: "answers",
            title: "Answers",
            says: "What the model answered before the first round and after each, to prompts that no policy learns from: the likeliest token, again and \
                   again, so that answers differ where the models do.",
            body: html! { @for (number, prompt) in prompts.iter().enumerate() { (self.answers_to(prompt, number < 2)) } },
        })
    }

    fn answers_to(&self, prompt: &str, is_open: bool) -> Markup {
        let samples: Vec<&RoundSample> = self.samples.iter().filter(|sample| sample.prompt == prompt).collect();
        let left_out = samples.len().saturating_sub(MOST_ANSWERS);
        let shown = samples.iter().take(1).chain(samples.iter().skip(1 + left_out));
        let heading = |round: usize| if round == 0 { "start".to_owned() } else { format!("round {round}") };
        let headed: Vec<Headed<'_>> =
            shown.map(|sample| Headed { heading: heading(sample.round), answer: &sample.answer }).collect();
        let below = (left_out > 0).then(|| format!("{left_out} rounds behind the start are left out."));
        answers_side_by_side(prompt, is_open, &headed, below)
    }

    fn known_by(&self) -> Option<Section> {
        if self.settings.is_empty() {
            return None;
        }
        let row = |(key, value): &(&str, &str)| vec![Cell::code(key), Cell::code(short(value, LONGEST_VALUE))];
        let rows = self.settings.iter().map(row).collect();
        let columns = [Column::Words("key"), Column::Words("value")];
        let caption = html! { "What has to be the same when the rounds go on." };
        let table = Table { id: "settings-table", caption, columns: &columns, rows };
        Some(Section {
            id: "settings",
            title: "Settings",
            says: "Numbers of the configuration, and hashes of what its paths lead to.",
            body: html! { (table) },
        })
    }
}

impl Measure {
    fn written(&self, value: Option<f64>) -> String {
        match (value, self.unit) {
            (None, _) => "–".to_owned(),
            (Some(value), Unit::Share) => percent(value),
            (Some(value), _) => format!("{value:.digits$}", digits = self.digits),
        }
    }

    fn cell(&self, value: Option<f64>) -> Cell {
        value.map_or(Cell::Empty, |number| Cell::Number(self.written(value), number))
    }

    /// The measure before and after each round.
    fn chart(&self, rounds: &[RoundFigures]) -> Chart {
        let before: Vec<Option<CurvePoint>> = rounds.iter().map(|round| self.point(round.before)).collect();
        let after: Vec<Option<CurvePoint>> = rounds.iter().map(|round| self.point(round.after)).collect();
        let scale = match self.unit {
            Unit::Share => Scale::linear(1.0),
            Unit::Count | Unit::Number => Scale::around(before.iter().chain(&after).flatten().map(|point| point.value)),
        };
        let axis = Axis::new(self.what, scale, self.unit);
        let lines = vec![("before the round", before), ("after the round", after)];
        chart(&format!("{}-chart", self.id), self.what, axis, rounds, lines)
    }

    fn point(&self, figures: PolicyFigures) -> Option<CurvePoint> {
        let value = (self.of)(&figures)?;
        Some(CurvePoint { value, interval: None, shown: self.written(Some(value)) })
    }
}

/// A chart of lines from round to round.
fn chart(
    id: &str,
    what: &str,
    left: Axis,
    rounds: &[RoundFigures],
    lines: Vec<(&str, Vec<Option<CurvePoint>>)>,
) -> Chart {
    let places: Vec<String> = rounds.iter().map(|round| round.round.to_string()).collect();
    // one that is alone is drawn as what there is in the end
    let styles = &LINES[LINES.len().saturating_sub(lines.len())..];
    let curves: Vec<Curve> = lines
        .into_iter()
        .zip(styles)
        .map(|((what, points), (colour, stroke))| Curve {
            what: what.to_owned(),
            colour: *colour,
            stroke: *stroke,
            points,
        })
        .collect();
    let said = |curve: &Curve| {
        let points = places.iter().zip(&curve.points);
        let points = points.filter_map(|(place, point)| Some(format!("{} in round {place}", point.as_ref()?.shown)));
        format!("{} {}", curve.what, points.collect::<Vec<_>>().join(", "))
    };
    let label = format!("Lines: {what} by round. {}.", curves.iter().map(said).collect::<Vec<_>>().join("; "));
    Chart::of_curves(id, label, &Curves { along: "round".to_owned(), places, left, curves })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn figures(round: usize, of_ppo: bool) -> RoundFigures {
        let judged = |value: f64| {
            let (ppo, dpo) = (of_ppo.then_some(value), (!of_ppo).then_some(value));
            PolicyFigures {
                validation_reward: ppo.map(|value| -value),
                validation_kl: ppo,
                text_loss: ppo,
                validation_loss: dpo,
                validation_accuracy: dpo.map(|value| value / 10.0),
            }
        };
        RoundFigures {
            round,
            rankings: 100,
            all_rankings: 100 * round,
            reward: RewardFigures { pairs: 60, accuracy: 0.75, interval: [0.45, 0.9] },
            before: judged(1.0),
            after: judged(2.0),
            steps: 8,
            tokens_per_second: Some(1234.5),
        }
    }

    fn page(rounds: usize, of_ppo: bool, answer: &str) -> String {
        let figures: Vec<RoundFigures> = (1..=rounds).map(|round| figures(round, of_ppo)).collect();
        let sample = |round: usize, prompt: &str| RoundSample { round, prompt: prompt.into(), answer: answer.into() };
        let samples: Vec<RoundSample> =
            (0..=rounds).flat_map(|round| ["a < b", "c"].map(|prompt| sample(round, prompt))).collect();
        let (rounds, samples) = (&figures[..], &samples[..]);
        let settings = vec![("label.answers", "4")];
        RoundsPage { name: "out & about", method: if of_ppo { "ppo" } else { "dpo" }, rounds, samples, settings }.html()
    }

    #[test]
    fn a_page_shows_what_its_method_has() {
        let ppo = page(2, true, "<script>alert(1)</script>");
        for id in
            ["rounds", "reward-model", "policy", "answers", "settings", "reward-chart", "kl-chart", "text-loss-chart"]
        {
            assert!(ppo.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(!ppo.contains("id=\"loss-chart\"") && ppo.contains("out &amp; about") && ppo.contains("a &lt; b"));
        assert!(!ppo.contains("<script>alert") && !ppo.contains("://") && !ppo.contains("NaN"), "{ppo}");
        assert!(ppo.contains("That may be chance") && ppo.contains("round 2"));
        let ids: Vec<&str> = ppo.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id is there twice: {ids:?}");
        let dpo = page(1, false, "");
        assert!(
            dpo.contains("id=\"loss-chart\"")
                && dpo.contains("id=\"accuracy-chart\"")
                && !dpo.contains("id=\"kl-chart\"")
        );
        assert!(dpo.contains("nothing") && !dpo.contains("NaN"));
    }

    /// However many rounds there are, a page has a bound; with none there is one, too.
    #[test]
    fn a_page_is_bounded() {
        let many = page(60, true, &"<&> ".repeat(4000));
        assert!(many.len() < 1 << 19, "{} bytes", many.len());
        let none = RoundsPage { name: "x", method: "ppo", rounds: &[], samples: &[], settings: Vec::new() }.html();
        assert!(none.contains("No round is done yet") && !none.contains("<section"), "{none}");
    }
}
