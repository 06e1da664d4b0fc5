//! The one renderer of prompts.
//!
//! Templates are Jinja, by `minijinja`: nothing is escaped, a trailing line break stays, and a field that is not there is an
//! error, never an empty string.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Serde};

use crate::task::Task;

/// The templates of a task, compiled.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
    templates: usize,
}

/// An example put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What the model is given.
    pub prompt: String,
    /// What it should answer.
    pub completion: String,
}

/// What is wrong with a template, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The template's number in the task, from 0.
    pub template: usize,
    /// In its completion rather than its prompt.
    pub in_completion: bool,
    /// The line within the template, from 1.
    pub line: usize,
    /// The column within that line, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// An example that a template cannot render.
#[derive(Debug, thiserror::Error)]
#[error("template `{template}` of task `{task}`: {message}")]
pub struct RenderError {
    task: String,
    template: String,
    message: String,
}

impl Renderer {
    /// Compiles the templates of `task`.
    ///
    /// # Errors
    /// The first template that does not parse, or that uses a field which the task does not have.
    pub fn new(task: &Task) -> Result<Self, TemplateFault> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        environment.set_syntax(syntax.expect("Jinja's own delimiters are valid"));
        for (number, template) in task.templates.iter().enumerate() {
            for (in_completion, source) in [(false, &template.prompt), (true, &template.completion)] {
                let fault = |at: usize, message: String| {
                    let before = &source[..at.min(source.len())];
                    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
                    TemplateFault {
                        template: number,
                        in_completion,
                        line: before.matches('\n').count() + 1,
                        column: before[line_start..].chars().count() + 1,
                        message,
                    }
                };
                let name = name(number, in_completion);
                environment.add_template_owned(name.clone(), source.clone()).map_err(|error| {
                    let at = error.range().map_or(0, |range| range.start);
                    fault(at, error.detail().map_or_else(|| error.kind().to_string(), str::to_owned))
                })?;
                let used = environment.get_template(&name).map(|compiled| compiled.undeclared_variables(false));
                let known = |field: &String| {
                    task.fields.contains(field) || environment.globals().any(|(global, _)| global == field)
                };
                if let Some(unknown) = used.unwrap_or_default().into_iter().filter(|field| !known(field)).min() {
                    return Err(fault(position(source, &unknown), format!("there is no field `{unknown}`")));
                }
            }
        }
        Ok(Self { environment, templates: task.templates.len() })
    }

    /// How many templates there are.
    #[must_use]
    pub fn templates(&self) -> usize {
        self.templates
    }

    /// Puts `example`, a JSON object with the task's fields, into the words of template number `template`.
    ///
    /// # Errors
    /// When the example lacks a field, or a filter does not take its value.
    pub fn render(&self, task: &Task, template: usize, example: &serde_json::Value) -> Result<Rendered, RenderError> {
        let values = Value::from(Serde(example));
        let part = |in_completion| {
            self.environment
                .get_template(&name(template, in_completion))
                .and_then(|compiled| compiled.render(&values))
                .map_err(|error| RenderError {
                    task: task.name.clone(),
                    template: task.templates[template].name.clone(),
                    message: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
                })
        };
        Ok(Rendered { prompt: part(false)?, completion: part(true)? })
    }
}

fn name(template: usize, in_completion: bool) -> String {
    format!("{template}/{}", if in_completion { "completion" } else { "prompt" })
}

/// Where `word` first stands in `source` as a whole word.
fn position(source: &str, word: &str) -> usize {
    let inside = |character: char| character.is_alphanumeric() || character == '_';
    source
        .match_indices(word)
        .map(|(at, _)| at)
        .find(|&at| !source[..at].ends_with(inside) && !source[at + word.len()..].starts_with(inside))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::task::Template;

    fn task(prompt: &str, completion: &str) -> Task {
        Task {
            name: "sums".into(),
            data: "sums.jsonl".into(),
            fields: vec!["question".into(), "options".into(), "answer".into()],
            templates: vec![Template { name: "ask".into(), prompt: prompt.into(), completion: completion.into() }],
        }
    }

    #[test]
    fn nothing_is_escaped_and_no_line_break_is_lost() {
        let task = task("{{ question }}\n{% for option in options %}- {{ option }}\n{% endfor %}\n", " {{ answer }}\n");
        let renderer = Renderer::new(&task).expect("the templates are sound");
        let example = json!({"question": "Is 1 < 2 & \"so\"?", "options": ["yes", "no"], "answer": 1});
        let rendered = renderer.render(&task, 0, &example).expect("the example has all fields");
        assert_eq!(rendered.prompt, "Is 1 < 2 & \"so\"?\n- yes\n- no\n\n");
        assert_eq!(rendered.completion, " 1\n");
    }

    #[test]
    fn a_missing_field_is_an_error_and_no_empty_string() {
        let task = task("{{ question }}", "{{ answer }}");
        let renderer = Renderer::new(&task).expect("the templates are sound");
        let error = renderer.render(&task, 0, &json!({"question": "?"})).expect_err("`answer` is missing");
        assert!(error.to_string().contains("template `ask` of task `sums`"), "{error}");
    }
}
