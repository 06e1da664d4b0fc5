//! Tasks and their templates: what turns a row of data into a prompt and its completion.
//!
//! `curate` renders training data with them and `train` evaluates with them; both through [`crate::prompt`].

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    prompt::{Renderer, TemplateFault},
    toml_file::{Spanned, TomlError, TomlFile},
};

/// A task as it is written: TOML, closed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskDefinition {
    /// The task's name, as it stands in the column `task`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The examples: JSON lines, plain or gzip; relative to the task's file.
    #[schemars(with = "PathBuf")]
    pub data: Spanned<PathBuf>,
    /// The fields of an example that templates may use. Every example has all of them.
    pub fields: Vec<String>,
    /// The ways to put an example into words.
    #[schemars(with = "Vec<TemplateDefinition>")]
    pub template: Vec<Spanned<TemplateDefinition>>,
}

/// One way to put an example into words.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateDefinition {
    /// The template's name, as it stands in the column `template`.
    pub name: String,
    /// What the model is given, in Jinja's syntax.
    #[schemars(with = "String")]
    pub prompt: Spanned<String>,
    /// What the model should answer, in Jinja's syntax.
    #[schemars(with = "String")]
    pub completion: Spanned<String>,
}

/// A checked task: its data exists and every template renders an example that has all fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Task {
    /// The task's name.
    pub name: String,
    /// Where its examples lie.
    pub data: PathBuf,
    /// The fields of an example.
    pub fields: Vec<String>,
    /// Its templates, in the order of the file.
    pub templates: Vec<Template>,
}

/// A checked template.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Template {
    /// The template's name.
    pub name: String,
    /// The prompt's source.
    pub prompt: String,
    /// The completion's source.
    pub completion: String,
}

impl Task {
    /// Reads and checks a task.
    ///
    /// # Errors
    /// An unknown key, a missing data file, two templates of one name, a template with a syntax error or with a field
    /// that examples do not have: each with path, line and column.
    pub fn read(path: &Path) -> Result<Self, TomlError> {
        Self::parse(&TomlFile::read(path)?)
    }

    /// The same, from a file that was read.
    ///
    /// # Errors
    /// See [`Task::read`].
    pub fn parse(file: &TomlFile) -> Result<Self, TomlError> {
        let definition: TaskDefinition = file.parse(&[])?;
        let data = file.folder().join(definition.data.get_ref());
        if !data.is_file() {
            return Err(file.fault(definition.data.span(), format!("there is no file {}", data.display())));
        }
        if definition.template.is_empty() {
            return Err(file.fault(definition.name.span(), "the task has no template"));
        }
        let mut names = BTreeSet::new();
        for template in &definition.template {
            if !names.insert(&template.get_ref().name) {
                let message = format!("there are two templates named `{}`", template.get_ref().name);
                return Err(file.fault(template.span(), message));
            }
        }
        let task = Self {
            name: definition.name.get_ref().clone(),
            data,
            fields: definition.fields,
            templates: definition
                .template
                .iter()
                .map(Spanned::get_ref)
                .map(|template| Template {
                    name: template.name.clone(),
                    prompt: template.prompt.get_ref().clone(),
                    completion: template.completion.get_ref().clone(),
                })
                .collect(),
        };
        match Renderer::new(&task) {
            Ok(_) => Ok(task),
            Err(fault) => {
                let template = definition.template[fault.template].get_ref();
                let part = if fault.in_completion { &template.completion } else { &template.prompt };
                Err(file.fault(part.span(), describe(&task, &fault)))
            }
        }
    }
}

fn describe(task: &Task, fault: &TemplateFault) -> String {
    let name = &task.templates[fault.template].name;
    let part = if fault.in_completion { "completion" } else { "prompt" };
    let TemplateFault { line, column, message, .. } = fault;
    let fields = task.fields.join("`, `");
    format!("template `{name}`, {part}, line {line}, column {column}: {message}; the task's fields are `{fields}`")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn check(templates: &str) -> Result<Task, TomlError> {
        let mut data = tempfile::NamedTempFile::new().expect("the temporary folder can be written");
        writeln!(data, "{{}}").expect("the temporary file can be written");
        let head =
            format!("name = \"sums\"\ndata = \"{}\"\nfields = [\"question\", \"answer\"]\n", data.path().display());
        Task::parse(&TomlFile::from_text("tasks/sums.toml", head + templates))
    }

    #[test]
    fn a_field_that_examples_do_not_have_is_named_with_its_place() {
        let error =
            check("[[template]]\nname = \"ask\"\nprompt = \"Q: {{ qestion }}\"\ncompletion = \"{{ answer }}\"\n")
                .expect_err("`qestion` is no field")
                .to_string();
        assert!(error.starts_with("tasks/sums.toml:6:10: template `ask`, prompt, line 1, column 7:"), "{error}");
        assert!(error.contains("`qestion`") && error.contains("`question`, `answer`"), "{error}");
    }

    #[test]
    fn a_syntax_error_is_named_with_its_place() {
        let error = check("[[template]]\nname = \"ask\"\nprompt = \"{{ question }}\"\ncompletion = \"{% if %}\"\n")
            .expect_err("`if` needs a condition")
            .to_string();
        assert!(error.contains("tasks/sums.toml:7:14: template `ask`, completion, line 1"), "{error}");
    }

    #[test]
    fn two_templates_of_one_name_are_refused() {
        let one = "[[template]]\nname = \"ask\"\nprompt = \"{{ question }}\"\ncompletion = \"{{ answer }}\"\n";
        let error = check(&one.repeat(2)).expect_err("the name stands twice").to_string();
        assert!(error.contains("two templates named `ask`"), "{error}");
    }
}
