//! Examples of a task in the words of a template, behind demonstrations.
//!
//! ```text
//! pool       the first examples by draw of the split that demonstrations come from
//! shown      for each example and template: the pool in an order that both draw, without the example itself
//! question   preamble + shown + prompt; the answer to it, and what every choice would be as the answer
//! ```
//!
//! All words come from [`schemas::prompt`], and draws are those of `curate render`: an example has the prompt that training data with as many
//! demonstrations has under the same seed, to the byte. Of preferences, before which `curate` puts none, the better answer is shown.
//!
//! Source: Brown et al. 2020 (GPT-3), section 2.4.

use std::sync::OnceLock;

use minijinja::Value;
use schemas::{
    examples::Values,
    prompt::{Demonstrations, RenderError, Rendered, Renderer},
    task::{Form, Parts, Task},
};

use super::{
    draw::{draw, draw_of},
    figures::Method,
};
use crate::{
    data::{TaskExample, TaskExamples},
    error::{Error, Result},
};

/// Most examples of a pool.
const POOL: usize = 1024;
/// The name that draws are made for, as `curate render` makes them.
const MIXTURE: &str = "render";

/// How demonstrations are chosen, and what stands between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownConfig {
    /// The seed.
    pub seed: u64,
    /// Whether all examples show the same, and not each its own.
    pub same: bool,
    /// What stands behind each: one line break, or two.
    pub separator: String,
}

/// A task, ready to be put into words.
#[derive(Debug)]
pub struct TaskPrompts {
    task: Task,
    renderer: Renderer,
    config: ShownConfig,
    pool: Vec<(String, Values)>,
    /// The examples of the task's own file.
    own: Vec<Values>,
    /// The pool in the words of each template, once they are wanted.
    shown: Vec<OnceLock<Parts>>,
}

/// An example in words, before demonstrations are put in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedExample {
    /// What the model is given, and what it should answer.
    pub right: Parts,
    /// The same with each of the choices as its answer.
    pub choices: Vec<Parts>,
    /// The names of the choices.
    pub names: Vec<String>,
    /// The number of the right one.
    pub gold: Option<usize>,
    /// The right answer, without the template's words.
    pub answer: String,
    /// All that are right.
    pub references: Vec<String>,
}

/// A prompt with what could follow on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What the model is given; of choices that stand in it, one for each.
    pub prompts: Vec<String>,
    /// The answer to the first in the template's words; or that of each choice.
    pub answers: Vec<String>,
}

impl TaskPrompts {
    /// - `pool`: examples that others may show; nothing, where none is shown
    ///
    /// # Errors
    /// When one of them means nothing to the task.
    pub fn new(task: Task, pool: &[TaskExample], config: ShownConfig) -> Result<Self> {
        let renderer = Renderer::new(&task)
            .unwrap_or_else(|fault| unreachable!("the templates of `{}` were checked: {fault:?}", task.name));
        let mut drawn: Vec<&TaskExample> = pool.iter().collect();
        drawn.sort_by_cached_key(|example| (draw(config.seed, "pool/render", &example.id), example.id.clone()));
        drawn.truncate(POOL);
        let mut known = Vec::new();
        for example in drawn {
            known.extend(renderer.values(&task, &example.object)?.map(|values| (example.id.clone(), values)));
        }
        let mut own = Vec::new();
        for example in TaskExamples::own(&task)?.examples {
            own.extend(renderer.values(&task, &example.object)?);
        }
        let shown = (0..known.len() * task.templates.len()).map(|_| OnceLock::new()).collect();
        Ok(Self { task, renderer, config, pool: known, own, shown })
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Examples in the pool.
    #[must_use]
    pub fn pool(&self) -> usize {
        self.pool.len()
    }

    /// An example in the words of a template.
    ///
    /// # Errors
    /// When the template cannot render it.
    pub fn asked(&self, template: usize, example: &TaskExample) -> Result<RenderedExample> {
        let values = self.renderer.values(&self.task, &example.object)?;
        let unwanted = || RenderError::meaning(&self.task, "the task does not want this example".to_owned());
        let values = values.ok_or_else(unwanted)?;
        let right = self.render(template, &values)?;
        let (choices, names, gold) = match &right {
            Parts::Preference { prompt, chosen, rejected } => {
                let with =
                    |completion: &String| Parts::Completion { prompt: prompt.clone(), completion: completion.clone() };
                let names = ["chosen", "rejected"].map(str::to_owned).to_vec();
                (vec![with(chosen), with(rejected)], names, Some(0))
            }
            _ => {
                let each = (0..values.choices.len()).map(|number| self.render(template, &with_answer(&values, number)));
                (each.collect::<Result<_>>()?, values.choices.clone(), values.answer_number)
            }
        };
        Ok(RenderedExample { right, choices, names, gold, answer: values.answer, references: values.references })
    }

    /// Checks that an example's choices can be told apart in the words of a template.
    ///
    /// - `id`: the example's, for the error
    ///
    /// # Errors
    /// When two choices have the same words, though not the same name: the template does not say which is the answer.
    pub fn check_choices(&self, template: usize, id: &str, asked: &RenderedExample) -> Result<()> {
        let Some([one, other]) = asked.alike() else { return Ok(()) };
        Err(Error::Evaluation {
            what: format!("task `{}`, template `{}`", self.task.name, self.task.templates[template].name),
            message: format!(
                "it has the same words for the choices `{one}` and `{other}` of example {id}: for choices it has to use `answer`"
            ),
        })
    }

    /// Whether right answers by a template have several lines: those of the task's own examples and, where any are shown, those of the pool.
    /// What is evaluated is not looked at.
    ///
    /// # Errors
    /// When the template cannot render one of them.
    pub fn has_lines(&self, template: usize, shows: bool) -> Result<bool> {
        let has = |parts: &Parts| match parts {
            Parts::Completion { completion, .. } => completion.trim().contains('\n'),
            _ => false,
        };
        for values in &self.own {
            if has(&self.render(template, values)?) {
                return Ok(true);
            }
        }
        let pool = if shows { self.pool.len() } else { 0 };
        for number in 0..pool {
            if has(self.rendered(template, number)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn render(&self, template: usize, values: &Values) -> Result<Parts> {
        let Rendered { parts, .. } = self.renderer.render(&self.task, template, values)?;
        Ok(parts)
    }

    /// What an example shows, as far as it is asked for: the pool in the order that it draws.
    pub fn shown<'p>(&'p self, template: usize, id: &'p str) -> impl Iterator<Item = Result<&'p Parts>> + 'p {
        let count = self.pool.len();
        let mut taken = vec![false; count];
        (0..count as u64).filter_map(move |turn| {
            #[expect(clippy::cast_possible_truncation, reason = "the remainder is below the pool's length")]
            let mut number = (self.draw(template, id, turn) % count as u64) as usize;
            // the next that has not been drawn yet
            while taken[number] {
                number = (number + 1) % count;
            }
            taken[number] = true;
            (self.pool[number].0 != id).then(|| self.rendered(template, number))
        })
    }

    fn draw(&self, template: usize, id: &str, turn: u64) -> u64 {
        let (copy, turn) = (0u32.to_le_bytes(), turn.to_le_bytes());
        let id = if self.config.same { "" } else { id };
        let name = &self.task.templates[template].name;
        let parts: [&[u8]; 6] = [b"demonstration", MIXTURE.as_bytes(), id.as_bytes(), name.as_bytes(), &copy, &turn];
        draw_of(self.config.seed, &parts)
    }

    /// An example of the pool in the words of a template.
    fn rendered(&self, template: usize, number: usize) -> Result<&Parts> {
        let cell = &self.shown[template * self.pool.len() + number];
        if let Some(shown) = cell.get() {
            return Ok(shown);
        }
        let rendered = match self.render(template, &self.pool[number].1)? {
            Parts::Preference { prompt, chosen, .. } => Parts::Completion { prompt, completion: chosen },
            other => other,
        };
        Ok(cell.get_or_init(|| rendered))
    }

    /// The question of an example behind what it shows; with `by_choice`, the prompts and answers of its choices.
    #[must_use]
    pub fn question(&self, template: usize, asked: &RenderedExample, shown: &[&Parts], by_choice: bool) -> Question {
        let demonstrations = Demonstrations { separator: self.config.separator.clone(), ..Demonstrations::fixed(0) };
        let preamble = &self.task.templates[template].preamble;
        let behind = |parts: &Parts| match demonstrations.before(preamble, shown.iter().copied(), parts.clone()) {
            Parts::Completion { prompt, completion } => (prompt, completion),
            other => unreachable!("{:?} is no question", other.form()),
        };
        if !by_choice {
            let (prompt, answer) = behind(&asked.right);
            return Question { prompts: vec![prompt], answers: vec![answer] };
        }
        let (mut prompts, answers): (Vec<String>, Vec<String>) = asked.choices.iter().map(behind).unzip();
        if prompts.iter().all(|prompt| *prompt == prompts[0]) {
            prompts.truncate(1);
        }
        Question { prompts, answers }
    }
}

impl RenderedExample {
    /// The names of two choices that have the same words, if there are such. Both answers of a preference may be the same.
    fn alike(&self) -> Option<[&str; 2]> {
        if matches!(self.right, Parts::Preference { .. }) {
            return None;
        }
        let each = || self.choices.iter().zip(&self.names);
        each().enumerate().find_map(|(place, (words, name))| {
            let is_alike = |(others, other): &(&Parts, &String)| *others == words && *other != name;
            each().skip(place + 1).find(is_alike).map(|(_, other)| [name.as_str(), other.as_str()])
        })
    }
}

/// What an example means, if a choice were its answer.
fn with_answer(values: &Values, choice: usize) -> Values {
    let mut values = values.clone();
    let answer = values.choices[choice].clone();
    values.known.insert("answer".to_owned(), Value::from(answer.as_str()));
    values.known.insert("answer_number".to_owned(), Value::from(choice));
    values.known.insert("references".to_owned(), Value::from(vec![answer.clone()]));
    Values { answer, answer_number: Some(choice), ..values }
}

/// Why a template is not for evaluation, if it is not.
///
/// - `asked`: what answers are to be judged from, where somebody asks for it
#[must_use]
pub fn template_fault(task: &Task, template: usize, asked: Option<Method>) -> Option<&'static str> {
    let template = &task.templates[template];
    if template.inverted {
        return Some("its input is made from the label, so that the answer would be given away");
    }
    let form = template.parts.form();
    let (has_answer, has_references) = (task.rules.answer.is_some(), task.rules.references.is_some());
    match (form, Method::of(task, template, asked)) {
        (Form::Sequences, _) => Some("it makes sequences for a classification head: `train classify` judges by them"),
        (Form::Retrieval, _) => Some("it makes questions with passages, for retrieval"),
        (Form::Preference, Method::Generation) => Some("its answers are compared by likelihood, not written"),
        (Form::Completion, Method::Choices) if !has_answer => {
            Some("the task has no `answer`, by which one of its choices is right")
        }
        (Form::Completion, Method::Generation) if !has_answer && !has_references => {
            Some("the task has neither `answer` nor `references`, by which what is written is right")
        }
        (Form::Completion | Form::Preference, _) => None,
    }
}

/// An error of a template, at its place in the task's file.
#[must_use]
pub fn located(path: &std::path::Path, error: Error) -> Error {
    match error {
        Error::Render(error) => Task::locate(path, error),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use schemas::{
        paths::NamedFolders,
        task::{Folders, Split},
    };

    use super::*;
    use crate::data::TaskExamples;

    fn prompts(name: &str, seed: u64, same: bool) -> (TaskPrompts, Vec<TaskExample>) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tasks").join(name);
        let task = Task::read(&path, Folders::Named(&NamedFolders::new())).expect("the task is sound");
        let read = |split| TaskExamples::read(&task, split).expect("the data is there").examples;
        let asked = if task.files.contains_key(&Split::Test) { Split::Test } else { Split::Train };
        let (pool, examples) = (read(Split::Train), read(asked));
        let config = ShownConfig { seed, same, separator: "\n\n".to_owned() };
        (TaskPrompts::new(task, &pool, config).expect("it can be put into words"), examples)
    }

    fn question(
        prompts: &TaskPrompts,
        template: &str,
        example: &TaskExample,
        shots: usize,
        by_choice: bool,
    ) -> Question {
        let template = prompts.task().templates.iter().position(|own| own.name == template).expect("it is there");
        let asked = prompts.asked(template, example).expect("it can be rendered");
        let shown = prompts.shown(template, &example.id).take(shots).collect::<Result<Vec<_>>>().expect("they can");
        prompts.question(template, &asked, &shown, by_choice)
    }

    /// What `curate render fixtures/tasks/numbers.toml --split test --template demonstrations --demonstrations 2 --count 0 --seed 7` prints
    /// for the first example.
    #[test]
    fn prompts_are_those_of_curate() {
        let (prompts, examples) = prompts("numbers.toml", 7, false);
        let found = question(&prompts, "demonstrations", &examples[0], 2, false);
        let expected = "Translate English to French.\n\nninety-three => quatre-vingt-treize\n\neighty-one => quatre-vingt-un\n\nnine =>";
        assert_eq!((&found.prompts[..], &found.answers[..]), (&[expected.to_owned()][..], &[" neuf".to_owned()][..]));
        assert_eq!(examples[0].id, "60d899e6e58c4a32a641d5aef0d35f85");
    }

    #[test]
    fn an_example_does_not_show_itself() {
        let (prompts, examples) = prompts("sums.toml", 1, false);
        for example in &examples[..20] {
            let question = &example.object["question"];
            let shown: Vec<_> =
                prompts.shown(0, &example.id).map(|shown| shown.expect("it is rendered").clone()).collect();
            assert_eq!(shown.len(), prompts.pool() - 1);
            let says = |parts: &Parts| parts.texts()[0].1.contains(question.as_str().expect("a text"));
            assert!(!shown.iter().any(says));
        }
    }

    /// With the same demonstrations for all, examples differ behind them only; fewer are the first of more.
    #[test]
    fn all_may_show_the_same() {
        let (prompts, examples) = prompts("numbers.toml", 7, true);
        let first = |example: &TaskExample, shots: usize| {
            let shown = prompts.shown(0, &example.id).take(shots).map(|shown| shown.expect("it is rendered"));
            shown.map(|parts| parts.texts()[0].1.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(first(&examples[0], 3), first(&examples[1], 3));
        assert_eq!(first(&examples[0], 3)[..2], first(&examples[0], 2));
    }

    #[test]
    fn every_choice_is_an_answer() {
        let (prompts, examples) = prompts("pairs.toml", 7, false);
        let found = question(&prompts, "say_the_same", &examples[0], 0, true);
        assert_eq!((found.prompts.len(), found.answers), (1, vec!["different".to_owned(), "the same".to_owned()]));
        let faults = |name: &str| {
            let number = prompts.task().templates.iter().position(|own| own.name == name).expect("it is there");
            template_fault(prompts.task(), number, None)
        };
        assert_eq!(faults("say_the_same"), None);
        assert!(faults("both_orders").is_some_and(|fault| fault.contains("train classify")));
    }

    /// Choices that have the same words are told by their names.
    #[test]
    fn choices_are_told_apart() {
        let (prompts, examples) = prompts("pairs.toml", 7, false);
        let template = prompts.task().templates.iter().position(|own| own.name == "prefix").expect("it is there");
        let mut asked = prompts.asked(template, &examples[0]).expect("it can be rendered");
        prompts.check_choices(template, "x", &asked).expect("they are different");
        let (words, name) = (asked.choices[0].clone(), asked.names[0].clone());
        asked.choices[1] = words;
        let error = prompts.check_choices(template, "x", &asked).expect_err("they are the same").to_string();
        assert!(error.contains("the choices `different` and `the same` of example x"), "{error}");
        asked.names[1] = name;
        prompts.check_choices(template, "x", &asked).expect("one choice may be there twice");
    }

    /// Of a preference the better answer is shown, and its answers are never written.
    #[test]
    fn preferences_are_shown_by_the_better_answer() {
        let (prompts, examples) = prompts("sums_preference.toml", 1, false);
        let found = question(&prompts, "question", &examples[0], 2, true);
        let [prompt] = &found.prompts[..] else { panic!("both answers have one prompt: {found:?}") };
        assert_eq!((prompt.matches("Question: ").count(), prompt.matches("\nAnswer: ").count()), (3, 2), "{prompt}");
        assert_eq!(template_fault(prompts.task(), 0, None), None);
        assert!(template_fault(prompts.task(), 0, Some(Method::Generation)).is_some());
        assert!(!prompts.has_lines(0, true).expect("they can be rendered"));
    }

    /// What is right has to be known, by choices and by what is written.
    #[test]
    fn a_task_without_answers_is_not_for_evaluation() {
        let (prompts, _) = prompts("pairs.toml", 7, false);
        let mut task = prompts.task().clone();
        let number = task.templates.iter().position(|own| own.name == "prefix").expect("it is there");
        task.rules.answer = None;
        for method in [None, Some(Method::Generation)] {
            assert!(template_fault(&task, number, method).is_some_and(|fault| fault.contains("`answer`")));
        }
        task.rules.references = Some("[sentence1]".to_owned());
        assert!(template_fault(&task, number, None).is_some());
        assert_eq!(template_fault(&task, number, Some(Method::Generation)), None);
    }
}
