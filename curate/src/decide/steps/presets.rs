//! The rules of well-known datasets, by the names that people know.

use std::sync::Arc;

use schemars::JsonSchema;
use schemas::toml_file::TomlError;
use serde::Deserialize;

use super::{C4Quality, FinewebQuality, GopherQuality, GopherRepetition, Scope, SharesOf, Step, Steps, WordLength};
use crate::text::c4::LineRules;

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
    /// Its steps in their order.
    ///
    /// # Errors
    /// None: its rules refer to nothing.
    pub fn steps(&self, _: &dyn Scope) -> Result<Steps, TomlError> {
        let quality = |rule: GopherQuality| -> Arc<dyn Step> { Arc::new(rule) };
        let as_datatrove = || quality(GopherQuality { shares_of: SharesOf::Tokens, ..GopherQuality::default() });
        let repetition: Arc<dyn Step> = Arc::new(GopherRepetition::default());
        Ok(match self {
            Self::Gopher => vec![repetition, quality(GopherQuality::default())],
            Self::C4 => vec![Arc::new(C4Quality::default())],
            Self::Fineweb => {
                let lines = LineRules { closed: false, ..LineRules::default() };
                let c4 = C4Quality { lines, ..C4Quality::default() };
                vec![repetition, as_datatrove(), Arc::new(c4), Arc::new(FinewebQuality::default())]
            }
            Self::Refinedweb => vec![repetition, as_datatrove()],
            Self::Dolma => {
                vec![repetition, quality(GopherQuality { word_length: WordLength::Median, ..GopherQuality::default() })]
            }
        })
    }
}
