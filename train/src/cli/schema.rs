//! `train schema`.

use clap::{Args, ValueEnum};
use schemars::schema_for;

use super::printer::Printer;
use crate::program::{
    classify::ClassifyConfig, compare::CompareConfig, dpo::DpoConfig, mix::MixConfig, ppo::PpoConfig,
    pretrain::PretrainConfig, retrieve::RetrieveConfig, reward::RewardConfig, rlhf::RlhfConfig, scale::ScaleConfig,
    tune::TuneConfig,
};

/// Print the JSON Schema of a configuration, for editors.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The command that is configured.
    #[arg(value_enum)]
    of: Described,
    /// Print a reference of all keys in Markdown instead.
    #[arg(long)]
    markdown: bool,
}

/// Commands that read a configuration.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Described {
    /// `train pretrain`.
    Pretrain,
    /// `train tune`.
    Tune,
    /// `train classify`.
    Classify,
    /// `train reward`.
    Reward,
    /// `train dpo`.
    Dpo,
    /// `train ppo`.
    Ppo,
    /// `train rlhf`.
    Rlhf,
    /// `train retrieve`.
    Retrieve,
    /// `train mix`.
    Mix,
    /// `train scale`.
    Scale,
    /// `train compare`.
    Compare,
}

impl SchemaArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let (schema, title) = match self.of {
            Described::Pretrain => (schema_for!(PretrainConfig), "Pretraining"),
            Described::Tune => (schema_for!(TuneConfig), "Instruction tuning"),
            Described::Classify => (schema_for!(ClassifyConfig), "Classification"),
            Described::Reward => (schema_for!(RewardConfig), "Reward models"),
            Described::Dpo => (schema_for!(DpoConfig), "Direct preference optimization"),
            Described::Ppo => (schema_for!(PpoConfig), "Proximal policy optimization"),
            Described::Rlhf => (schema_for!(RlhfConfig), "Rounds of feedback"),
            Described::Retrieve => (schema_for!(RetrieveConfig), "Encoders for retrieval"),
            Described::Mix => (schema_for!(MixConfig), "Weights from small models"),
            Described::Scale => (schema_for!(ScaleConfig), "Ladders of sizes"),
            Described::Compare => (schema_for!(CompareConfig), "Comparisons of data"),
        };
        if self.markdown {
            printer.result(schemas::reference::markdown(&schema, title).trim_end());
        } else {
            printer.result(serde_json::to_string_pretty(&schema)?);
        }
        Ok(())
    }
}
