//! Parameters of MinHash: what a user asks for, and the bands and rows that follow from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{minhash::bands_for, shingles::Shingle};

/// Parameters of MinHash. Two documents of Jaccard similarity J share a band with probability
/// 1 - (1 - J^rows)^bands.
///
/// The default is FineWeb's, [`BandsPreset::Fineweb`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandsConfig {
    /// What texts are compared by.
    pub shingle: Shingle,
    /// Bands, 1 or more.
    pub bands: usize,
    /// Hashes in a band, 1 or more.
    pub rows: usize,
}

/// The parameters of well-known deduplications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BandsPreset {
    /// 14 bands of 8 on shingles of 5 words (Penedo et al. 2024): finds a similarity of 0.75 with probability 0.77, and one of 0.9 always.
    #[default]
    Fineweb,
    /// 10 bands of 1 on single words (Brown et al. 2020, appendix A). It finds candidates, nearly all of which are no duplicates, so
    /// they must be verified; the paper does not say from which similarity on.
    Gpt3,
    /// 20 bands of 13 on shingles of 24 characters (`NeMo` Curator): finds a similarity of 0.8 with probability 0.68.
    Nemo,
    /// 26 bands of 11 on shingles of 5 words (`OLMo` 3): finds a similarity of 0.8 with probability 0.90.
    Dolma3,
}

impl BandsPreset {
    /// Its parameters.
    #[must_use]
    pub fn config(self) -> BandsConfig {
        let (shingle, bands, rows) = match self {
            Self::Fineweb => (Shingle::Words(5), 14, 8),
            Self::Gpt3 => (Shingle::Words(1), 10, 1),
            Self::Nemo => (Shingle::Characters(24), 20, 13),
            Self::Dolma3 => (Shingle::Words(5), 26, 11),
        };
        BandsConfig { shingle, bands, rows }
    }
}

impl Default for BandsConfig {
    fn default() -> Self {
        BandsPreset::default().config()
    }
}

/// Parameters of MinHash as they are asked for: a preset, and what is to differ from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BandsChoice {
    /// Whose parameters are taken; FineWeb's by default.
    pub preset: Option<BandsPreset>,
    /// What texts are compared by: `{ words = 5 }` or `{ characters = 24 }`. A shorter text is like none but its equals.
    pub shingle: Option<Shingle>,
    /// Bands.
    pub bands: Option<usize>,
    /// Hashes in a band.
    pub rows: Option<usize>,
    /// In place of `bands` and `rows`: the similarity that those should tell best, between 0 and 1.
    pub threshold: Option<f64>,
    /// Hash functions to tell `threshold` by; 128 by default.
    pub hashes: Option<usize>,
}

/// Hashes in a signature, at most: more would not fit a use.
const MAX_HASHES: usize = 16_384;

/// Hashes that bands and rows are tried for, at most.
const MAX_TRIED: usize = 1024;

impl BandsChoice {
    /// The Jaccard similarity from which on candidates are duplicates, where the preset alone says too little.
    #[must_use]
    pub fn verified_at(self) -> Option<f64> {
        (self.preset == Some(BandsPreset::Gpt3)).then_some(0.8)
    }

    /// The parameters that follow.
    ///
    /// # Errors
    /// What contradicts itself or is out of range, in words.
    pub fn config(self) -> Result<BandsConfig, String> {
        let Self { preset, shingle, bands, rows, threshold, hashes } = self;
        let base = preset.unwrap_or_default().config();
        let (bands, rows) = match threshold {
            Some(_) if bands.is_some() || rows.is_some() => {
                return Err("`bands` and `rows` follow from `threshold`: give it or them".into());
            }
            Some(threshold) if !(threshold > 0.0 && threshold < 1.0) => {
                return Err(format!("`threshold` is {threshold}, and should lie between 0 and 1"));
            }
            Some(threshold) => match hashes.unwrap_or(128) {
                hashes if (1..=MAX_TRIED).contains(&hashes) => bands_for(threshold, hashes),
                hashes => return Err(format!("`hashes` is {hashes}, and should be 1 to {MAX_TRIED}")),
            },
            None if hashes.is_some() => return Err("`hashes` needs a `threshold` to tell by them".into()),
            None => (bands.unwrap_or(base.bands), rows.unwrap_or(base.rows)),
        };
        let shingle = shingle.unwrap_or(base.shingle);
        if shingle.length() == 0 || bands == 0 || rows == 0 {
            return Err("a shingle, `bands` and `rows` are 1 or more".into());
        }
        if bands.saturating_mul(rows) > MAX_HASHES {
            return Err(format!("{bands} bands of {rows} are more than {MAX_HASHES} hashes"));
        }
        Ok(BandsConfig { shingle, bands, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_takes_the_place_of_bands() {
        let choice = BandsChoice { threshold: Some(0.8), ..BandsChoice::default() };
        assert_eq!(choice.config(), Ok(BandsConfig { shingle: Shingle::Words(5), bands: 9, rows: 13 }));
        let both = BandsChoice { bands: Some(20), ..choice };
        assert!(both.config().is_err_and(|message| message.contains("`threshold`")));
        for wrong in [BandsChoice { hashes: Some(0), ..choice }, BandsChoice { hashes: Some(100_000), ..choice }] {
            assert!(wrong.config().is_err_and(|message| message.contains("`hashes`")));
        }
        let not_a_number = BandsChoice { threshold: Some(f64::NAN), ..choice };
        assert!(not_a_number.config().is_err_and(|message| message.contains("`threshold`")));
        let nemo = BandsChoice { preset: Some(BandsPreset::Nemo), rows: Some(12), ..BandsChoice::default() };
        assert_eq!(nemo.config(), Ok(BandsConfig { shingle: Shingle::Characters(24), bands: 20, rows: 12 }));
    }
}
