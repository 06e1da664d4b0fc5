//! What the list of steps becomes: the table of a recipe's step.

/// Makes [`StepRecipe`](super::StepRecipe) of the list of steps.
///
/// - `KEY: RULE`: a [`RuleStep`](super::RuleStep), which is the step
/// - `KEY: WRITTEN => CHECK`: what is written, and the function of it and of the [`Scope`](super::Scope) that gives the steps
macro_rules! steps {
    (@made $written:ident, $scope:ident) => { vec![Arc::new($written.clone())] };
    (@made $written:ident, $scope:ident, $check:path) => { $check($written, $scope)? };
    (@keyed $key:ident, $rule:ty) => {
        impl Keyed for $rule {
            const KEY: &'static str = stringify!($key);
        }
    };
    (@keyed $key:ident, $written:ty, $check:path) => {};
    ($($(#[$about:meta])* $key:ident: $written:ty $(=> $check:path)?,)+) => {
        /// A step. It does one thing: exactly one of the keys below `sources` is set.
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct StepRecipe {
            /// The step's name; what it does by default.
            #[schemars(with = "Option<String>")]
            pub name: Option<Spanned<String>>,
            /// The sources that it applies to; all that are not tasks by default. Documents of others pass.
            #[schemars(with = "Option<Vec<String>>")]
            pub sources: Option<Vec<Spanned<String>>>,
            $($(#[$about])* pub $key: Option<$written>,)+
        }

        impl StepRecipe {
            /// The keys of which a step has one.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($key)),+];

            /// What the keys that are set become, for each of them.
            ///
            /// # Errors
            /// When one refers to what is not there, or has a value that cannot be.
            pub fn steps(&self, scope: &dyn Scope) -> Result<Vec<Steps>, TomlError> {
                let mut steps: Vec<Steps> = Vec::new();
                $(if let Some(written) = &self.$key {
                    steps.push(steps!(@made written, scope $(, $check)?));
                })+
                Ok(steps)
            }
        }

        $(steps!(@keyed $key, $written $(, $check)?);)+
    };
}

pub(super) use steps;
