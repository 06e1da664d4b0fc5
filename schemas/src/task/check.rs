//! From a task as it is written to a task that can be used.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::{Path, PathBuf},
};

use regex::Regex;

use super::{ChoicesDefinition, Parts, Split, Task, TaskDefinition, Template, TemplateDefinition, shipped};
use crate::{
    columns::{CHOSEN, COMPLETION, POSITIVE, PROMPT, QUERY, REJECTED},
    examples::{Choices, ExampleRules, ExpressionFault},
    paths::NamedFolders,
    prompt::{RenderError, Renderer, RendererFault, TemplateFault},
    toml_file::{Spanned, TomlError, TomlFile},
};

/// Whether a task's data is looked for.
#[derive(Debug, Clone, Copy)]
pub enum Folders<'a> {
    /// It must be there, in folders of these names.
    Named(&'a NamedFolders),
    /// Only the task's words are wanted.
    Unread,
}

/// Names that the program gives to values, and fields may not have.
const TAKEN: [&str; 10] = [
    "row",
    "item",
    "choices",
    "options",
    "references",
    "answer_number",
    "start",
    "delimiter",
    "extract",
    "alternative",
];

impl Task {
    /// Reads and checks a task: a file, or the name of a shipped one.
    ///
    /// # Errors
    /// An unknown key, a missing data file, two templates of one name, a template with a syntax error or with a field
    /// that examples do not have, an example that a template cannot render: each with path, line and column.
    pub fn read(path: &Path, folders: Folders<'_>) -> Result<Self, TomlError> {
        Self::parse(&Self::file(path)?, folders)
    }

    /// The error of a template that could not render an example, with its place in the file of the task, which is read once more; the error as
    /// it is, where that does not tell.
    #[must_use]
    pub fn locate<E: From<TomlError> + From<RenderError>>(path: &Path, error: RenderError) -> E {
        let file = Self::file(path).ok();
        let definition = file.as_ref().and_then(|file| file.parse::<TaskDefinition>(&[]).ok());
        let located = file.as_ref().zip(definition.as_ref()).and_then(|(file, definition)| {
            // the task may have been given fewer templates than the file has, and the file may be another by now
            let template = definition.template.iter().position(|own| own.get_ref().name == error.template())?;
            let fault = TemplateFault { template, ..error.fault()?.clone() };
            parts(definition.template[template].get_ref()).ok().filter(|parts| fault.part < parts.texts().len())?;
            Some(Check { file, definition }.template_fault(&fault, ""))
        });
        located.map_or_else(|| error.into(), Into::into)
    }

    /// The file of a task, or the text of a shipped one.
    fn file(path: &Path) -> Result<TomlFile, TomlError> {
        let name = path.to_string_lossy();
        match shipped().iter().find(|(known, _)| *known == name) {
            Some((_, text)) if !path.is_file() => Ok(TomlFile::from_text(format!("tasks/{name}.toml"), *text)),
            _ => TomlFile::read(path),
        }
    }

    /// The same, from a file that was read.
    ///
    /// # Errors
    /// See [`Task::read`].
    pub fn parse(file: &TomlFile, folders: Folders<'_>) -> Result<Self, TomlError> {
        let definition: TaskDefinition = file.parse(&[])?;
        Check { file, definition: &definition }.task(folders)
    }
}

struct Check<'a> {
    file: &'a TomlFile,
    definition: &'a TaskDefinition,
}

impl Check<'_> {
    fn task(&self, folders: Folders<'_>) -> Result<Task, TomlError> {
        let definition = self.definition;
        if definition.template.is_empty() {
            return Err(self.file.fault(definition.name.span(), "the task has no template"));
        }
        let task = Task {
            name: definition.name.get_ref().clone(),
            title: definition.title.clone(),
            version: definition.version,
            kind: definition.kind,
            licence: definition.licence.clone(),
            metric: definition.metric,
            scoring: definition.scoring,
            rules: self.rules()?,
            examples: definition.example.iter().map(|example| self.own_example(example)).collect::<Result<_, _>>()?,
            files: match folders {
                Folders::Named(folders) => self.files(folders)?,
                Folders::Unread => BTreeMap::new(),
            },
            templates: self.templates()?,
        };
        let renderer = Renderer::new(&task).map_err(|fault| self.describe(&task, fault))?;
        for example in &definition.example {
            self.try_example(&task, &renderer, example)?;
        }
        Ok(task)
    }

    fn rules(&self) -> Result<ExampleRules, TomlError> {
        let TaskDefinition { fields, each, filter, choices, answer, references, data, computed, .. } = self.definition;
        let names = fields.iter().chain(computed.keys());
        if let Some(taken) = names.clone().find(|name| TAKEN.contains(&name.get_ref().as_str())) {
            let message = format!("`{}` is a name that the program gives; name the field otherwise", taken.get_ref());
            return Err(self.file.fault(taken.span(), message));
        }
        if let Some(pattern) = &data.pattern {
            self.pattern(pattern)?;
        }
        let own = |text: &Spanned<String>| text.get_ref().clone();
        let has_answer = names.clone().any(|name| name.get_ref() == "answer");
        Ok(ExampleRules {
            format: data.format,
            columns: data.columns.clone(),
            pattern: data.pattern.as_ref().map(own),
            fields: fields.iter().map(own).collect(),
            each: each.as_ref().map(own),
            filter: filter.as_ref().map(own),
            computed: computed.iter().map(|(name, expression)| (own(name), own(expression))).collect(),
            choices: choices.as_ref().map(|choices| match choices.get_ref() {
                ChoicesDefinition::Fixed(choices) => Choices::Fixed(choices.clone()),
                ChoicesDefinition::Each(expression) => Choices::Each(expression.clone()),
            }),
            answer: answer.as_ref().map(own).or_else(|| has_answer.then(|| "answer".to_owned())),
            references: references.as_ref().map(own),
        })
    }

    fn pattern(&self, pattern: &Spanned<String>) -> Result<Regex, TomlError> {
        Regex::new(pattern.get_ref()).map_err(|error| self.file.fault(pattern.span(), error.to_string()))
    }

    fn files(&self, folders: &NamedFolders) -> Result<BTreeMap<Split, Vec<PathBuf>>, TomlError> {
        let data = &self.definition.data;
        let mut files = BTreeMap::new();
        for (split, patterns) in Split::ALL.into_iter().zip([&data.train, &data.validation, &data.test]) {
            let found = self.file.files_of(folders, patterns)?;
            if !found.is_empty() {
                files.insert(split, found);
            }
        }
        if files.is_empty() {
            return Err(self.file.fault(self.definition.name.span(), "the task has no data"));
        }
        Ok(files)
    }

    fn templates(&self) -> Result<Vec<Template>, TomlError> {
        let mut names = BTreeSet::new();
        let mut templates = Vec::new();
        for spanned in &self.definition.template {
            let template = spanned.get_ref();
            if !names.insert(&template.name) {
                let message = format!("there are two templates named `{}`", template.name);
                return Err(self.file.fault(spanned.span(), message));
            }
            let parts = parts(template).map_err(|message| {
                self.file.fault(spanned.span(), format!("template `{}`: {message}", template.name))
            })?;
            if let Some(pattern) = &template.pattern
                && self.pattern(pattern)?.captures_len() != 2
            {
                return Err(self.file.fault(pattern.span(), "the pattern of an answer has one group"));
            }
            templates.push(Template {
                name: template.name.clone(),
                prompt_style: template.prompt_style,
                inverted: template.inverted,
                preamble: template.preamble.clone(),
                pattern: template.pattern.as_ref().map(|pattern| pattern.get_ref().clone()),
                parts,
            });
        }
        Ok(templates)
    }

    /// Puts an example of the file through every template.
    fn try_example(&self, task: &Task, renderer: &Renderer, example: &Spanned<toml::Table>) -> Result<(), TomlError> {
        let fault = |message: String| self.file.fault(example.span(), message);
        let object = serde_json::from_str(&self.own_example(example)?).map_err(|error| fault(error.to_string()))?;
        for item in renderer.items(task, object).map_err(|error| fault(error.to_string()))? {
            let Some(values) = renderer.values(task, &item).map_err(|error| fault(error.to_string()))? else {
                continue;
            };
            for template in 0..task.templates.len() {
                renderer.render(task, template, &values).map_err(|error| match error.fault() {
                    Some(own) => {
                        let line = self.file.line_of(example.span().start);
                        self.template_fault(own, &format!(", on the example in line {line}"))
                    }
                    None => fault(error.to_string()),
                })?;
            }
        }
        Ok(())
    }

    /// An example of the file as JSON.
    fn own_example(&self, example: &Spanned<toml::Table>) -> Result<String, TomlError> {
        serde_json::to_string(example.get_ref()).map_err(|error| self.file.fault(example.span(), error.to_string()))
    }

    fn describe(&self, task: &Task, fault: RendererFault) -> TomlError {
        let fields = task.rules.fields.join("`, `");
        match fault {
            RendererFault::Template(fault) => {
                self.template_fault(&fault, &format!("; the task's fields are `{fields}`"))
            }
            RendererFault::Expression(ExpressionFault { key, message }) => {
                let span = self.expression_span(&key);
                self.file.fault(span, format!("`{key}`: {message}; the task's fields are `{fields}`"))
            }
        }
    }

    /// A fault of a template, at its place in the file, with more words behind it.
    fn template_fault(&self, fault: &TemplateFault, more: &str) -> TomlError {
        let TemplateFault { template, part, at, line, column, message } = fault;
        let own = self.definition.template[*template].get_ref();
        let parts = parts(own).unwrap_or_else(|message| unreachable!("the parts were checked: {message}"));
        let key = parts.texts()[*part].0;
        let span = self.file.within_string(part_span(own, key, *part), *at);
        let place = format!("template `{}`, {key}, line {line}, column {column}", own.name);
        self.file.fault(span, format!("{place}: {message}{more}"))
    }

    fn expression_span(&self, key: &str) -> Range<usize> {
        let TaskDefinition { name, each, filter, choices, answer, references, computed, .. } = self.definition;
        let span = |text: &Option<Spanned<String>>| text.as_ref().map(Spanned::span);
        let found = match key {
            "each" => span(each),
            "filter" => span(filter),
            "answer" => span(answer),
            "references" => span(references),
            "choices" => choices.as_ref().map(Spanned::span),
            _ => key
                .strip_prefix("computed.")
                .and_then(|key| computed.iter().find(|(name, _)| name.get_ref() == key))
                .map(|(_, expression)| expression.span()),
        };
        found.unwrap_or_else(|| name.span())
    }
}

/// What a template makes, by the keys that it has.
fn parts(template: &TemplateDefinition) -> Result<Parts, &'static str> {
    let TemplateDefinition { prompt, completion, chosen, rejected, query, positive, sequences, .. } = template;
    let own = |text: &Spanned<String>| text.get_ref().clone();
    match (prompt, completion, chosen, rejected, query, positive, sequences) {
        (Some(prompt), Some(completion), None, None, None, None, None) => {
            Ok(Parts::Completion { prompt: own(prompt), completion: own(completion) })
        }
        (Some(prompt), None, Some(chosen), Some(rejected), None, None, None) => {
            Ok(Parts::Preference { prompt: own(prompt), chosen: own(chosen), rejected: own(rejected) })
        }
        (None, None, None, None, Some(query), Some(positive), None) => {
            Ok(Parts::Retrieval { query: own(query), positive: own(positive) })
        }
        (None, None, None, None, None, None, Some(sequences)) if !sequences.is_empty() => {
            Ok(Parts::Sequences { sequences: sequences.iter().map(own).collect() })
        }
        _ => Err(
            "it has `prompt` and `completion`, or `prompt`, `chosen` and `rejected`, or `query` and `positive`, or `sequences`",
        ),
    }
}

fn part_span(template: &TemplateDefinition, key: &str, number: usize) -> Range<usize> {
    let TemplateDefinition { prompt, completion, chosen, rejected, query, positive, sequences, .. } = template;
    let text = match key {
        PROMPT => prompt,
        COMPLETION => completion,
        CHOSEN => chosen,
        REJECTED => rejected,
        QUERY => query,
        POSITIVE => positive,
        _ => &sequences.as_ref().and_then(|sequences| sequences.get(number)).cloned(),
    };
    text.as_ref().map_or(0..0, Spanned::span)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: &str = "[[template]]\nname = \"ask\"\nprompt = \"{{ question }}\"\ncompletion = \" {{ answer }}\"\n";

    fn check(head: &str, templates: &str) -> Result<Task, TomlError> {
        let names = "name = \"sums\"\nkind = \"arithmetic\"\nfields = [\"question\", \"answer\"]\n";
        let text = format!("{names}{head}[data]\ntrain = [\"sums.jsonl\"]\n{templates}");
        Task::parse(&TomlFile::from_text("tasks/sums.toml", text), Folders::Unread)
    }

    fn refusal(head: &str, templates: &str) -> String {
        check(head, templates).expect_err("the task is wrong").to_string()
    }

    #[test]
    fn a_field_that_examples_do_not_have_is_named_with_its_place() {
        let error = refusal("", &ASK.replace("{{ question }}", "Q: {{ qestion }}"));
        assert!(error.starts_with("tasks/sums.toml:8:17: template `ask`, prompt, line 1, column 7:"), "{error}");
        assert!(error.contains("`qestion`") && error.contains("`question`, `answer`"), "{error}");
        let error = refusal("choices = \"[anser]\"\n", ASK);
        assert!(error.starts_with("tasks/sums.toml:4:11: `choices`: there is no field `anser`"), "{error}");
    }

    #[test]
    fn a_syntax_error_is_named_with_its_place() {
        let error = refusal("", &ASK.replace("{{ answer }}", "{% if %}"));
        assert!(error.contains("tasks/sums.toml:9:22: template `ask`, completion, line 1, column 8"), "{error}");
    }

    #[test]
    fn a_fault_within_a_long_template_is_shown_in_its_own_line() {
        let long = "\"\"\"\nFirst.\\n\\u00e9 \\\n   {{ question }}\n{{ qestion }}\n\"\"\"";
        let error = refusal("", &ASK.replace("\"{{ question }}\"", long));
        assert!(error.starts_with("tasks/sums.toml:11:4: template `ask`, prompt, line 3, column 4:"), "{error}");
        assert!(error.contains("11 | {{ qestion }}\n   |    ^"), "{error}");
        let error = refusal("", &ASK.replace("\"{{ question }}\"", "\"A\\tb\\n{{ qestion }}\""));
        assert!(error.starts_with("tasks/sums.toml:8:20: template `ask`, prompt, line 2, column 4:"), "{error}");
    }

    #[test]
    fn a_template_that_cannot_render_an_example_is_shown() {
        let example = "[[example]]\nquestion = \"1+1\"\nanswer = \"2\"\n";
        let ask = ASK.replace("{{ question }}", "{{ question | regex_replace('(', '') }}");
        let error = refusal("", &format!("{ask}{example}"));
        assert!(error.starts_with("tasks/sums.toml:8:"), "{error}");
        assert!(
            error.contains("template `ask`, prompt, line 1") && error.contains("on the example in line 10"),
            "{error}"
        );
    }

    #[test]
    fn two_templates_of_one_name_are_refused() {
        let error = refusal("", &ASK.repeat(2));
        assert!(error.contains("two templates named `ask`"), "{error}");
    }

    #[test]
    fn a_template_has_the_parts_of_one_form() {
        let error = refusal("", &ASK.replace("completion", "chosen"));
        assert!(error.contains("template `ask`: it has `prompt` and `completion`, or"), "{error}");
    }

    #[test]
    fn an_example_that_a_template_cannot_render_is_shown() {
        let error = refusal("", &format!("{ASK}[[example]]\nquestion = \"1+1\"\n"));
        assert!(error.contains("tasks/sums.toml:10:1") && error.contains("there is no `answer`"), "{error}");
    }

    #[test]
    fn data_must_be_there() {
        let text = format!(
            "name = \"sums\"\nkind = \"arithmetic\"\nfields = [\"question\", \"answer\"]\n[data]\ntrain = [\"{{data}}/s.jsonl\"]\n{ASK}"
        );
        let file = TomlFile::from_text("tasks/sums.toml", text);
        let refusal = |folders: &NamedFolders| {
            Task::parse(&file, Folders::Named(folders)).expect_err("there is no such file").to_string()
        };
        assert!(refusal(&NamedFolders::new()).contains("tasks/sums.toml:5:10: no folder is named `data`"));
        let folders = NamedFolders::from([("data".to_owned(), PathBuf::from("/nowhere"))]);
        assert!(refusal(&folders).contains("there is no file /nowhere/s.jsonl"));
    }
}
