//! Demonstrations and rankings, collected from people in a browser.
//!
//! ```text
//! prompts -> items ----> answers, drawn ahead by the model -> shown to a labeler -> judgments -> export: rows to train on
//! (prompts)   |          (sampler, ahead)                      (session, page)         |
//!             +------------------------------- labels.sqlite (store) ------------------+---> agreement, summary
//! ```
//!
//! - `collection` opens a folder with its prompts and its model; `server` asks people, `script` a program, both by the same `service` or
//!   `session`
//! - what was answered with a word of success is on the disk: a server that is killed loses nothing, and shows the same afterwards
//! - nothing is deleted: what is judged anew or undone is marked (`judgment`)
//! - a file that does not fit together is refused with the row that does not (`check`)
//!
//! Useful for: some people on one machine, or on a network that is trusted. Not useful for: strangers; nobody is asked for a password.
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), section 3.4 and appendix B: demonstrations, and rankings of 4 to 9 answers with ties.

mod agreement;
mod ahead;
mod check;
mod collection;
mod export;
mod judgment;
mod kind;
mod krippendorff;
mod labeler;
mod origin;
mod prompts;
mod query;
mod refusal;
mod routes;
mod sampler;
mod script;
mod server;
mod service;
mod session;
mod settings;
mod store;
mod summary;
mod tables;
mod verdict;

pub use agreement::Agreement;
pub use collection::Collection;
pub use export::{Exported, export};
pub use kind::Kind;
pub use script::{Scripted, run_script};
pub use server::serve;
pub use service::Service;
pub use settings::{LabelSettings, SamplingSettings};
pub use summary::{LabelerSummary, Summary};
