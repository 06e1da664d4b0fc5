//! The examples of a task, with the ids that `curate` gives them.
//!
//! ```text
//! files of a split -> rows -> items (`each`) -> examples, those that are not wanted left out; what is no example is named
//! ```
//!
//! Useful for: evaluation on tasks. Not useful for: training on them; `curate` writes mixtures of tasks, in the words of their templates.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use schemas::{
    examples::{ExampleFault, ExampleFormat, ExampleReader, Expressions, Found, Object, Read, objects_of},
    identity::DocumentId,
    prompt::RenderError,
    task::{Split, Task},
};
use serde_json::Value;

use super::{parquet_objects::object, read_options::ReadOptions};
use crate::error::{Error, Result};

/// Rows of Parquet that are unpacked together.
const BATCH_ROWS: usize = 256;

/// An example of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskExample {
    /// Its id, as `curate` has it where the task's name is the source's.
    pub id: String,
    /// Its fields.
    pub object: Object,
    /// The file; empty for an example that stands in the task's own.
    pub file: PathBuf,
    /// Its number among all examples of the file, those that the task does not want and those that are broken among them, from 1.
    pub number: u64,
}

/// A row that is no example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoExample {
    /// The file.
    pub file: PathBuf,
    /// Its number, as of examples.
    pub number: u64,
    /// Whether it is whole, and the task cannot tell what is right: the label is none of the choices, or an expression fails.
    pub is_whole: bool,
    /// What is wrong.
    pub message: String,
}

/// The examples of a split.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskExamples {
    /// The examples, in the order of files and rows.
    pub examples: Vec<TaskExample>,
    /// What is no example.
    pub broken: Vec<NoExample>,
}

impl TaskExamples {
    /// Reads the examples of a split. What is broken is named, and the rest is read.
    ///
    /// # Errors
    /// When a file cannot be read as a whole.
    pub fn read(task: &Task, split: Split) -> Result<Self> {
        let mut found = Self::default();
        for path in task.files.get(&split).into_iter().flatten() {
            found.read_file(task, path)?;
        }
        Ok(found)
    }

    /// The examples that stand in a task's own file.
    ///
    /// # Errors
    /// Never for a task that was checked.
    pub fn own(task: &Task) -> Result<Self> {
        let fault = |message: String| Error::Render(RenderError::meaning(task, message));
        let expressions = Expressions::new(&task.rules).map_err(|found| fault(found.message))?;
        let mut found = Self::default();
        let mut number = 0;
        for text in &task.examples {
            let object = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
            for example in objects_of(&expressions, &task.rules, object) {
                number += 1;
                found.take(task, Path::new(""), number, example);
            }
        }
        Ok(found)
    }

    fn read_file(&mut self, task: &Task, path: &Path) -> Result<()> {
        let failed = |source| Error::File { action: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let format = task.rules.format_of(path);
        let mut number = 0;
        if format == ExampleFormat::Parquet {
            let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
            let reader = ParquetRecordBatchReaderBuilder::try_new(file)
                .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
                .map_err(|error| damaged(error.to_string()))?;
            let expressions = Expressions::new(&task.rules).map_err(|fault| damaged(fault.message))?;
            for batch in reader {
                let batch = batch.map_err(|error| damaged(error.to_string()))?;
                for row in 0..batch.num_rows() {
                    let found = match object(&batch, row, &task.rules.fields).map_err(damaged)? {
                        Ok(object) => objects_of(&expressions, &task.rules, object),
                        Err(message) => vec![Found::Broken(ExampleFault::NotUtf8, message)],
                    };
                    for found in found {
                        number += 1;
                        self.take(task, path, number, found);
                    }
                }
            }
            return Ok(());
        }
        let options = ReadOptions::default();
        let bytes = options.open(file).map_err(failed)?;
        let lost = |error| match options.lost(path, error) {
            Err(error) => error,
            Ok(_) => unreachable!("nothing may be lost"),
        };
        let mut reader = ExampleReader::new(task.rules.clone(), format, Box::new(bytes)).map_err(lost)?;
        while let Some(Read { found, .. }) = reader.next_row().map_err(lost)? {
            number += 1;
            self.take(task, path, number, found);
        }
        Ok(())
    }

    fn take(&mut self, task: &Task, path: &Path, number: u64, found: Found) {
        match found {
            Found::Example(object) => {
                let id = id(&task.name, &object);
                self.examples.push(TaskExample { id, object, file: path.to_owned(), number });
            }
            Found::LeftOut(_) => {}
            Found::Broken(fault, message) => {
                let is_whole = fault == ExampleFault::Meaning;
                self.broken.push(NoExample { file: path.to_owned(), number, is_whole, message });
            }
        }
    }
}

/// The id of an example of a source.
fn id(source: &str, object: &Object) -> String {
    let text = Value::Object(object.clone()).to_string();
    let record = match object.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    };
    DocumentId::of(source, &record, "", text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use schemas::{
        paths::NamedFolders,
        task::{Folders, TaskDefinition},
        toml_file::TomlFile,
    };

    use super::*;

    const TASK: &str = r#"
name = "letters"
kind = "classification"
fields = ["letter", "label"]
choices = ["a vowel", "a consonant"]
answer = "label | int"
filter = "letter != 'y'"

[data]
test = ["{data}/letters.jsonl"]

[[example]]
letter = "e"
label = 0

[[template]]
name = "ask"
prompt = "What is {{ letter }}?\n"
completion = "{{ answer }}"
"#;

    fn task(folder: &Path, text: &str) -> Task {
        let folders = NamedFolders::from([("data".to_owned(), folder.to_owned())]);
        let file = TomlFile::from_text("tasks/letters.toml".to_owned(), text);
        let _: TaskDefinition = file.parse(&[]).expect("it is a task");
        Task::parse(&file, Folders::Named(&folders)).expect("the task is sound")
    }

    /// Ids are those of `curate render`; what is not wanted is passed over, what is broken is named, and numbers count both.
    #[test]
    fn examples_have_the_ids_of_curate() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let lines = "{\"letter\":\"a\",\"label\":0}\n\n{\"letter\":\"y\",\"label\":1}\n{\"letter\":\"b\",\"label\":7}\n{\"lett\n\
                     {\"label\":1,\"letter\":\"c\",\"id\":\"c\"}\n";
        fs::write(folder.path().join("letters.jsonl"), lines).expect("it can be written");
        let task = task(folder.path(), TASK);
        let found = TaskExamples::read(&task, Split::Test)?;
        let numbers: Vec<u64> = found.examples.iter().map(|example| example.number).collect();
        assert_eq!(numbers, [1, 5]);
        let id = DocumentId::of("letters", "", "", b"{\"label\":0,\"letter\":\"a\"}").to_string();
        assert_eq!(found.examples[0].id, id);
        let [label, line] = &found.broken[..] else { panic!("two are broken: {:?}", found.broken) };
        assert!(label.is_whole && label.number == 3 && label.message.contains("none of the choices"), "{label:?}");
        assert!(!line.is_whole && line.number == 4, "{line:?}");
        assert_eq!(TaskExamples::own(&task)?.examples.len(), 1);
        let files: BTreeMap<_, _> = task.files.clone();
        assert_eq!(files.len(), 1);
        Ok(())
    }

    /// A file that ends early is no shorter file.
    #[test]
    fn a_file_that_breaks_off_is_an_error() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all("{\"letter\":\"a\",\"label\":0}\n".repeat(500).as_bytes()).expect("memory can be written");
        let packed = packed.finish().expect("memory can be written");
        fs::write(folder.path().join("letters.jsonl.gz"), &packed[..packed.len() - 9]).expect("it can be written");
        let task = task(folder.path(), &TASK.replace("letters.jsonl", "letters.jsonl.gz"));
        let error = TaskExamples::read(&task, Split::Test).expect_err("its end is missing").to_string();
        assert!(error.contains("letters.jsonl.gz") && error.contains("bytes are lost"), "{error}");
    }
}
