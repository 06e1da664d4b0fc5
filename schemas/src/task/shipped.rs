//! The tasks that come with the program.

/// The file of a shipped task, by name.
macro_rules! tasks {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../tasks/", $name, ".toml")))),*]
    };
}

/// Every shipped task: its name and its file, in the order of the names. Their data lies in a folder `{data}`.
#[must_use]
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    tasks![
        "agnews",
        "agnews_title",
        "cb",
        "cot_aqua",
        "cot_creak",
        "cot_ecqa",
        "cot_gsm8k",
        "cot_qasc",
        "cot_sensemaking",
        "cot_strategyqa",
        "gsm8k",
        "qa_feedback",
        "rte",
        "sst2",
        "trec",
        "trec_fine",
        "xcopa_it",
        "xcopa_zh",
        "xquad_en",
        "xquad_retrieval",
        "xquad_zh",
    ]
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fmt::Write as _, path::Path};

    use regex::Regex;

    use crate::{
        examples::Values,
        prompt::Renderer,
        task::{Folders, Form, Parts, PromptStyle, Task},
    };

    /// The shipped tasks, and those of the fixture.
    fn tasks() -> Vec<Task> {
        let shipped = super::shipped().iter().map(|(name, _)| (*name).to_owned());
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tasks");
        let files = std::fs::read_dir(fixture).expect("the fixture has tasks");
        let files = files.map(|entry| entry.expect("an entry").path());
        let mut files: Vec<String> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        files.sort();
        let read = |name: String| Task::read(Path::new(&name), Folders::Unread).expect("the task is sound");
        shipped.chain(files).map(read).collect()
    }

    /// The examples of a task's file, with what they mean.
    fn examples(task: &Task, renderer: &Renderer) -> Vec<Values> {
        let rows = task.examples.iter().map(|row| serde_json::from_str(row).expect("it was checked"));
        let items = rows.flat_map(|row| renderer.items(task, row).expect("it was checked"));
        items.filter_map(|item| renderer.values(task, &item).expect("it was checked")).collect()
    }

    /// Every template of every task, on the first example of the task's own file.
    #[test]
    fn every_template_reads_well() {
        for task in tasks() {
            let renderer = Renderer::new(&task).expect("the templates are sound");
            let examples = examples(&task, &renderer);
            let example = examples.first().unwrap_or_else(|| panic!("`{}` has no example", task.name));
            let mut shown = String::new();
            for (number, template) in task.templates.iter().enumerate() {
                let rendered = renderer.render(&task, number, example).expect("it was checked");
                let label = rendered.label.map(|label| ("label", label.to_string()));
                let texts = rendered.parts.texts().into_iter().map(|(name, text)| (name, text.to_owned()));
                let inverted = if template.inverted { ", inverted" } else { "" };
                writeln!(shown, "===== {} ({:?}{inverted})", template.name, template.prompt_style)
                    .expect("a string grows");
                for (name, text) in texts.chain(label) {
                    writeln!(shown, "--- {name}\n{text}\u{23ce}").expect("a string grows");
                }
            }
            insta::assert_snapshot!(format!("task_{}", task.name), shown);
        }
    }

    /// Nothing runs together, nothing is empty, and what finds an answer in a completion finds the right one.
    #[test]
    fn prompts_and_completions_fit_together() {
        for task in tasks() {
            let renderer = Renderer::new(&task).expect("the templates are sound");
            for example in examples(&task, &renderer) {
                for (number, template) in task.templates.iter().enumerate() {
                    let place = format!("`{}` of `{}`", template.name, task.name);
                    let answers = match renderer.render(&task, number, &example).expect("it was checked").parts {
                        Parts::Completion { prompt, completion } => vec![(prompt, completion)],
                        Parts::Preference { prompt, chosen, rejected } => {
                            vec![(prompt.clone(), chosen), (prompt, rejected)]
                        }
                        Parts::Retrieval { .. } | Parts::Sequences { .. } => vec![],
                    };
                    for (prompt, completion) in &answers {
                        let ends = prompt.ends_with(char::is_whitespace);
                        assert_ne!(
                            ends,
                            completion.starts_with(char::is_whitespace),
                            "{place}: {prompt:?} {completion:?}"
                        );
                        assert!(!prompt.trim().is_empty() && !completion.trim().is_empty(), "{place}");
                    }
                    if let (Some(pattern), Some((_, completion))) = (&template.pattern, answers.first()) {
                        let pattern = Regex::new(pattern).expect("it was checked");
                        let found = pattern.captures(completion).map(|found| found[1].to_owned());
                        assert_eq!(found.as_deref(), Some(example.answer.as_str()), "{place}: {completion:?}");
                    }
                }
            }
        }
    }

    /// FLAN has ten templates a task, of which up to three are inverted, so that the label is given and the input asked for (Wei et al. 2021, section 2.1).
    #[test]
    fn tasks_have_as_many_templates_as_flan() {
        let mut counted = 0;
        for (name, _) in super::shipped() {
            let task = Task::read(Path::new(name), Folders::Unread).expect("the task is sound");
            let flan: Vec<_> = task
                .templates
                .iter()
                .filter(|template| {
                    template.prompt_style == PromptStyle::Flan && template.parts.form() == Form::Completion
                })
                .collect();
            if flan.is_empty() {
                continue;
            }
            let inverted = flan.iter().filter(|template| template.inverted).count();
            assert_eq!(flan.len(), 10, "{name}");
            assert!((1..=3).contains(&inverted), "{name}: {inverted} are inverted");
            counted += 1;
        }
        assert_eq!(counted, 19, "tasks with instructions");
    }

    /// Every kind of task and every prompt style is there.
    #[test]
    fn every_kind_and_manner_has_a_task() {
        let mut kinds = BTreeMap::new();
        let mut styles = BTreeMap::new();
        for task in tasks() {
            *kinds.entry(task.kind).or_insert(0) += 1;
            for template in &task.templates {
                *styles.entry(template.prompt_style).or_insert(0) += 1;
            }
        }
        assert_eq!((kinds.len(), styles.len()), (11, 7), "{kinds:?} {styles:?}");
    }
}
