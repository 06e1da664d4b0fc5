//! What a run has done.

use schemas::ledger::Ledger;

use crate::decide::ClusterAccount;

/// What a run has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The account of every stage.
    pub ledger: Ledger,
    /// Units that were found done.
    pub found: u64,
    /// Units that were run.
    pub ran: u64,
}

/// What a removal of duplicates has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Survivors {
    /// The account of every stage.
    pub outcome: Outcome,
    /// What was counted when clusters were found.
    pub account: ClusterAccount,
}
