//! Each file is tokenized once: its ids are kept in a folder, under the hashes of the tokenizer, with how it is used, and of the file.
//!
//! Names and places of files do not matter, nor which training asks: several may share a folder. Memory is bounded: some megabytes of
//! text are read, turned into ids on all cores, and written, before the next are read.

use std::{
    collections::HashMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use system::sha256;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::{
    Document, Documents, Lost, Preferred, ReadOptions, read_options,
    row_forms::CONVERSATIONS,
    token_file::{Made, TokenFile, TokenFileWriter},
};
use crate::{
    error::{Error, Result},
    tokenizer::{ChatTemplate, Message, Part, RenderedConversation, Tokenizer},
};

/// How files become ids: raise it whenever the code gives other ids, or other documents, for the same file, so that none are kept which
/// earlier code has made.
const VERSION: u32 = 1;

/// A folder of files of ids that one tokenizer made.
pub struct TokenCache<'t> {
    folder: PathBuf,
    tokenizer: &'t Tokenizer,
    /// Its fingerprint, with the version of the code.
    hash: String,
    /// Takes what one should know.
    note: &'t mut dyn FnMut(&str),
    /// Files that are open already, by the hash of what they were made of.
    open: HashMap<String, TokenFile>,
    options: ReadOptions,
    /// Renders conversations; without one, they are an error.
    chat_template: Option<&'t ChatTemplate>,
    /// What was lost of files that are open.
    lost: Vec<Lost>,
}

impl<'t> TokenCache<'t> {
    /// The folder, which is made when it is first needed.
    ///
    /// - `note`: is told what is tokenized, and which files of the cache are damaged
    pub fn new(folder: &Path, tokenizer: &'t Tokenizer, note: &'t mut dyn FnMut(&str)) -> Self {
        Self {
            folder: folder.to_owned(),
            tokenizer,
            hash: sha256(format!("{VERSION} {}", tokenizer.fingerprint()).as_bytes()),
            note,
            open: HashMap::new(),
            options: ReadOptions::default(),
            chat_template: None,
            lost: Vec::new(),
        }
    }

    /// The same for files of conversations, too; a row that is one and something else is a conversation.
    #[must_use]
    pub fn with_chat_template(mut self, chat_template: &'t ChatTemplate) -> Self {
        self.hash = sha256(format!("{} {}", self.hash, chat_template.fingerprint()).as_bytes());
        self.chat_template = Some(chat_template);
        self
    }

    /// Whether there is a conversation in the files whose ids were asked for.
    #[must_use]
    pub fn has_conversations(&self) -> bool {
        self.open.values().any(|file| !file.conversations().is_empty())
    }

    /// Sets how files are read from now on.
    pub fn set_read_options(&mut self, options: ReadOptions) {
        self.options = options;
    }

    /// How files are read.
    pub(super) fn read_options(&self) -> ReadOptions {
        self.options
    }

    /// What was lost of the files whose ids were asked for, by file.
    #[must_use]
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// Tells something that one should know.
    pub fn note(&mut self, text: &str) {
        (self.note)(text);
    }

    /// The id that is seen before the first of every document.
    pub(super) fn before_text(&self) -> u32 {
        self.tokenizer.before_text()
    }

    /// The id that stands at the end of every document.
    pub(super) fn end_of_text(&self) -> u32 {
        self.tokenizer.end_of_text()
    }

    /// The ids of a file, made now unless they were made before.
    ///
    /// - `sha256`: the hash of the file's bytes
    pub(super) fn tokens(&mut self, path: &Path, sha256: &str) -> Result<TokenFile> {
        if let Some(file) = self.open.get(sha256) {
            return Ok(file.clone());
        }
        let file = self.kept_or_made(path, sha256)?;
        if file.lost() > 0 {
            let lost =
                Lost { file: path.display().to_string(), lost_bytes: file.lost(), of_bytes: read_options::size(path)? };
            (self.note)(&lost.to_string());
            self.lost.push(lost);
        }
        self.open.insert(sha256.to_owned(), file.clone());
        Ok(file)
    }

    fn kept_or_made(&mut self, path: &Path, sha256: &str) -> Result<TokenFile> {
        let made = Made { tokenizer: self.hash.clone(), source: sha256.to_owned() };
        // halves of the hashes tell files apart; the whole ones stand inside, and are compared
        let name = format!("{:.32}-{:.32}.tokens", self.hash, sha256);
        let kept = self.folder.join(name);
        if let Some(file) = self.kept(&kept, &made) {
            return Ok(file);
        }
        fs::create_dir_all(&self.folder).map_err(Error::file("make the folder", &self.folder))?;
        let lock = self.folder.join(".lock");
        let locked = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _locked = locked.map_err(Error::file("lock", &lock))?;
        // another training may have made it while this one waited
        if !TokenFile::open(&kept, &made).is_ok_and(|file| self.suits(&file)) {
            self.make(path, &kept, made.clone())?;
        }
        TokenFile::open(&kept, &made)
    }

    /// A file that was made before, if it is there and sound.
    fn kept(&mut self, kept: &Path, made: &Made) -> Option<TokenFile> {
        if !kept.exists() {
            return None;
        }
        match TokenFile::open(kept, made) {
            // made where some might be lost, and now nothing may: read anew, the file says what is wrong with it
            Ok(file) if !self.suits(&file) => None,
            Ok(file) => Some(file),
            Err(error) => {
                (self.note)(&format!("{error}; it is made again"));
                None
            }
        }
    }

    /// Whether a file that was made before lacks nothing that may not be lost.
    fn suits(&self, file: &TokenFile) -> bool {
        file.lost() == 0 || self.options.max_lost_rate > 0.0
    }

    /// Tokenizes a file, some megabytes at a time.
    fn make(&mut self, path: &Path, kept: &Path, made: Made) -> Result<()> {
        if !self.tokenizer.is_fast() {
            self.note("the tokenizer is of a kind that only the crate `tokenizers` knows, which is slower");
        }
        let preferred = if self.chat_template.is_some() { Preferred::Conversations } else { Preferred::Texts };
        let mut documents = Documents::open_with(path, self.options, preferred)?;
        let mut writer = TokenFileWriter::create(kept, self.tokenizer.vocab_size())?;
        let (count, ids) = self.fill(path, &mut documents, &mut writer)?;
        writer.finish(made, documents.lost())?;
        (self.note)(&format!("tokenized {}: {count} documents, {ids} tokens", path.display()));
        Ok(())
    }

    /// Tokenizes and writes; returns how many documents and ids there were.
    fn fill(&self, path: &Path, documents: &mut Documents, writer: &mut TokenFileWriter) -> Result<(usize, usize)> {
        let (mut count, mut written) = (0, 0);
        let end = self.tokenizer.end_of_text();
        while let Some(few) = documents.next_few()? {
            let rendered = self.rendered(path, documents, &few)?;
            let mut ids = self.tokenizer.encode_batch(&texts(&few, &rendered))?.into_iter();
            let mut next = || ids.next().expect("every text has its ids");
            for (document, rendered) in few.iter().zip(&rendered) {
                let length = if let Some(conversation) = rendered {
                    let (all, runs) = self.conversation(conversation, &mut next);
                    writer.push_conversation(&all, &runs, hash(document))?;
                    all.len()
                } else {
                    let [prompt, text] = [next(), next()];
                    let all = [&prompt[..], &text, &[end]].concat();
                    writer.push(&all, prompt.len(), hash(document))?;
                    all.len()
                };
                count += 1;
                written += length;
            }
        }
        Ok((count, written))
    }

    /// What each document is when it is rendered, if it is a conversation.
    ///
    /// - `documents`: where these few were the last
    fn rendered(
        &self,
        path: &Path,
        documents: &Documents,
        few: &[Document],
    ) -> Result<Vec<Option<RenderedConversation>>> {
        let template = self.chat_template;
        let render = |(place, document): (usize, &Document)| {
            let Document::Conversation(messages) = document else { return Ok(None) };
            let template = template.ok_or_else(|| (None, format!("its rows are {CONVERSATIONS}")))?;
            template.conversation(messages).map(Some).map_err(|error| (Some(place), error.to_string()))
        };
        let rendered: Result<Vec<_>, _> = few.par_iter().enumerate().map(render).collect();
        rendered.map_err(|(place, message)| {
            let message = place.map(|place| format!("{}: {message}", documents.place(place))).unwrap_or(message);
            Error::Data { path: path.to_owned(), message }
        })
    }

    /// The ids of a conversation, and how they are without loss and with it, in turn.
    ///
    /// - `next`: gives the ids of its texts, one after the other
    fn conversation(
        &self,
        conversation: &RenderedConversation,
        next: &mut impl FnMut() -> Vec<u32>,
    ) -> (Vec<u32>, Vec<u32>) {
        let (mut ids, mut runs) = (Vec::new(), vec![0u32]);
        for (part, has_loss) in &conversation.parts {
            let part = match part {
                Part::Text(_) => next(),
                Part::Special(id) => vec![*id],
            };
            if part.is_empty() {
                continue;
            }
            // the first run is without loss, the next with it, and so on
            if *has_loss == (runs.len() % 2 == 1) {
                runs.push(0);
            }
            let run = runs.last_mut().expect("there is a run");
            *run += u32::try_from(part.len()).expect("a conversation has fewer ids");
            ids.extend(part);
        }
        if runs[0] == 0 {
            // the first id is read and no target
            ids.insert(0, self.tokenizer.before_text());
            runs[0] = 1;
        }
        if conversation.begins_unasked {
            // an answer of which nothing is learnt
            runs.splice(1..1, [0, 0]);
        }
        (ids, runs)
    }
}

/// The texts of some documents that become ids, in their order.
fn texts<'d>(few: &'d [Document], rendered: &'d [Option<RenderedConversation>]) -> Vec<&'d str> {
    let mut texts = Vec::new();
    for (document, rendered) in few.iter().zip(rendered) {
        match (document, rendered) {
            (Document::Text { prompt, text }, _) => texts.extend([prompt.as_str(), text]),
            (_, rendered) => {
                let parts = rendered.iter().flat_map(|conversation| &conversation.parts);
                texts.extend(parts.filter_map(|(part, _)| match part {
                    Part::Text(text) => Some(text.as_str()),
                    Part::Special(_) => None,
                }));
            }
        }
    }
    texts
}

/// The hash of a document's text, by which its split is drawn: the same text is never in training and in validation.
fn hash(document: &Document) -> u64 {
    match document {
        Document::Text { prompt, text } => xxh3_64_with_seed(text.as_bytes(), xxh3_64(prompt.as_bytes())),
        Document::Conversation(messages) => messages.iter().fold(0, |hash, Message { role, content }| {
            xxh3_64_with_seed(content.as_bytes(), xxh3_64_with_seed(role.as_bytes(), hash))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;

    use super::*;

    /// A tokenizer of bytes, of which some are joined.
    fn tokenizer(folder: &Path) -> Tokenizer {
        let mut tokens: Vec<String> = ByteLevel::alphabet().into_iter().map(String::from).collect();
        tokens.sort();
        tokens.extend(["<|endoftext|>", "th", "the"].map(str::to_owned));
        let end = tokens.iter().position(|token| token == "<|endoftext|>");
        let vocabulary: HashMap<&String, usize> = tokens.iter().zip(0..).collect();
        let bytes = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true });
        let json = json!({
            "version": "1.0", "normalizer": null, "pre_tokenizer": bytes, "post_processor": bytes, "decoder": bytes,
            "added_tokens": [{
                "id": end, "content": "<|endoftext|>", "special": true,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            }],
            "model": { "type": "BPE", "vocab": vocabulary, "merges": [["t", "h"], ["th", "e"]] },
        });
        let path = folder.join("tokenizer.json");
        fs::write(&path, json.to_string()).expect("the folder can be written");
        Tokenizer::load(&path).expect("it is whole")
    }

    /// Raise the version when this fails, then take the new hash.
    #[test]
    fn a_version_has_its_ids() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let folder = folder.path();
        let tokenizer = tokenizer(folder);
        let texts = "\u{feff}{\"text\": \"the theme, 3 + 4 = 7\\n\", \"score\": NaN}\r\n\n{\"text\": \"\\ud83d <|endoftext|> th\u{e9}\"}\n{\"text\": \"\"}";
        let examples =
            "{\"prompt\": \"the\", \"completion\": \" then\"}\n{\"prompt\": \"\", \"completion\": \"the\"}\n";
        let mut given = Vec::new();
        for (name, lines) in [("texts.jsonl", texts), ("examples.jsonl", examples)] {
            let path = folder.join(name);
            fs::write(&path, lines).expect("the folder can be written");
            let mut note = |_: &str| {};
            let mut cache = TokenCache::new(&folder.join("cache"), &tokenizer, &mut note);
            let file = cache.tokens(&path, &sha256(lines.as_bytes())).expect("it can be read");
            let entries = file.entries();
            let mut ids = vec![0; usize::try_from(entries.last().map_or(0, |last| last.end)).expect("a few")];
            file.ids().read(0, &mut ids).expect("it was written");
            given.push(format!("{entries:?} {ids:?}"));
        }
        let hash = xxh3_64(given.join("\n").as_bytes());
        assert_eq!((VERSION, format!("{hash:016x}")), (1, "1fa8fa763ffb15c1".to_owned()), "{given:#?}");
    }
}
