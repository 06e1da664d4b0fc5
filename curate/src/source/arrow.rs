//! Rows of Arrow's own files as documents: files and streams of its IPC format, such as `.arrow`, `.arrows` and Feather of version 2.
//!
//! ```text
//! stream                     file
//! schema                     ARROW1
//! dictionaries, batches      a stream
//! end                        footer, ARROW1
//! ```
//!
//! Both are read from front to back, a message at a time. What a message says of its length is held against the file before memory is taken
//! for it. As with Parquet, a file that is cut or damaged is an error: a part of a table is no smaller table.
//!
//! Useful for: what `datasets` keeps on disk, what Polars and pandas write. Not useful for: Feather of version 1, and streams
//! from before Arrow 0.15. A batch is held whole: files with one batch of all rows take as much memory as they are large.
//!
//! Source: the Arrow columnar format, "Serialization and Interprocess Communication".

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    sync::Arc,
};

use datafusion::arrow::{
    array::RecordBatch,
    buffer::Buffer,
    error::ArrowError,
    ipc::{
        Block, Message, MessageHeader,
        convert::fb_to_schema,
        reader::{FileDecoder, read_footer_length},
        root_as_message,
    },
};
use schemas::toml_file::TomlError;
use system::contained::{Panicked, contained};

use super::{
    SourceRecipe,
    batch_rows::BatchRows,
    columns::Columns,
    format::{ListedFormat, SourceFile, SourceFormat},
    raw::{Raw, RawReader, invalid},
};
use crate::files::{NamedFiles, Version};

/// How rows of Arrow's files become ours.
const VERSION: Version = Version::new("source/arrow", 1);

/// What a file begins and ends with.
const FILE: &[u8] = b"ARROW1";

/// Bytes at the beginning of a file, before its stream.
const HEAD: u64 = 8;

/// What a message begins with; its length follows.
const MESSAGE: [u8; 4] = [0xff; 4];

/// Bytes before what a message says of itself.
const PREFIX: usize = 8;

/// Bytes that may fill up a file in front of its first message, and behind the end of its stream.
const PADDING: u64 = 64;

/// The most bytes that a compressed one stands for: zstd has a block of 128 KiB in four, and LZ4 less.
const LARGEST_RATIO: usize = (128 << 10) / 4;

/// The rows of a file: the named columns of each.
pub struct ArrowRows {
    messages: Messages,
    decoder: FileDecoder,
    rows: BatchRows,
}

/// The messages of a file, one after the other.
struct Messages {
    file: File,
    at: u64,
    end: u64,
}

/// A message as it stands in the file, with the dictionary or the batch that follows it.
struct Found {
    block: Block,
    bytes: Buffer,
}

impl ArrowRows {
    /// Opens a file, which must have the column of the text, and that must be one.
    pub fn new(file: File, columns: &Columns) -> io::Result<Self> {
        let mut messages = Messages::open(file)?;
        let first = messages.next()?.ok_or_else(|| invalid("it has no message, and so no schema"))?;
        let message = first.message()?;
        let Some(schema) = message.header_as_schema() else {
            return Err(invalid(format!("its first message is no schema, but {:?}", message.header_type())));
        };
        if !schema.endianness().equals_to_target_endianness() {
            return Err(invalid("its numbers are in the order of bytes of another kind of machine"));
        }
        let schema = first.decoded(|| Ok(fb_to_schema(schema)))?;
        let (rows, roots) = BatchRows::new(&schema, columns)?;
        let decoder = FileDecoder::new(Arc::new(schema), message.version()).with_projection(roots);
        Ok(Self { messages, decoder, rows })
    }
}

impl RawReader for ArrowRows {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        let Self { messages, decoder, rows } = self;
        rows.next_raw(|| next_batch(messages, decoder))
    }
}

fn next_batch(messages: &mut Messages, decoder: &mut FileDecoder) -> io::Result<Option<RecordBatch>> {
    while let Some(found) = messages.next()? {
        found.check_buffers()?;
        let Found { block, bytes } = &found;
        if found.message()?.header_type() == MessageHeader::DictionaryBatch {
            found.decoded(|| decoder.read_dictionary(block, bytes))?;
            continue;
        }
        let nothing = || ArrowError::IpcError("it holds nothing".to_owned());
        return found.decoded(|| decoder.read_record_batch(block, bytes)?.ok_or_else(nothing)).map(Some);
    }
    Ok(None)
}

impl Messages {
    fn open(mut file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut head = Vec::new();
        file.rewind()?;
        (&file).take(PADDING).read_to_end(&mut head)?;
        let (at, end) = match head.as_slice() {
            head if head.starts_with(FILE) => {
                // the first message is aligned: to 8 bytes by most, to 64 by others
                let words = head.chunks(PREFIX).skip(1).take_while(|word| **word == [0; PREFIX]).count();
                let end = end_of_stream(&mut file, length)?;
                ((HEAD + (words * PREFIX) as u64).min(end), end)
            }
            head if head.starts_with(&MESSAGE) => (0, length),
            head if head.starts_with(b"FEA1") => {
                return Err(invalid("it is Feather of version 1: write it as version 2, or as Parquet"));
            }
            head => {
                let shown: Vec<String> = head.iter().take(PREFIX).map(|byte| format!("{byte:02x}")).collect();
                return Err(invalid(format!("it is no file or stream of Arrow: it begins with {}", shown.join(" "))));
            }
        };
        file.seek(SeekFrom::Start(at))?;
        Ok(Self { file, at, end })
    }

    /// The next message; none at the end of the stream.
    fn next(&mut self) -> io::Result<Option<Found>> {
        let start = self.at;
        if start == self.end {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.take(PREFIX as u64, start, &mut bytes)?;
        let (mark, length) = bytes.split_at(MESSAGE.len());
        if mark != MESSAGE {
            return Err(invalid(format!("no message begins at byte {start}, where one should")));
        }
        let length = i32::from_le_bytes(length.try_into().expect("there are four more"));
        if length == 0 {
            return self.ended();
        }
        let impossible = |length: i64| invalid(format!("the message at byte {start} has {length} bytes, it says"));
        self.take(u64::try_from(length).map_err(|_| impossible(length.into()))?, start, &mut bytes)?;
        let head = i32::try_from(bytes.len()).map_err(|_| impossible(length.into()))?;
        let body = root_as_message(&bytes[PREFIX..]).map_err(|error| no_message(start, &error))?.bodyLength();
        self.take(u64::try_from(body).map_err(|_| impossible(body))?, start, &mut bytes)?;
        let block = Block::new(i64::try_from(start).map_err(invalid)?, head, body);
        Ok(Some(Found { block, bytes: Buffer::from_vec(bytes) }))
    }

    /// Reads some more bytes of the message that begins at `start`.
    fn take(&mut self, count: u64, start: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        let left = self.end - self.at;
        if count > left {
            let message =
                format!("it is cut in the message at byte {start}: {count} bytes should follow, and {left} do");
            return Err(invalid(message));
        }
        let held = bytes.len();
        bytes.resize(held + usize::try_from(count).map_err(invalid)?, 0);
        self.file.read_exact(&mut bytes[held..])?;
        self.at += count;
        Ok(())
    }

    /// The end of the stream, which is that of the file.
    fn ended(&mut self) -> io::Result<Option<Found>> {
        let left = self.end - self.at;
        if left > PADDING {
            return Err(invalid(format!("its stream ends at byte {}, and {left} bytes follow", self.at)));
        }
        self.at = self.end;
        Ok(None)
    }
}

/// Where the stream in a file ends, which is where the footer begins.
fn end_of_stream(file: &mut File, length: u64) -> io::Result<u64> {
    let cut = || invalid("it is cut, or was never finished: it begins as a file of Arrow, and does not end as one");
    let mut tail = [0; 10];
    let tail_length = tail.len() as u64;
    if length < HEAD + tail_length {
        return Err(cut());
    }
    file.seek(SeekFrom::Start(length - tail_length))?;
    file.read_exact(&mut tail)?;
    let footer = read_footer_length(tail).map_err(|_| cut())?;
    (length - tail_length).checked_sub(footer as u64).filter(|end| *end >= HEAD).ok_or_else(cut)
}

impl Found {
    fn start(&self) -> i64 {
        self.block.offset()
    }

    fn message(&self) -> io::Result<Message<'_>> {
        root_as_message(&self.bytes[PREFIX..]).map_err(|error| no_message(self.start(), &error))
    }

    /// What the message is decoded to; what is wrong with it, or what the library did not expect of it, is an error with its place.
    fn decoded<T>(&self, work: impl FnOnce() -> Result<T, ArrowError>) -> io::Result<T> {
        let detail = match contained(work) {
            Ok(Ok(decoded)) => return Ok(decoded),
            Ok(Err(error)) => error.to_string(),
            Err(Panicked(message)) => message,
        };
        Err(invalid(format!("the message at byte {} is damaged: {detail}", self.start())))
    }

    /// Whether compressed buffers can be as large as they say, for so much memory is taken for them.
    fn check_buffers(&self) -> io::Result<()> {
        let message = self.message()?;
        let batch = message
            .header_as_record_batch()
            .or_else(|| message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
        let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else { return Ok(()) };
        let body = usize::try_from(self.block.metaDataLength()).ok().and_then(|start| self.bytes.get(start..));
        for buffer in batch.buffers().into_iter().flatten() {
            let held = || {
                let (start, length) = (buffer.offset().try_into().ok()?, usize::try_from(buffer.length()).ok()?);
                body?.get(start..)?.get(..length)
            };
            let said = held().map(|held| (held.len(), held.first_chunk().map_or(0, |said| i64::from_le_bytes(*said))));
            let is_possible = said.is_some_and(|(length, said)| {
                usize::try_from(said).map_or(said == -1, |said| said <= length.saturating_mul(LARGEST_RATIO))
            });
            if !is_possible {
                let message =
                    format!("the message at byte {} is damaged: the length of a buffer cannot be", self.start());
                return Err(invalid(message));
            }
        }
        Ok(())
    }
}

fn no_message(start: impl std::fmt::Display, error: &impl std::fmt::Display) -> io::Error {
    invalid(format!("the message at byte {start} is damaged: {error}"))
}

impl SourceFormat for ArrowRows {
    type Options = Columns;

    const NAME: &'static str = "arrow";

    const PLACE: &'static str = "row";

    fn versions(_: &Columns) -> Vec<Version> {
        vec![VERSION]
    }

    fn open(columns: &Columns, file: SourceFile<'_>) -> io::Result<Self> {
        Self::new(file.file, columns)
    }
}

impl ListedFormat for ArrowRows {
    fn options(recipe: &SourceRecipe, _: &str, _: &NamedFiles<'_>) -> Result<Columns, TomlError> {
        Ok(recipe.columns.columns())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use datafusion::arrow::{
        array::{ArrayRef, Int64Array, ListArray, StringArray, StringDictionaryBuilder},
        datatypes::{Int16Type, Int32Type},
        ipc::{
            CompressionType,
            writer::{FileWriter, IpcWriteOptions, StreamWriter},
        },
    };

    use super::*;
    use crate::source::row::Outcome;

    /// Long enough to be compressed when it is repeated.
    const TEXT: &str = "salt, öl.";

    /// Three rows: a dictionary of texts, numbers as ids, and what is nested.
    fn batch() -> RecordBatch {
        let mut texts = StringDictionaryBuilder::<Int16Type>::new();
        texts.extend([Some(TEXT.repeat(60).as_str()), None, Some("oil")]);
        let urls = StringArray::from(vec!["http://a.org/", "http://b.org/", "http://c.org/"]);
        let links = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None, None]);
        let columns: [(&str, ArrayRef); 4] = [
            ("links", Arc::new(links)),
            ("id", Arc::new(Int64Array::from(vec![7, 8, 9]))),
            ("text", Arc::new(texts.finish())),
            ("url", Arc::new(urls)),
        ];
        RecordBatch::try_from_iter(columns).expect("the columns are of one length")
    }

    fn written(is_file: bool, compression: Option<CompressionType>) -> Vec<u8> {
        let batch = batch();
        let options = IpcWriteOptions::default().try_with_compression(compression).expect("it is one of two");
        let schema = batch.schema();
        if is_file {
            let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options).expect("memory is there");
            (0..2).for_each(|_| writer.write(&batch).expect("memory can be written"));
            writer.into_inner().expect("memory can be written")
        } else {
            let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options).expect("memory is there");
            (0..2).for_each(|_| writer.write(&batch).expect("memory can be written"));
            writer.into_inner().expect("memory can be written")
        }
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<(u64, String, Option<String>)>> {
        let mut file = tempfile::tempfile().expect("the temporary folder can be written");
        file.write_all(bytes).expect("the file can be written");
        let mut rows = ArrowRows::new(file, &Columns::default())?;
        let rows = std::iter::from_fn(|| rows.next_raw().transpose());
        rows.map(|raw| {
            let row = raw?.row("table");
            let text = match row.outcome {
                Outcome::Text(text) => text,
                Outcome::Dropped(_) => String::new(),
                Outcome::Quarantined(fault, detail) => format!("{fault}: {detail}"),
            };
            Ok((row.offset, text, row.record))
        })
        .collect()
    }

    /// Files and streams give the same rows, compressed or not.
    #[test]
    fn rows_are_found_by_the_names_of_columns() {
        let rows = [(TEXT.repeat(60), "7"), (String::new(), "8"), ("oil".to_owned(), "9")];
        let rows = rows.map(|(text, id)| (text, Some(id.to_owned())));
        let expected: Vec<_> =
            (0..6).zip(rows.iter().cycle()).map(|(place, (text, id))| (place, text.clone(), id.clone())).collect();
        for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
            for is_file in [true, false] {
                let found = read(&written(is_file, compression)).expect("it is sound");
                assert_eq!(found, expected, "{compression:?} {is_file}");
            }
        }
        // a stream may end without a mark
        let mut stream = written(false, None);
        stream.truncate(stream.len() - PREFIX);
        assert_eq!(read(&stream).expect("it is sound"), expected);
    }

    /// A part of a table is never taken for a table, but for a stream that ends between two messages.
    #[test]
    fn a_cut_is_an_error() {
        let error = |bytes: &[u8]| read(bytes).expect_err("it is cut").to_string();
        let file = written(true, None);
        for end in 0..file.len() {
            error(&file[..end]);
        }
        assert!(error(&file[..file.len() - 1]).contains("does not end as one"));
        let stream = written(false, None);
        assert!(error(&stream[..stream.len() - PREFIX - 1]).starts_with("it is cut in the message at byte "));
        assert!(error(&[&stream[..], &stream].concat()).contains("bytes follow"));
        assert!(error(b"{\"text\": \"salt\"}\n").contains("it begins with 7b 22 74 65"));
        assert!(error(b"FEA1\x00\x00\x00\x00").contains("version 1"));
    }

    /// Whatever a byte is changed to, reading comes to an end, and takes no more memory than a file of that size can ask for.
    #[test]
    fn a_damaged_file_is_read_or_refused() {
        for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
            let sound = written(true, compression);
            for place in 0..sound.len() {
                for mask in [0x01, 0x80, 0xff] {
                    let mut bytes = sound.clone();
                    bytes[place] ^= mask;
                    if let Err(error) = read(&bytes) {
                        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{place}: {error}");
                    }
                }
            }
        }
    }
}
