//! The template engine as every task has it.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, syntax::SyntaxConfig};
use regex::Regex;

/// An engine without templates.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("Jinja's own delimiters are valid"));
    // a task has few patterns, and uses each on every example
    let patterns: RwLock<BTreeMap<String, Regex>> = RwLock::default();
    environment.add_filter("regex_replace", move |text: &str, pattern: &str, with: &str| {
        if let Some(pattern) = patterns.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
            return Ok(pattern.replace_all(text, with).into_owned());
        }
        let compiled = Regex::new(pattern)
            .map_err(|error| minijinja::Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
        let replaced = compiled.replace_all(text, with).into_owned();
        patterns.write().unwrap_or_else(PoisonError::into_inner).insert(pattern.to_owned(), compiled);
        Ok(replaced)
    });
    environment
}

/// What the engine says is wrong.
pub(crate) fn message(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
