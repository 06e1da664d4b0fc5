//! The one renderer of prompts.
//!
//! Templates are Jinja, by `minijinja`: nothing is escaped, a trailing line break stays, and a field that is not there is an
//! error, never an empty string. Besides its own filters there is `regex_replace(pattern, with)`.
//!
//! ```text
//! example -> values -> parts of a template -> (demonstrations before the prompt) -> row of a mixture, question of an evaluation
//! ```

mod demonstrations;
mod environment;

use std::collections::BTreeSet;

use minijinja::{Environment, Value};

pub use demonstrations::Demonstrations;
pub(crate) use environment::{environment, message};

use crate::{
    examples::{ExpressionFault, Expressions, Object, Values, known_names},
    task::{Form, Parts, Task},
};

/// The token that begins a structured sequence.
pub const START: &str = "<|start|>";
/// The token between the texts of a structured sequence.
pub const DELIMITER: &str = "<|delimiter|>";
/// The token at which a head reads a structured sequence.
pub const EXTRACT: &str = "<|extract|>";

/// The variable that stands for one of the choices in a sequence.
const ALTERNATIVE: &str = "alternative";

/// The templates and expressions of a task, compiled.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
    expressions: Expressions,
    /// For each template and part: whether it stands for one sequence for each alternative.
    alternatives: Vec<Vec<bool>>,
}

/// An example put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The words. Of sequences there is one for each alternative, where they use it.
    pub parts: Parts,
    /// For sequences: the number of the right choice.
    pub label: Option<usize>,
}

/// What is wrong with a template, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The template's number in the task, from 0.
    pub template: usize,
    /// The number of its part, in the order of [`Parts::texts`].
    pub part: usize,
    /// The byte within the part, from 0.
    pub at: usize,
    /// The line within the part, from 1.
    pub line: usize,
    /// The column within that line, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Why a task's templates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RendererFault {
    /// A template.
    Template(TemplateFault),
    /// An expression.
    Expression(ExpressionFault),
}

/// An example that a template cannot render.
#[derive(Debug, thiserror::Error)]
#[error("template `{template}` of task `{task}`{place}: {message}")]
pub struct RenderError {
    task: String,
    template: String,
    /// The part, the line and the column, where they are known.
    place: String,
    message: String,
    fault: Option<Box<TemplateFault>>,
}

impl RenderError {
    /// An example that means nothing to the task.
    #[must_use]
    pub fn meaning(task: &Task, message: String) -> Self {
        let template = "any".to_owned();
        Self { task: task.name.clone(), template, place: String::new(), message, fault: None }
    }

    /// An example that a template cannot render, and where in the template it fails.
    fn in_template(task: &Task, fault: TemplateFault) -> Self {
        let template = &task.templates[fault.template];
        let key = template.parts.texts().get(fault.part).map_or("", |(key, _)| key);
        Self {
            task: task.name.clone(),
            template: template.name.clone(),
            place: format!(", {key}, line {}, column {}", fault.line, fault.column),
            message: fault.message.clone(),
            fault: Some(Box::new(fault)),
        }
    }

    /// The name of the task.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The name of the template; `any` where the example means nothing to the task.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Where a template fails; none where the example means nothing to the task.
    #[must_use]
    pub fn fault(&self) -> Option<&TemplateFault> {
        self.fault.as_deref()
    }
}

impl Renderer {
    /// Compiles the templates and expressions of `task`.
    ///
    /// # Errors
    /// The first that does not parse, or that uses a field which the task does not have.
    pub fn new(task: &Task) -> Result<Self, RendererFault> {
        let expressions = Expressions::new(&task.rules).map_err(RendererFault::Expression)?;
        let known = known_names(&task.rules);
        let mut environment = environment();
        let mut alternatives = Vec::new();
        for (number, template) in task.templates.iter().enumerate() {
            let in_sequences: &[&str] = match template.parts.form() {
                Form::Sequences => &["start", "delimiter", "extract", ALTERNATIVE],
                _ => &[],
            };
            let mut each = Vec::new();
            for (part, (_, source)) in template.parts.texts().into_iter().enumerate() {
                let used = compile(&mut environment, &name(number, part), source)
                    .map_err(|(at, message)| RendererFault::Template(fault(number, part, source, at, message)))?;
                let is_known = |field: &String| known.contains(field) || in_sequences.contains(&field.as_str());
                if let Some(unknown) = used.iter().find(|field| !is_known(field)) {
                    let at = position(source, unknown);
                    let message = format!("there is no field `{unknown}`");
                    return Err(RendererFault::Template(fault(number, part, source, at, message)));
                }
                each.push(used.contains(ALTERNATIVE));
            }
            alternatives.push(each);
        }
        Ok(Self { environment, expressions, alternatives })
    }

    /// What an example means; none for one that the task does not want.
    ///
    /// # Errors
    /// When the example lacks a field, or its answer is none of the choices.
    pub fn values(&self, task: &Task, example: &Object) -> Result<Option<Values>, RenderError> {
        self.expressions.values(&task.rules, example).map_err(|message| RenderError::meaning(task, message))
    }

    /// The examples that a row of data makes.
    ///
    /// # Errors
    /// When the row lacks a field.
    pub fn items(&self, task: &Task, row: Object) -> Result<Vec<Object>, RenderError> {
        self.expressions.items(row).map_err(|message| RenderError::meaning(task, message))
    }

    /// Puts an example into the words of template number `template`.
    ///
    /// # Errors
    /// When a filter does not take a value, or a sequence needs a label that the example does not have.
    pub fn render(&self, task: &Task, template: usize, values: &Values) -> Result<Rendered, RenderError> {
        let own = &task.templates[template];
        let with = |part: usize, known: Value| {
            let compiled = self.environment.get_template(&name(template, part));
            compiled.and_then(|compiled| compiled.render(known)).map_err(|error| {
                let source = own.parts.texts()[part].1;
                RenderError::in_template(task, fault(template, part, source, at(&error, source), message(&error)))
            })
        };
        let plain = Value::from(values.known.clone());
        let part = |number: usize| with(number, plain.clone());
        let parts = match &task.templates[template].parts {
            Parts::Completion { .. } => Parts::Completion { prompt: part(0)?, completion: part(1)? },
            Parts::Preference { .. } => Parts::Preference { prompt: part(0)?, chosen: part(1)?, rejected: part(2)? },
            Parts::Retrieval { .. } => Parts::Retrieval { query: part(0)?, positive: part(1)? },
            Parts::Sequences { sequences } => {
                let label = values.answer_number.ok_or_else(|| RenderError {
                    task: task.name.clone(),
                    template: own.name.clone(),
                    place: String::new(),
                    message: "there is no number of a choice".to_owned(),
                    fault: None,
                })?;
                let mut known = values.known.clone();
                known.extend(
                    [("start", START), ("delimiter", DELIMITER), ("extract", EXTRACT)]
                        .map(|(name, token)| (name.to_owned(), Value::from(token))),
                );
                let mut made = Vec::new();
                for number in 0..sequences.len() {
                    if !self.alternatives[template][number] {
                        made.push(with(number, Value::from(known.clone()))?);
                        continue;
                    }
                    for choice in &values.choices {
                        known.insert(ALTERNATIVE.to_owned(), Value::from(choice.as_str()));
                        made.push(with(number, Value::from(known.clone()))?);
                    }
                }
                return Ok(Rendered { parts: Parts::Sequences { sequences: made }, label: Some(label) });
            }
        };
        Ok(Rendered { parts, label: None })
    }
}

/// Compiles a part and says which variables it uses, in their order; else where it is wrong, in bytes, and how.
fn compile(
    environment: &mut Environment<'static>,
    name: &str,
    source: &str,
) -> Result<BTreeSet<String>, (usize, String)> {
    environment
        .add_template_owned(name.to_owned(), source.to_owned())
        .map_err(|error| (at(&error, source), message(&error)))?;
    let used = environment.get_template(name).map(|compiled| compiled.undeclared_variables(false));
    let is_global = |field: &String| environment.globals().any(|(global, _)| global == field);
    Ok(used.unwrap_or_default().into_iter().filter(|field| !is_global(field)).collect())
}

/// The byte of a part at which the engine says that it is wrong; the start of the line, where it says no more.
fn at(error: &minijinja::Error, source: &str) -> usize {
    let line = error.line().unwrap_or(1).saturating_sub(1);
    let start = || source.split_inclusive('\n').take(line).map(str::len).sum();
    error.range().map_or_else(start, |range| range.start)
}

fn fault(template: usize, part: usize, source: &str, at: usize, message: String) -> TemplateFault {
    let at = source.floor_char_boundary(at.min(source.len()));
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
    TemplateFault { template, part, at, line, column, message }
}

fn name(template: usize, part: usize) -> String {
    format!("{template}/{part}")
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
    use crate::{
        examples::{Choices, ExampleRules},
        task::{PromptStyle, TaskKind, Template},
    };

    fn task(rules: ExampleRules, parts: Parts) -> Task {
        let template = Template {
            name: "ask".into(),
            prompt_style: PromptStyle::Plain,
            inverted: false,
            preamble: String::new(),
            pattern: None,
            parts,
        };
        Task {
            name: "sums".into(),
            title: String::new(),
            version: 1,
            kind: TaskKind::Generation,
            licence: None,
            metric: None,
            scoring: None,
            rules,
            examples: vec![],
            files: std::collections::BTreeMap::new(),
            templates: vec![template],
        }
    }

    fn completion(prompt: &str, completion: &str) -> Parts {
        Parts::Completion { prompt: prompt.into(), completion: completion.into() }
    }

    fn render(task: &Task, example: &serde_json::Value) -> Result<Rendered, RenderError> {
        let renderer = Renderer::new(task).expect("the templates are sound");
        let object = example.as_object().expect("an example is an object");
        let values = renderer.values(task, object)?.expect("the example is wanted");
        renderer.render(task, 0, &values)
    }

    fn fields(names: &[&str]) -> ExampleRules {
        let answer = names.contains(&"answer").then(|| "answer".to_owned());
        ExampleRules { fields: names.iter().map(|name| (*name).into()).collect(), answer, ..ExampleRules::default() }
    }

    #[test]
    fn nothing_is_escaped_and_no_line_break_is_lost() {
        let parts =
            completion("{{ question }}\n{% for side in sides %}- {{ side }}\n{% endfor %}\n", " {{ answer }}\n");
        let task = task(fields(&["question", "sides", "answer"]), parts);
        let example = json!({"question": "Is 1 < 2 & \"so\"?", "sides": ["yes", "no"], "answer": 1});
        let rendered = render(&task, &example).expect("the example has all fields");
        let prompt = "Is 1 < 2 & \"so\"?\n- yes\n- no\n\n".to_owned();
        assert_eq!(rendered.parts, Parts::Completion { prompt, completion: " 1\n".into() });
    }

    #[test]
    fn a_missing_field_is_an_error_and_no_empty_string() {
        let task = task(fields(&["question", "answer"]), completion("{{ question }}", "{{ answer }}"));
        let error = render(&task, &json!({"question": "?"})).expect_err("`answer` is missing");
        assert!(error.to_string().contains("of task `sums`"), "{error}");
    }

    #[test]
    fn a_sequence_stands_for_every_alternative() {
        let rules = ExampleRules {
            choices: Some(Choices::Each("[one, two]".into())),
            answer: Some("label".into()),
            ..fields(&["premise", "one", "two", "label"])
        };
        let sequence = "{{ start }}{{ premise }}{{ delimiter }}{{ alternative }}{{ extract }}";
        let task = task(rules, Parts::Sequences { sequences: vec![sequence.into()] });
        let example = json!({"premise": "It rained.", "one": "It was dry.", "two": "It was wet.", "label": 1});
        let rendered = render(&task, &example).expect("the example is whole");
        let expected = ["dry", "wet"].map(|end| format!("<|start|>It rained.<|delimiter|>It was {end}.<|extract|>"));
        let parts = Parts::Sequences { sequences: expected.to_vec() };
        assert_eq!(rendered, Rendered { parts, label: Some(1) });
    }

    #[test]
    fn an_answer_outside_of_the_choices_is_an_error() {
        let rules = ExampleRules {
            choices: Some(Choices::Fixed(vec!["yes".into(), "no".into()])),
            ..fields(&["question", "answer"])
        };
        let task = task(rules, completion("{{ question }}\n{{ options }}\n", "{{ answer }}"));
        let error = render(&task, &json!({"question": "?", "answer": "perhaps"})).expect_err("perhaps is no choice");
        assert!(error.to_string().contains("\"perhaps\" is none of the choices"), "{error}");
        let rendered = render(&task, &json!({"question": "?", "answer": "no"})).expect("no is a choice");
        let prompt = "?\nOPTIONS:\n- yes\n- no\n".to_owned();
        assert_eq!(rendered.parts, Parts::Completion { prompt, completion: "no".into() });
    }
}
