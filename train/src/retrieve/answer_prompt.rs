//! What a model is asked, with passages to answer from.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::passage::Passage;
use crate::{
    error::{Error, Result},
    tokenizer::{ChatTemplate, Message, Tokenizer},
};

/// The template, where no other is given.
pub const TEMPLATE: &str = "{% if passages %}Answer the question with words from the text, and add nothing.\n\n\
    {% for passage in passages %}Text: {% if passage.title %}{{ passage.title }}. {% endif %}{{ passage.text }}\n\n{% endfor %}\
    {% else %}Answer the question in a few words, and add nothing.\n\n{% endif %}Question: {{ question }}\nAnswer:";

/// The name of the one template.
const NAME: &str = "answer";

/// Asks a model.
#[derive(Debug)]
pub struct AnswerPrompt<'t> {
    tokenizer: &'t Tokenizer,
    /// With the one template.
    environment: Environment<'static>,
    /// What makes a turn of a conversation of it, for models that answer in such.
    chat: Option<&'t ChatTemplate>,
    /// Tokens that a prompt may have.
    room: usize,
}

/// A prompt that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FittedPrompt {
    pub ids: Vec<u32>,
    /// Passages in it: the first of those that were given.
    pub passages: usize,
    /// Whether the last of them lost its end.
    pub is_cut: bool,
}

impl<'t> AnswerPrompt<'t> {
    /// - `room`: tokens that a prompt may have
    ///
    /// # Errors
    /// When the template cannot be read, or names what there is not: it is said where.
    pub fn new(
        tokenizer: &'t Tokenizer,
        template: String,
        chat: Option<&'t ChatTemplate>,
        room: usize,
    ) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_template_owned(NAME, template).map_err(|error| fault(&error))?;
        let prompt = Self { tokenizer, environment, chat, room };
        // what is wrong with it is told before any work
        let passage = Passage { title: "title".into(), text: "text".into(), ..Passage::default() };
        prompt.rendered("question", &[passage])?;
        Ok(prompt)
    }

    /// The ids of a question with as many of some passages as there is room for.
    ///
    /// # Errors
    /// When there is no room for the question alone, or the tokenizer's own parts do not fit together.
    pub(super) fn fitted(&self, question: &str, passages: &[Passage]) -> Result<FittedPrompt> {
        for count in (1..=passages.len()).rev() {
            let ids = self.ids(question, &passages[..count])?;
            if ids.len() <= self.room {
                return Ok(FittedPrompt { ids, passages: count, is_cut: false });
            }
        }
        let without = self.ids(question, &[])?;
        if without.len() > self.room {
            let message = format!(
                "the question and its template have {} tokens, and with what is to be written there is room for {}",
                without.len(),
                self.room
            );
            return Err(Error::Evaluation { what: "the prompt".into(), message });
        }
        let Some(first) = passages.first() else {
            return Ok(FittedPrompt { ids: without, passages: 0, is_cut: false });
        };
        // shorter by a tenth until it fits
        let mut first = first.clone();
        loop {
            let kept = first.text.floor_char_boundary(first.text.len() - first.text.len().div_ceil(10));
            first.text.truncate(kept);
            let ids = self.ids(question, std::slice::from_ref(&first))?;
            if ids.len() <= self.room {
                return Ok(FittedPrompt { ids, passages: 1, is_cut: true });
            }
            if first.text.is_empty() {
                return Ok(FittedPrompt { ids: without, passages: 0, is_cut: true });
            }
        }
    }

    fn ids(&self, question: &str, passages: &[Passage]) -> Result<Vec<u32>> {
        let content = self.rendered(question, passages)?;
        match self.chat {
            Some(chat) => chat.prompt(self.tokenizer, &[Message { role: "user".into(), content }]),
            None => {
                let mut ids = self.tokenizer.prompt(&content)?;
                if ids.is_empty() {
                    ids.push(self.tokenizer.before_text());
                }
                Ok(ids)
            }
        }
    }

    fn rendered(&self, question: &str, passages: &[Passage]) -> Result<String> {
        let passages: Vec<_> = passages
            .iter()
            .map(|Passage { id, document, title, text, source, date, .. }| {
                context! { id, document, title, text => text.trim(), source, date }
            })
            .collect();
        let template = self.environment.get_template(NAME).map_err(|error| fault(&error))?;
        template.render(context! { question => question.trim(), passages }).map_err(|error| fault(&error))
    }
}

/// What is wrong with the template, and where.
fn fault(error: &minijinja::Error) -> Error {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Error::Evaluation { what: "the template".into(), message: format!("{line}{message}") }
}
