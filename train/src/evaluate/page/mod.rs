//! The page of an evaluation, `report.html`: one file that needs no network and no script.
//!
//! ```text
//! PageData -> lead, scores, curves of demonstrations, two models, calibration, mistakes, leaks, what was left out, settings -> HTML
//! ```
//!
//! Everything in it is bounded: rows, charts, mistakes and the length of texts. It holds no time: the same evaluation gives the same bytes.
//!
//! Useful for: whether a model knows a task, and how it errs. Not useful for: every answer; these stand in `samples.parquet`.

mod against;
mod calibration;
mod data;
mod lead;
mod leaks;
mod left_out;
mod mistakes;
mod names;
mod plots;
mod scores;
mod settings;
mod shots;
mod warnings;

pub use data::{Against, Clean, Compared, Mistake, PageData, Run, Score, ScoreUnit};
pub use mistakes::MISTAKES;

use pages::Page;

/// The name of the file.
pub const FILE: &str = "report.html";

/// Bytes of a page, at most.
pub const LARGEST: usize = 1 << 20;

/// Charts and tasks with their mistakes that are shown, at most, where there is room.
const MOST: usize = 40;

/// The page as HTML.
#[must_use]
pub fn html(data: &PageData) -> String {
    let mut most = MOST;
    let mut page = html_of(data, most);
    while page.len() > LARGEST && most > 1 {
        most /= 2;
        page = html_of(data, most);
    }
    page
}

/// - `most`: charts and tasks with their mistakes that are shown
fn html_of(data: &PageData, most: usize) -> String {
    let sections = [
        scores::section(data),
        shots::section(data),
        against::section(data),
        calibration::section(data, most),
        mistakes::section(data, most),
        leaks::section(data),
        left_out::section(data),
        settings::section(data),
    ];
    let page = Page {
        title: &data.model,
        kind: "evaluation report",
        lead: lead::lead(data),
        sections: sections.into_iter().flatten().collect(),
    };
    page.html()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::metrics::{Binning, Confidence, calibration_bins, paired_test};

    /// Runs of some tasks, with everything that a page can show.
    fn data(tasks: usize, text: &str) -> PageData {
        let confidence =
            |place: u32| Confidence { probability: f64::from(place) / 40.0, is_right: !place.is_multiple_of(3) };
        let answers: Vec<Confidence> = (0..40).map(confidence).collect();
        let score = |value: f64, own| Score {
            metric: "accuracy".to_owned(),
            variant: if own { "per_token" } else { "sum" }.to_owned(),
            own,
            value,
            standard_error: Some(0.02),
            count: 400,
            ..Score::default()
        };
        let mistake = |number: u32| Mistake {
            id: format!("example {number}"),
            prompt: text.to_owned(),
            answer: text.to_owned(),
            right: vec![text.to_owned(); 5],
            score: 0.0,
            probabilities: Some([0.9, 0.1]),
        };
        let run = |task: usize, shots: &str| Run {
            task: format!("task_{task}"),
            template: "plain".to_owned(),
            shots: shots.to_owned(),
            mean_shown: 3.0,
            scores: vec![score(0.6, true), score(0.5, false)],
            chance: Some(0.5),
            clean: Some(Clean { leaked: 20, scores: vec![score(0.55, true)] }),
            calibration: calibration_bins(&answers, Binning::EqualWidth, 15),
            skipped: vec![("no_answer".to_owned(), 30)],
            cut: [7, 300],
            mistakes: (0..9).map(mistake).collect(),
        };
        let compared = |task: usize| Compared {
            task: format!("task_{task}"),
            template: "plain".to_owned(),
            shots: "0".to_owned(),
            unit: ScoreUnit::Share,
            other: 0.5,
            own: 0.75,
            test: paired_test(&[0.0, 1.0, 0.0, 1.0], &[1.0, 1.0, 0.0, 1.0], 1),
            differs: vec!["metric f1 there and exact_match here".to_owned()],
        };
        PageData {
            model: "a <model>".to_owned(),
            version: "1".to_owned(),
            runs: (0..tasks).flat_map(|task| ["0", "4", "max"].map(|shots| run(task, shots))).collect(),
            against: Some(Against { model: "another".to_owned(), runs: (0..tasks).map(compared).collect() }),
            settings: vec![("seed".to_owned(), "0".to_owned())],
        }
    }

    fn ids(html: &str) -> Vec<&str> {
        html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn a_page_has_a_section_for_whatever_there_is() {
        let page = html(&data(2, "<script>alert('x')</script> & more"));
        let sections = ["scores", "shots", "against", "calibration", "mistakes", "leaks", "left-out", "settings"];
        for section in sections {
            assert!(page.contains(&format!("<section id=\"{section}\"")), "{section}");
        }
        let found = ids(&page);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "an id is there twice: {found:?}");
        assert!(page.contains("a &lt;model&gt;") && !page.contains("<script>alert"), "texts are escaped");
        assert!(!page.contains("://") && !page.contains("NaN"), "nothing is fetched, and every number is one");
        assert_eq!(page, html(&data(2, "<script>alert('x')</script> & more")));
    }

    #[test]
    fn what_is_not_there_has_no_section() {
        let nothing = html(&PageData { model: "m".to_owned(), ..PageData::default() });
        assert!(!nothing.contains("<section"), "{nothing}");
        let runs = vec![Run { task: "t".to_owned(), shots: "0".to_owned(), ..Run::default() }];
        let bare = html(&PageData { model: "m".to_owned(), runs, ..PageData::default() });
        assert_eq!(bare.matches("<section").count(), 1, "{bare}");
        assert!(!bare.contains("NaN"));
    }

    /// However much there is, a page stays below a MiB.
    #[test]
    fn a_page_is_bounded() {
        let page = html(&data(150, &"<&> ".repeat(5000)));
        assert!(page.len() < LARGEST, "{} bytes", page.len());
    }
}
