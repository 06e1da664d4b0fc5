//! The rules of well-known datasets, by the names that people know.

use schemars::JsonSchema;
use serde::Deserialize;

use super::StepKind;
use crate::{
    decide::{C4Quality, FinewebQuality, GopherQuality, GopherRepetition, SharesOf, WordLength},
    text::c4::LineRules,
};

/// A dataset whose rules are taken.
///
/// Only its rules on documents: what it does to lines is for `clean`, its lists of URLs for `[facts.urls]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// MassiveText: Gopher's rules on repetition and on quality, as the paper has them (Rae et al. 2021, appendix A1).
    Gopher,
    /// C4: a page of five sentences or more, without `lorem ipsum` and without curly brackets (Raffel et al. 2020, section 2.2).
    C4,
    /// FineWeb: Gopher's rules, those of C4 without its rule on the ends of lines, and its own (Penedo et al. 2024, section 3).
    Fineweb,
    /// RefinedWeb: Gopher's rules (Penedo et al. 2023, appendix G.2).
    Refinedweb,
    /// Dolma: Gopher's rules with the median in place of the mean length of a word (Soldaini et al. 2024, section 4.2). Dolma
    /// takes its shares of characters without white space, which is not done here.
    Dolma,
}

impl Preset {
    /// Its steps in their order, each with its name.
    #[must_use]
    pub fn steps(self) -> Vec<(StepKind, &'static str)> {
        let repetition = (StepKind::GopherRepetition(GopherRepetition::default()), "gopher_repetition");
        let quality = |rule: GopherQuality| (StepKind::GopherQuality(rule), "gopher_quality");
        let as_datatrove = || quality(GopherQuality { shares_of: SharesOf::Tokens, ..GopherQuality::default() });
        match self {
            Self::Gopher => vec![repetition, quality(GopherQuality::default())],
            Self::C4 => vec![(StepKind::C4Quality(C4Quality::default()), "c4_quality")],
            Self::Fineweb => {
                let lines = LineRules { closed: false, ..LineRules::default() };
                let c4 = C4Quality { lines, ..C4Quality::default() };
                vec![
                    repetition,
                    as_datatrove(),
                    (StepKind::C4Quality(c4), "c4_quality"),
                    (StepKind::FinewebQuality(FinewebQuality::default()), "fineweb_quality"),
                ]
            }
            Self::Refinedweb => vec![repetition, as_datatrove()],
            Self::Dolma => {
                vec![repetition, quality(GopherQuality { word_length: WordLength::Median, ..GopherQuality::default() })]
            }
        }
    }
}
