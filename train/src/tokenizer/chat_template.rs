//! Conversations as a model is given them: rendered by a chat template, with what the assistant says apart from what it reads.
//!
//! ```text
//! messages -> text, by the template -> parts: special tokens, and texts between them; each with loss or without
//! ```
//!
//! The template is the tokenizer's own (`chat_template` of `tokenizer_config.json`, or `chat_template.jinja`), or another in the same language,
//! and is rendered as `apply_chat_template` of `transformers` renders it. A turn of the assistant is what the conversation until it, rendered,
//! has more than the conversation before it with the words that ask for an answer: that is what a model has to say, and to end. Where the
//! assistant begins, a template may have no such words: many look at the first message. That turn is read, and those behind it are learnt.
//!
//! Special tokens that the template writes are those tokens. In a message they are text, like any other: nobody ends a turn by quoting its
//! end.
//!
//! Useful for: rows of `messages`. Not useful for: prompts and completions, which are as they are.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use minijinja::{Environment, value::Value};
use system::sha256;

use super::{
    Tokenizer,
    added::AddedToken,
    jinja,
    names::DEFAULT_TEMPLATE,
    specials::{Segment, Specials},
};
use crate::error::{Error, Result};

/// The template where a tokenizer has none: `Role: text`, a blank line, and the end of the text behind each answer.
pub const PLAIN: &str = "\
{% for message in messages %}
{% if message['role'] == 'assistant' %}
{{ 'Assistant: ' + message['content'] | trim + eos_token }}
{%- else %}
{{ (message['role'] | capitalize) + ': ' + message['content'] | trim + '\\n\\n' }}
{%- endif %}
{% endfor %}
{% if add_generation_prompt %}
{{ 'Assistant:' }}
{%- endif %}";

/// The name of the plain template.
pub const PLAIN_NAME: &str = "plain";

/// The role whose messages are learnt.
const ASSISTANT: &str = "assistant";

/// The role whose messages ask for nothing.
const SYSTEM: &str = "system";

/// The name of the one template in an engine.
const NAME: &str = "chat_template";

/// One of the characters that stand for nothing and are for use within a program (the Unicode Standard, section 23.7), with which special
/// tokens in messages are marked.
const MARKS: std::ops::RangeInclusive<char> = '\u{fdd0}'..='\u{fdef}';

/// What somebody says in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who, such as `system`, `user` or `assistant`.
    pub role: String,
    /// What.
    pub content: String,
}

/// A part of a rendered conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text, in which special tokens are text; never empty.
    Text(String),
    /// A special token of the template, by its id.
    Special(u32),
}

/// A conversation as a model is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedConversation {
    /// Its parts in their order, and whether each has loss.
    pub parts: Vec<(Part, bool)>,
    /// Whether the assistant begins it, and the template asks for nothing there: that turn is read, and has no loss.
    pub begins_unasked: bool,
}

/// A chat template, with the special tokens of a tokenizer.
#[derive(Debug)]
pub struct ChatTemplate {
    /// Where it stands.
    place: String,
    source: String,
    /// The engine with it, or why it cannot be read.
    environment: Result<Environment<'static>, String>,
    /// What special tokens are called in it, such as `eos_token`.
    names: BTreeMap<&'static str, String>,
    specials: Specials,
    /// The special tokens that take white space beside them.
    added: HashMap<u32, AddedToken>,
}

impl ChatTemplate {
    /// A template from its text.
    ///
    /// - `place`: where it stands, for messages
    ///
    /// # Errors
    /// When a file beside the tokenizer calls something a token that is none.
    pub fn new(place: impl Into<String>, source: impl Into<String>, tokenizer: &Tokenizer) -> Result<Self> {
        let source = source.into();
        let environment = jinja::environment(NAME, &source).map_err(|error| jinja::message(&error));
        let names = tokenizer.names.special_tokens()?;
        let added: HashMap<u32, AddedToken> =
            tokenizer.added.values().filter(|token| token.special).map(|token| (token.id, token.clone())).collect();
        let mut tokens: BTreeMap<String, u32> = added.values().map(|token| (token.content.clone(), token.id)).collect();
        // the ends of texts are tokens of their own in a template, whether or not the file calls them special
        tokens.extend(names.values().filter_map(|token| Some((token.clone(), tokenizer.inner.token_to_id(token)?))));
        // a mark behind the first character makes a token text, and one of a single character, such as the `!` that CLIP is padded with,
        // has nothing behind it: in a conversation it is text, whoever writes it
        tokens.retain(|content, _| content.chars().nth(1).is_some());
        let specials = Specials::new(tokens.into_iter().collect());
        Ok(Self { place: place.into(), source, environment, names, specials, added })
    }

    /// The plain template.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn plain(tokenizer: &Tokenizer) -> Result<Self> {
        Self::new(format!("`{PLAIN_NAME}`"), PLAIN, tokenizer)
    }

    /// The template of a tokenizer by its name, or its usual one.
    ///
    /// # Errors
    /// When what stands beside the tokenizer is no template.
    pub fn of(tokenizer: &Tokenizer, name: Option<&str>) -> Result<Option<Self>> {
        let found = tokenizer.names.chat_template(name.unwrap_or(DEFAULT_TEMPLATE))?;
        found.map(|(place, source)| Self::new(place, source, tokenizer)).transpose()
    }

    /// Where it stands, in words.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Its text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Everything that decides what a conversation becomes, as 64 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        sha256(format!("{}\n{:?}\n{:?}", self.source, self.names, self.specials.tokens()).as_bytes())
    }

    /// Checks that it can be read, whatever it may say of a conversation.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<()> {
        self.environment.as_ref().map(drop).map_err(|message| self.fault(message))
    }

    /// Writes a tokenizer into a folder with this template, by which its model is asked from then on, and with what ends its turns.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save_with(&self, tokenizer: &Tokenizer, folder: &Path) -> Result<()> {
        tokenizer.save(folder)?;
        tokenizer.names.clone().with_chat_template(&self.source).with_stops(&self.stops(tokenizer)).write(folder)
    }

    /// A conversation, rendered.
    ///
    /// # Errors
    /// When the template refuses it, or renders the beginning of it otherwise once more of it is there: then no turn can be told from what
    /// stands before it.
    pub fn conversation(&self, messages: &[Message]) -> Result<RenderedConversation> {
        let mark = mark_for(messages)?;
        let values: Vec<Value> = messages.iter().map(|message| self.value(message, mark)).collect();
        let whole = self.render(&values, false)?;
        // where the assistant says nothing at all, there is no turn to learn
        let is_turn = |message: &Message| message.role == ASSISTANT;
        let says_something = |message: &Message| is_turn(message) && !message.content.trim().is_empty();
        let is_learnt = messages.iter().any(says_something);
        let (mut parts, mut at, mut begins_unasked) = (Vec::new(), 0, false);
        for number in (0..values.len()).filter(|number| is_learnt && is_turn(&messages[*number])) {
            let with = if number + 1 == values.len() { whole.clone() } else { self.render(&values[..=number], false)? };
            let before = match self.render(&values[..number], true) {
                Ok(before) if with.starts_with(&before) => before,
                _ if messages[..number].iter().all(|message| message.role == SYSTEM) => {
                    begins_unasked = true;
                    continue;
                }
                before => before?,
            };
            if before.len() < at || !with.starts_with(&before) || !whole.starts_with(&with) {
                return Err(self.fault(&format!(
                    "what stands before message {} is rendered otherwise once it, or what follows on it, is there; a turn can be learnt only \
                     where a template goes on from what it wrote",
                    number + 1
                )));
            }
            parts.extend(self.parts(&whole[at..before.len()], mark).into_iter().map(|part| (part, false)));
            parts.extend(turn(self.parts(&whole[before.len()..with.len()], mark)));
            at = with.len();
        }
        parts.extend(self.parts(&whole[at..], mark).into_iter().map(|part| (part, false)));
        Ok(RenderedConversation { parts: joined(parts), begins_unasked })
    }

    /// The special token that ends a turn of the assistant, and is learnt; none where a turn ends with text, or the template takes no question
    /// and answer alone.
    #[must_use]
    pub fn end_of_turn(&self) -> Option<u32> {
        let talk = [("user", "Hi"), (ASSISTANT, "Hello")];
        let talk = talk.map(|(role, content)| Message { role: role.into(), content: content.into() });
        match self.conversation(&talk).ok()?.parts.into_iter().rfind(|(_, has_loss)| *has_loss)? {
            (Part::Special(id), _) => Some(id),
            (Part::Text(_), _) => None,
        }
    }

    /// The ids that each end what a model generates which has learnt conversations: those of its tokenizer, and the end of a turn.
    #[must_use]
    pub fn stops(&self, tokenizer: &Tokenizer) -> Vec<u32> {
        let known = tokenizer.ends();
        known.iter().copied().chain(self.end_of_turn().filter(|id| !known.contains(id))).collect()
    }

    /// The ids of a conversation with the words that ask for an answer behind it.
    ///
    /// # Errors
    /// When the template refuses it, or a text cannot be encoded.
    pub fn prompt(&self, tokenizer: &Tokenizer, messages: &[Message]) -> Result<Vec<u32>> {
        let mark = mark_for(messages)?;
        let values: Vec<Value> = messages.iter().map(|message| self.value(message, mark)).collect();
        let mut ids = Vec::new();
        for part in self.parts(&self.render(&values, true)?, mark) {
            match part {
                Part::Text(text) => ids.extend(tokenizer.encode(&text)?),
                Part::Special(id) => ids.push(id),
            }
        }
        Ok(ids)
    }

    /// A message as the template sees it.
    fn value(&self, message: &Message, mark: char) -> Value {
        let Message { role, content } = message;
        let [role, content] = [role, content].map(|text| self.specials.marked(text, mark));
        Value::from_pairs([("role", role), ("content", content)])
    }

    fn render(&self, messages: &[Value], add_generation_prompt: bool) -> Result<String> {
        let environment = self.environment.as_ref().map_err(|message| self.fault(message))?;
        let own = [
            ("messages", Value::from(messages)),
            ("tools", Value::from(())),
            ("documents", Value::from(())),
            ("add_generation_prompt", add_generation_prompt.into()),
        ];
        let names = self.names.iter().map(|(name, token)| (*name, Value::from(token)));
        let rendered = environment
            .get_template(NAME)
            .and_then(|template| template.render(Value::from_pairs(own.into_iter().chain(names))));
        rendered.map_err(|error| self.fault(&jinja::message(&error)))
    }

    /// Cuts a rendered text at special tokens, and takes the marks out of what lies between.
    fn parts(&self, text: &str, mark: char) -> Vec<Part> {
        let segments = self.specials.segments(text);
        let takes = |segment: Option<&Segment<'_>>, side: fn(&AddedToken) -> bool| match segment {
            Some(Segment::Special(id)) => self.added.get(id).is_some_and(side),
            _ => false,
        };
        let part = |(number, segment): (usize, &Segment<'_>)| match segment {
            Segment::Special(id) => Some(Part::Special(*id)),
            Segment::Text(text) => {
                let before = number.checked_sub(1).and_then(|before| segments.get(before));
                let text = if takes(before, |token| token.rstrip) { text.trim_start() } else { text };
                let text = if takes(segments.get(number + 1), |token| token.lstrip) { text.trim_end() } else { text };
                let text = text.replace(mark, "");
                (!text.is_empty()).then_some(Part::Text(text))
            }
        };
        segments.iter().enumerate().filter_map(part).collect()
    }

    fn fault(&self, message: &str) -> Error {
        Error::ChatTemplate { place: self.place.clone(), message: message.to_owned() }
    }
}

/// A turn of the assistant: its loss ends with the last special token, where only white space of the template follows.
fn turn(parts: Vec<Part>) -> impl Iterator<Item = (Part, bool)> {
    let last = parts.iter().rposition(|part| matches!(part, Part::Special(_)));
    let is_blank = |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
    let end = match last {
        Some(last) if parts[last + 1..].iter().all(is_blank) => last + 1,
        _ => parts.len(),
    };
    parts.into_iter().enumerate().map(move |(number, part)| (part, number < end))
}

/// The same with texts joined that stand side by side: they become ids together, as they do where a model is asked.
fn joined(parts: Vec<(Part, bool)>) -> Vec<(Part, bool)> {
    let mut joined: Vec<(Part, bool)> = Vec::with_capacity(parts.len());
    for (part, has_loss) in parts {
        match (&part, joined.last_mut()) {
            (Part::Text(text), Some((Part::Text(before), had_loss))) if has_loss == *had_loss => before.push_str(text),
            _ => joined.push((part, has_loss)),
        }
    }
    joined
}

/// A mark that no message has.
fn mark_for(messages: &[Message]) -> Result<char> {
    let is_free =
        |mark: &char| !messages.iter().any(|Message { role, content }| content.contains(*mark) || role.contains(*mark));
    MARKS.into_iter().find(is_free).ok_or_else(|| {
        Error::Tokenizer(
            "a conversation has every one of Unicode's characters U+FDD0 to U+FDEF, which stand for nothing".into(),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::tokenizer::{FILE, tests::trained};

    /// Turns between two tokens, with a system message of its own where none is there.
    const CHATML: &str = r"{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    /// In the style of Llama 2: the system message within the first turn, and nothing that asks for an answer.
    const INST: &str = r"{% if messages[0]['role'] == 'system' %}
{% set system = '<<SYS>>\n' + messages[0]['content'] + '\n<</SYS>>\n\n' %}
{% set turns = messages[1:] %}
{% else %}
{% set system = '' %}
{% set turns = messages %}
{% endif %}
{% for turn in turns %}
{% if (turn['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('users and assistants take turns') }}
{% endif %}
{% if turn['role'] == 'user' %}
{{- bos_token + '[INST] ' + (system if loop.first else '') + turn['content'].strip() + ' [/INST]' }}
{%- else %}
{{- ' ' + turn['content'].strip() + ' ' + eos_token }}
{%- endif %}
{% endfor %}";

    /// In the style of Llama 3.
    const HEADERS: &str = r"{{ bos_token }}{% for message in messages %}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{% if add_generation_prompt %}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}";

    /// In the style of Zephyr: line feeds of the template itself.
    const ZEPHYR: &str = r"{% for message in messages %}
{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token }}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}";

    /// In the style of Gemma: another name for the assistant, and `generation`.
    const TURNS: &str = r"{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('there is no system') }}{% endif %}
{% for message in messages %}
    {%- set role = 'model' if message.role == 'assistant' else message.role -%}
    {{ '<start_of_turn>' + role + '\n' }}{% generation %}{{ message.content | trim }}{% endgeneration %}{{ '<end_of_turn>\n' }}
{%- endfor -%}
{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";

    /// A tokenizer with special tokens as these styles have them, and what stands beside it.
    fn tokenizer(beside: &Json) -> (tempfile::TempDir, Tokenizer) {
        let (folder, _) = trained();
        let path = folder.path().join(FILE);
        let mut json: Json =
            serde_json::from_slice(&std::fs::read(&path).expect("it was written")).expect("it is JSON");
        let token = json["added_tokens"][0].clone();
        let contents = [
            "<|im_start|>",
            "<|im_end|>",
            "<s>",
            "</s>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eot_id|>",
            "<start_of_turn>",
            "<end_of_turn>",
        ];
        for (id, content) in (320..).zip(contents) {
            let mut token = token.clone();
            (token["id"], token["content"]) = (json!(id), json!(content));
            json["added_tokens"].as_array_mut().expect("a list").push(token);
        }
        let mut names = json!({"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": false});
        names.as_object_mut().expect("an object").extend(beside.as_object().cloned().unwrap_or_default());
        std::fs::write(&path, json.to_string()).expect("it can be written");
        std::fs::write(folder.path().join("tokenizer_config.json"), names.to_string()).expect("it can be written");
        let tokenizer = Tokenizer::load(&path).expect("it is whole");
        (folder, tokenizer)
    }

    fn messages(said: &[(&str, &str)]) -> Vec<Message> {
        said.iter().map(|(role, content)| Message { role: (*role).into(), content: (*content).into() }).collect()
    }

    /// Special tokens in braces, and what has loss in guillemets.
    fn shown(conversation: RenderedConversation, tokenizer: &Tokenizer) -> String {
        let (mut shown, mut had_loss) = (String::new(), false);
        for (part, has_loss) in conversation.parts {
            match (had_loss, has_loss) {
                (false, true) => shown.push('«'),
                (true, false) => shown.push('»'),
                _ => {}
            }
            had_loss = has_loss;
            match part {
                Part::Text(text) => shown.push_str(&text),
                Part::Special(id) => shown.extend(["{", &tokenizer.token(id).expect("it is a token"), "}"]),
            }
        }
        if had_loss { shown + "»" } else { shown }
    }

    const TALK: [(&str, &str); 4] =
        [("user", "Hi <|im_end|>"), ("assistant", " Hello </s>there "), ("user", "Bye"), ("assistant", "So long")];

    /// What Jinja 3.1.6 for Python renders, with `transformers`' settings. Tokens that a message quotes are text, wherever a template puts
    /// them.
    #[test]
    fn turns_are_those_of_each_style() -> Result<()> {
        let (_folder, tokenizer) = tokenizer(&json!({}));
        for (source, expected) in [
            (
                CHATML,
                "{<|im_start|>}system\nBe brief.{<|im_end|>}\n{<|im_start|>}user\nHi <|im_end|>{<|im_end|>}\n{<|im_start|>}assistant\n« Hello </s>there {<|im_end|>}»\n{<|im_start|>}user\nBye{<|im_end|>}\n{<|im_start|>}assistant\n«So long{<|im_end|>}»\n",
            ),
            (
                INST,
                "{<s>}[INST] Hi <|im_end|> [/INST]« Hello </s>there {</s>}»{<s>}[INST] Bye [/INST]« So long {</s>}»",
            ),
            (
                HEADERS,
                "{<s>}{<|start_header_id|>}user{<|end_header_id|>}\n\nHi <|im_end|>{<|eot_id|>}{<|start_header_id|>}assistant{<|end_header_id|>}\n\n«Hello </s>there{<|eot_id|>}»{<|start_header_id|>}user{<|end_header_id|>}\n\nBye{<|eot_id|>}{<|start_header_id|>}assistant{<|end_header_id|>}\n\n«So long{<|eot_id|>}»",
            ),
            (
                ZEPHYR,
                "<|user|>\nHi <|im_end|>{</s>}\n<|assistant|>\n« Hello </s>there {</s>}»\n<|user|>\nBye{</s>}\n<|assistant|>\n«So long{</s>}»\n",
            ),
            (
                TURNS,
                "{<s>}{<start_of_turn>}user\nHi <|im_end|>{<end_of_turn>}\n{<start_of_turn>}model\n«Hello </s>there{<end_of_turn>}»\n{<start_of_turn>}user\nBye{<end_of_turn>}\n{<start_of_turn>}model\n«So long{<end_of_turn>}»\n",
            ),
        ] {
            let template = ChatTemplate::new("here", source, &tokenizer)?;
            assert_eq!(shown(template.conversation(&messages(&TALK))?, &tokenizer), expected);
            // what the model is asked with is what stands before its turn
            let asked = template.prompt(&tokenizer, &messages(&TALK[..1]))?;
            let mut before = Vec::new();
            let parts = template.conversation(&messages(&TALK[..2]))?.parts;
            for (part, _) in parts.iter().take_while(|(_, has_loss)| !has_loss) {
                match part {
                    Part::Text(text) => before.extend(tokenizer.encode(text)?),
                    Part::Special(id) => before.push(*id),
                }
            }
            assert_eq!(asked, before);
        }
        Ok(())
    }

    /// A message may have an exclamation mark, though texts are padded with it.
    #[test]
    fn a_token_of_one_character_is_text() -> Result<()> {
        let (_folder, tokenizer) = tokenizer(&json!({"pad_token": "!"}));
        assert!(tokenizer.inner.token_to_id("!").is_some());
        let template = ChatTemplate::new("here", CHATML, &tokenizer)?;
        let talk = [("system", "Be brief!"), ("user", "Hi!"), ("assistant", "!!")];
        let expected = "{<|im_start|>}system\nBe brief!{<|im_end|>}\n{<|im_start|>}user\nHi!{<|im_end|>}\n{<|im_start|>}assistant\n«!!{<|im_end|>}»\n";
        assert_eq!(shown(template.conversation(&messages(&talk))?, &tokenizer), expected);
        Ok(())
    }

    /// Where the assistant begins, its turn is learnt if the template can ask for it; if not, those behind it are.
    #[test]
    fn the_assistant_may_begin() -> Result<()> {
        let (_folder, tokenizer) = tokenizer(&json!({}));
        let begun = [("assistant", "Hello"), ("user", "Bye"), ("assistant", "So long")];
        for (source, begins_unasked, expected) in [
            (
                HEADERS,
                false,
                "{<s>}{<|start_header_id|>}assistant{<|end_header_id|>}\n\n«Hello{<|eot_id|>}»{<|start_header_id|>}user{<|end_header_id|>}\n\nBye{<|eot_id|>}{<|start_header_id|>}assistant{<|end_header_id|>}\n\n«So long{<|eot_id|>}»",
            ),
            (
                // it puts a message of its own in front
                CHATML,
                true,
                "{<|im_start|>}system\nBe brief.{<|im_end|>}\n{<|im_start|>}assistant\nHello{<|im_end|>}\n{<|im_start|>}user\nBye{<|im_end|>}\n{<|im_start|>}assistant\n«So long{<|im_end|>}»\n",
            ),
            (
                // it looks at the first message
                TURNS,
                true,
                "{<s>}{<start_of_turn>}model\nHello{<end_of_turn>}\n{<start_of_turn>}user\nBye{<end_of_turn>}\n{<start_of_turn>}model\n«So long{<end_of_turn>}»\n",
            ),
        ] {
            let template = ChatTemplate::new("here", source, &tokenizer)?;
            let conversation = template.conversation(&messages(&begun))?;
            assert_eq!(conversation.begins_unasked, begins_unasked, "{source}");
            assert_eq!(shown(conversation, &tokenizer), expected);
            assert!(!template.conversation(&messages(&TALK))?.begins_unasked);
        }
        Ok(())
    }

    /// What ends a turn ends what is generated: it is saved beside the template, where this program and others find it.
    #[test]
    fn a_turn_ends_what_is_generated() -> Result<()> {
        let (_folder, tokenizer) = tokenizer(&json!({}));
        let text = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}";
        for (source, end) in [
            (CHATML, Some("<|im_end|>")),
            (HEADERS, Some("<|eot_id|>")),
            (TURNS, Some("<end_of_turn>")),
            // the end of the text, which is one already
            (INST, None),
            (PLAIN, None),
            (text, None),
        ] {
            let template = ChatTemplate::new("here", source, &tokenizer)?;
            let copy = tempfile::tempdir().expect("the temporary folder can be written");
            template.save_with(&tokenizer, copy.path())?;
            let saved = Tokenizer::load(&copy.path().join(FILE))?;
            let stops: Vec<Option<String>> = saved.ends().iter().map(|id| saved.token(*id)).collect();
            let expected: Vec<Option<String>> =
                [Some("</s>"), end].into_iter().flatten().map(|token| Some(token.to_owned())).collect();
            assert_eq!((saved.end_of_text(), stops), (tokenizer.end_of_text(), expected), "{source}");
        }
        Ok(())
    }

    #[test]
    fn without_a_template_roles_are_written_out() -> Result<()> {
        let (_folder, tokenizer) = tokenizer(&json!({}));
        assert!(ChatTemplate::of(&tokenizer, None)?.is_none());
        let plain = ChatTemplate::plain(&tokenizer)?;
        let talk = [&[("system", "Be brief.")][..], &TALK].concat();
        let expected = "System: Be brief.\n\nUser: Hi <|im_end|>\n\nAssistant:« Hello </s>there{</s>}»User: Bye\n\nAssistant:« So long{</s>}»";
        assert_eq!(shown(plain.conversation(&messages(&talk))?, &tokenizer), expected);
        let silent = [("user", "Hi"), ("assistant", " ")];
        let parts = plain.conversation(&messages(&silent))?.parts;
        assert!(parts.iter().all(|(_, has_loss)| !has_loss), "{parts:?}");
        Ok(())
    }

    /// The file goes before the text in `tokenizer_config.json`; of several, one is asked for by its name.
    #[test]
    fn a_tokenizer_brings_its_template() -> Result<()> {
        let said = |tokenizer: &Tokenizer, name| -> Result<Option<String>> {
            Ok(ChatTemplate::of(tokenizer, name)?.map(|template| template.source().to_owned()))
        };
        let (folder, one) = tokenizer(&json!({"chat_template": "one"}));
        assert_eq!((said(&one, None)?.as_deref(), said(&one, Some("tools"))?), (Some("one"), None));
        let several = json!([{"name": "default", "template": "a"}, {"name": "tools", "template": "b"}]);
        let (_folder, named) = tokenizer(&json!({"chat_template": several}));
        assert_eq!((said(&named, None)?.as_deref(), said(&named, Some("tools"))?.as_deref()), (Some("a"), Some("b")));
        let (_folder, wrong) = tokenizer(&json!({"chat_template": 3}));
        let error = said(&wrong, None).expect_err("it is a number").to_string();
        assert!(
            error.contains("tokenizer_config.json is damaged: `chat_template` is neither a text nor a list"),
            "{error}"
        );

        let copy = tempfile::tempdir().expect("the temporary folder can be written");
        ChatTemplate::new("here", "two", &one)?.save_with(&one, copy.path())?;
        assert_eq!(said(&Tokenizer::load(&copy.path().join(FILE))?, None)?.as_deref(), Some("two"));
        assert_eq!(said(&Tokenizer::load(&folder.path().join(FILE))?, None)?.as_deref(), Some("one"));
        Ok(())
    }

    /// A template that takes back what it wrote leaves no turn to be told from what stands before it.
    #[test]
    fn what_a_template_refuses_is_said_with_its_place() -> Result<()> {
        let (_folder, tokenizer) = tokenizer(&json!({}));
        let thoughts = "{% for message in messages %}{% if loop.last %}{{ message.content }}{% else %}{{ message.content.split('|')[-1] }}{% endif %}\n{% endfor %}";
        let rewritten = [("user", "a"), ("assistant", "b|c"), ("user", "d"), ("assistant", "e")];
        for (source, talk, message) in [
            (
                thoughts,
                &rewritten[..],
                "chat template here: what stands before message 2 is rendered otherwise once it",
            ),
            (TURNS, &[("system", "a"), ("assistant", "b")], "chat template here: line 1: there is no system"),
            (INST, &[("user", "a"), ("user", "b")], "line 10: users and assistants take turns"),
            ("\n{% if %}", &rewritten, "chat template here: line 2: "),
        ] {
            let error = ChatTemplate::new("here", source, &tokenizer)?
                .conversation(&messages(talk))
                .expect_err("it is refused");
            assert!(error.to_string().contains(message), "{error}");
        }
        Ok(())
    }
}
