//! The transformer: tokens and positions in, logits out.
//!
//! ```text
//! family        a table: what each family is made of, and its names in Hugging Face's files
//! config        a configuration, which becomes an architecture: sizes and parts
//! lora, adapter, adapter_names: low-rank adapters: which layers have some, the module of a layer's, its parameters
//! block, parts, attention, cross_attention, relative_positions, gpt, encoder_decoder: modules, built from an architecture
//! classifier    a decoder with a head for classes
//! reward_model  a decoder with a head for one number, of a sequence or of each token
//! dual_encoder  one decoder, or two, that give questions and passages vectors
//! actor_critic  a decoder that writes, beside one that gives states values
//! states        the hidden states that such heads read
//! transformer   how a module is built, whichever it is
//! forward_pass, kv_cache: what a pass needs besides hidden states
//! named, parameters, new_rows, parameter_names: parameters by their names
//! huggingface   folders of others, in and out
//! ```
//!
//! Source: Radford et al. 2018, 2019; Brown et al. 2020; Touvron et al. 2023; Vaswani et al. 2017; Raffel et al. 2020.

mod actor_critic;
mod adapter;
mod adapter_names;
mod architecture;
mod attention;
mod block;
mod classifier;
mod config;
mod cross_attention;
mod dual_encoder;
mod encoder_decoder;
mod family;
mod forward_pass;
mod gpt;
pub mod huggingface;
mod kv_cache;
mod lora;
mod named;
mod new_rows;
mod parameter_names;
mod parameters;
mod parts;
mod purposes;
mod relative_positions;
mod reward_model;
mod states;
mod transformer;
mod which;

pub use actor_critic::ActorCritic;
pub use adapter_names::{is_adapter, is_base, is_beside};
pub use architecture::{
    Activation, Architecture, Biases, DropoutPlaces, Initialization, NormKind, NormPlace, Positions, SlidingWindow,
    Stacks,
};
pub use classifier::Classifier;
pub use config::ModelConfig;
pub use dual_encoder::{DualEncoder, Encoders, Pooling, Similarity};
pub use encoder_decoder::{EncoderDecoder, EncoderInput};
pub use family::Family;
pub use forward_pass::Tokens;
pub use gpt::Gpt;
pub use kv_cache::KvCache;
pub use lora::{AdaptedLinear, AdaptedRange, AdapterWeights, Adapters, Lora, LoraConfig, Targets};
pub use named::{MapNamed, VisitNamed, map_named, visit_named};
pub use new_rows::with_new_rows;
pub use parameter_names::{encoders_of, is_of_head, language_model, language_model_name, stored_name};
pub use parameters::{
    HeldTensor, NamedTensor, WriteTensor, has_adapters, named_parameters, named_shapes, replace, replace_some,
    saved_parameters,
};
pub use reward_model::RewardModel;
pub use states::{last_states, mean_states, rows, states_at};
pub use transformer::Transformer;
pub use which::Which;
