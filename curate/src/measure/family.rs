//! What a family of facts is: how its facts are computed, and what a recipe may say of that.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, StructArray},
        datatypes::{DataType, Field, Fields, Schema},
    },
    logical_expr::Expr,
    prelude::col,
};
use serde::{Deserialize, Serialize};

use super::{Asked, BandsConfig, FamilyConfig, OverlapsConfig};
use crate::{error::Result, files::Version, plan::call, text::sameness::Sameness};

/// A family of facts: its name and its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Family {
    /// The name, which is its folder below `facts/`.
    pub name: String,
    /// What the facts depend on.
    pub config: FamilyConfig,
}

/// Computes the facts of many texts. A model is loaded once for a plan.
pub(super) trait Measure: Send + Sync {
    /// One array for each field; a null text has null facts.
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef>;
}

/// A family: what computes its facts, and what is known of them without it.
///
/// It stands in a file of its own; beside that, it has its line in the list of [`FamilyConfig`].
pub(super) trait FactFamily: Measure + Sized + 'static {
    /// What the facts depend on.
    type Config;

    /// The version of the code that makes the facts.
    const VERSION: Version;

    /// The column of documents that the facts are about.
    const SUBJECT: &'static str = "text";

    /// Its name, which is its folder below `facts/`.
    fn name(config: &Self::Config) -> &'static str;

    /// Its columns, without the id.
    fn fields() -> Fields;

    /// Makes ready to compute the facts; a model is read here.
    fn load(config: &Self::Config) -> Result<Self>;

    /// The configurations with which a recipe asks for it; none where something else than a recipe does.
    fn asked(_: &Asked<'_>) -> Result<Vec<Self::Config>> {
        Ok(vec![])
    }

    /// What it depends on, for people.
    fn description(_: &Self::Config) -> String {
        String::new()
    }
}

/// Makes [`FamilyConfig`] of a list: a family's name there, its configuration, where it has one, and the type that computes its facts.
macro_rules! families {
    (@config) => { &() };
    (@config $config:ident) => { $config };
    (@new $variant:ident $found:ident) => {{ let () = $found; FamilyConfig::$variant }};
    (@new $variant:ident $found:ident $config:ident) => { FamilyConfig::$variant($found) };
    ($($(#[$about:meta])* $variant:ident $(($config:ident: $type:ty))? => $family:ty;)+) => {
        /// What the facts of a family depend on.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FamilyConfig {
            $($(#[$about])* $variant $(($type))?,)+
        }

        impl FamilyConfig {
            /// The families that a recipe asks for, in the order of the list.
            ///
            /// # Errors
            /// When a file is not there, or a configuration cannot be.
            pub fn asked(asked: &Asked<'_>) -> Result<Vec<Family>> {
                let mut families = Vec::new();
                $(for config in <$family as FactFamily>::asked(asked)? {
                    families.push(Family::new(families!(@new $variant config $($config)?)));
                })+
                Ok(families)
            }

            /// The name of its family.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant $(($config))? => <$family as FactFamily>::name(families!(@config $($config)?)),)+
                }
            }

            /// The columns of the facts, without the id.
            #[must_use]
            pub fn fields(&self) -> Fields {
                match self {
                    $(Self::$variant { .. } => <$family as FactFamily>::fields(),)+
                }
            }

            /// The version of the code that makes the facts.
            #[must_use]
            pub fn version(&self) -> Version {
                match self {
                    $(Self::$variant { .. } => <$family as FactFamily>::VERSION,)+
                }
            }

            /// The column of documents that the facts are about.
            #[must_use]
            pub fn subject(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => <$family as FactFamily>::SUBJECT,)+
                }
            }

            /// What the facts depend on, for people.
            #[must_use]
            pub fn description(&self) -> String {
                match self {
                    $(Self::$variant $(($config))? => {
                        <$family as FactFamily>::description(families!(@config $($config)?))
                    })+
                }
            }

            fn load(&self) -> Result<Box<dyn Measure>> {
                Ok(match self {
                    $(Self::$variant $(($config))? => {
                        Box::new(<$family as FactFamily>::load(families!(@config $($config)?))?)
                    })+
                })
            }
        }
    };
}

pub(super) use families;

impl Family {
    /// A family by its own name.
    #[must_use]
    pub fn new(config: FamilyConfig) -> Self {
        Self { name: config.name().into(), config }
    }

    /// The family of hashes by which the same texts are found.
    #[must_use]
    pub fn fingerprints(sameness: Sameness) -> Self {
        Self::new(FamilyConfig::Fingerprints(sameness))
    }

    /// The family's columns, without the id.
    #[must_use]
    pub fn fields(&self) -> Fields {
        self.config.fields()
    }

    /// The version of the code that makes the facts.
    #[must_use]
    pub fn version(&self) -> Version {
        self.config.version()
    }

    pub(super) fn load(&self) -> Result<Box<dyn Measure>> {
        self.config.load()
    }

    /// The parameters of MinHash, where it has any.
    #[must_use]
    pub fn bands(&self) -> Option<BandsConfig> {
        match self.config {
            FamilyConfig::Bands(config) => Some(config),
            _ => None,
        }
    }

    /// What overlaps are looked for, where the family holds any.
    #[must_use]
    pub fn overlaps(&self) -> Option<&OverlapsConfig> {
        match &self.config {
            FamilyConfig::Overlaps(config) => Some(config),
            _ => None,
        }
    }

    /// The name of the column of structs that [`Family::expression`] makes.
    #[must_use]
    pub fn column(&self) -> String {
        format!("facts_{}", self.name)
    }

    /// The column of documents that the facts are about.
    #[must_use]
    pub fn subject(&self) -> &'static str {
        self.config.subject()
    }

    /// The facts of the column that they are about, as structs.
    #[must_use]
    pub fn expression(&self) -> Expr {
        call(self.clone(), vec![col(self.subject())]).alias(self.column())
    }

    /// The columns of the family's files: the id and the facts.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let id = Field::new(schemas::columns::ID, DataType::Utf8View, false);
        Schema::new(std::iter::once(Arc::new(id)).chain(self.fields().iter().cloned()).collect::<Fields>())
    }

    /// The struct type of the facts.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        DataType::Struct(self.fields())
    }

    pub(super) fn structs(&self, columns: Vec<ArrayRef>) -> StructArray {
        StructArray::new(self.fields(), columns, None)
    }
}

pub(super) fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}
