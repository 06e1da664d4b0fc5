//! Files of prompts that come ready, and of texts.
//!
//! ```text
//! prompts   lines of JSON -> each id once -> by what they are judged from
//! texts     .txt .md .raw .tokens, no ending -> the whole file, one text     others: Parquet, JSON lines -> a text for each row
//! ```
//!
//! All but Parquet may be packed, and begin with UTF-8's byte order mark. Rows that are conversations are refused: what is said in one has no
//! perplexity of its own.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use compression::{MaxWindow, Unpacked};
use schemas::{byte_order_mark::without_mark, paths::unpacked_name};

use super::{figures::Method, ready::ReadyPrompt};
use crate::{
    data::{Document, Documents, Lines, ReadOptions},
    error::{Error, Result},
};

/// What the name of a text ends with that is one as a whole.
const PLAIN: [&str; 4] = ["txt", "md", "raw", "tokens"];

/// A file of prompts that come ready, or of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadyFile {
    /// The file.
    pub path: PathBuf,
    /// What it is called in results: its name, without what the name ends with.
    pub name: String,
    /// Prompts by what they are judged from, each with the number of its line, or row, from 1.
    pub kinds: Vec<(Method, Vec<(u64, ReadyPrompt)>)>,
}

impl ReadyFile {
    /// Reads prompts.
    ///
    /// # Errors
    /// When the file cannot be read or has no line, or a line is no prompt or has the id of another: the line is named.
    pub fn of_prompts(path: &Path) -> Result<Self> {
        let damaged = |line: u64, message: String| Error::Damaged {
            path: path.to_owned(),
            message: format!("line {line}: {message}"),
        };
        let mut lines = Lines::open(path, ReadOptions::default())?;
        let mut known: HashMap<String, u64> = HashMap::new();
        let mut kinds: BTreeMap<Method, Vec<(u64, ReadyPrompt)>> = BTreeMap::new();
        while let Some((number, line)) = lines.next_line()? {
            let prompt = ReadyPrompt::of_line(&line).map_err(|message| damaged(number, message))?;
            let method = prompt.method().map_err(|message| damaged(number, message))?;
            let id = prompt.known_by(number);
            if let Some(other) = known.get(&id) {
                return Err(damaged(number, format!("it is known by `{id}`, and so is line {other}")));
            }
            known.insert(id, number);
            kinds.entry(method).or_default().push((number, prompt));
        }
        Self::new(path, kinds.into_iter().collect())
    }

    /// Reads texts.
    ///
    /// # Errors
    /// When the file cannot be read, has no row, or has one that is a conversation.
    pub fn of_texts(path: &Path) -> Result<Self> {
        let texts = if is_plain(path) { vec![plain_text(path)?] } else { rows(path)? };
        let prompts: Vec<(u64, ReadyPrompt)> = (1..).zip(texts.into_iter().map(ReadyPrompt::of_text)).collect();
        let kinds = if prompts.is_empty() { Vec::new() } else { vec![(Method::Text, prompts)] };
        Self::new(path, kinds)
    }

    fn new(path: &Path, kinds: Vec<(Method, Vec<(u64, ReadyPrompt)>)>) -> Result<Self> {
        if kinds.is_empty() {
            return Err(Error::Data { path: path.to_owned(), message: "there is nothing to evaluate on".to_owned() });
        }
        Ok(Self { path: path.to_owned(), name: name_of(path), kinds })
    }
}

/// The name of a file without the ending that says what it holds, and the one that says how it is packed.
fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unpacked = unpacked_name(&name);
    let stem = match unpacked.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => unpacked,
    };
    stem.to_owned()
}

/// Whether a file is a text as a whole, by its name.
fn is_plain(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    unpacked_name(&name).rsplit_once('.').is_none_or(|(_, ending)| PLAIN.contains(&ending))
}

fn plain_text(path: &Path) -> Result<String> {
    let failed = |source| Error::File { action: "read", path: path.to_owned(), source };
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut input = Unpacked::new(file, Box::new(MaxWindow::default())).map_err(failed)?;
    input.read_to_end(&mut bytes).map_err(failed)?;
    let text = without_mark(&bytes).map_err(damaged)?;
    let text = std::str::from_utf8(text).map_err(|error| damaged(format!("it is not UTF-8: {error}")))?;
    Ok(text.to_owned())
}

fn rows(path: &Path) -> Result<Vec<String>> {
    let mut documents = Documents::open(path)?;
    let mut texts = Vec::new();
    while let Some(few) = documents.next_few()? {
        for document in few {
            match document {
                Document::Text { prompt, text } => texts.push(prompt + &text),
                Document::Conversation(_) => {
                    let message = format!("row {} is a conversation, and no text", texts.len() + 1);
                    return Err(Error::Damaged { path: path.to_owned(), message });
                }
            }
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn text(file: &ReadyFile) -> Option<&str> {
        let [(Method::Text, prompts)] = &file.kinds[..] else { return None };
        prompts.first()?.1.text.as_deref()
    }

    #[test]
    fn a_text_is_read_as_a_whole_however_it_is_packed() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let whole = "One line.\n\n  Another. \n";
        let packed = zstd::encode_all(whole.as_bytes(), 1).expect("memory can be written");
        for (name, bytes, known_by) in [
            ("plain.txt", whole.as_bytes(), "plain"),
            ("marked.md", "\u{feff}One line.\n\n  Another. \n".as_bytes(), "marked"),
            ("wiki.test.raw", whole.as_bytes(), "wiki.test"),
            ("wiki.test.tokens", whole.as_bytes(), "wiki.test"),
            ("packed.txt.zst", &packed[..], "packed"),
            ("README", whole.as_bytes(), "README"),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("it can be written");
            let file = ReadyFile::of_texts(&path)?;
            assert_eq!((text(&file), file.name.as_str()), (Some(whole), known_by), "{name}");
        }
        let path = folder.path().join("other.txt");
        for (bytes, message) in [(&b"\xff\xfea\0"[..], "it is in UTF-16LE"), (b"a\xff", "it is not UTF-8")] {
            fs::write(&path, bytes).expect("it can be written");
            let error = ReadyFile::of_texts(&path).expect_err("it is no UTF-8").to_string();
            assert!(error.contains("other.txt") && error.contains(message), "{error}");
        }
        Ok(())
    }

    #[test]
    fn rows_are_texts_and_no_conversations() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.v2.jsonl");
        fs::write(&path, "{\"prompt\": \"a\", \"completion\": \" b\"}\n{\"text\": \"c\"}\n")
            .expect("it can be written");
        let file = ReadyFile::of_texts(&path)?;
        assert_eq!((text(&file), file.name.as_str(), file.kinds[0].1.len()), (Some("a b"), "rows.v2", 2));
        let conversation = "{\"text\": \"c\"}\n{\"messages\": [{\"role\": \"user\", \"content\": \"Hello.\"}]}\n";
        fs::write(&path, conversation).expect("it can be written");
        let error = ReadyFile::of_texts(&path).expect_err("it is no text").to_string();
        assert!(error.ends_with("rows.v2.jsonl is damaged: row 2 is a conversation, and no text"), "{error}");
        Ok(())
    }

    /// Samples of one id could not be told apart, and kinds have one order whatever that of the lines.
    #[test]
    fn prompts_are_told_apart() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("ready.jsonl");
        let (one, two) = (r#"{"text": "a", "id": 2}"#, r#"{"context": "a", "continuation": "b", "id": "x"}"#);
        fs::write(&path, format!("{one}\n{two}\n")).expect("it can be written");
        let kinds: Vec<Method> = ReadyFile::of_prompts(&path)?.kinds.iter().map(|(method, _)| *method).collect();
        assert_eq!(kinds, [Method::Answer, Method::Text]);
        for other in ["{\"text\": \"b\", \"id\": \"2\"}", "{\"text\": \"b\"}"] {
            fs::write(&path, format!("{one}\n{other}\n")).expect("it can be written");
            let error = ReadyFile::of_prompts(&path).expect_err("both are known by one id").to_string();
            assert!(error.contains("line 2: it is known by `2`, and so is line 1"), "{error}");
        }
        fs::write(&path, "\n").expect("it can be written");
        let error = ReadyFile::of_prompts(&path).expect_err("it has no line").to_string();
        assert!(error.contains("there is nothing to evaluate on"), "{error}");
        Ok(())
    }
}
