//! Repeated substrings of 100 bytes in a gigabyte of text: how long they take to find, in how much memory, and whether all are found.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench substrings -- [--memory BYTES] MEGABYTES...
//! ```
//!
//! Texts are words of a made-up vocabulary in an order that is drawn, about 2,500 bytes each; one in twenty has one of a thousand
//! substrings planted in it, of 150 to 400 bytes. All places of a substring are to be cut, and the bench knows each to the byte: a cut is
//! longer than its substring only where what stands beside it happens to be the same in another place, which it looks up. Prints for
//! each size, in a process of its own, seconds, the peak of memory, and cuts that are missing or are not what they should be.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

mod growth;

use std::{collections::HashMap, error::Error, fs::File, ops::Range, path::Path, sync::Arc, time::Instant};

use curate::{
    decide::{SubstringsConfig, SubstringsExec, substrings_schema},
    engine::{Engine, Limits},
    files::{Publication, PublishExec},
    text::{sameness::Sameness, substrings::SubstringUnit},
};
use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, RecordBatch, StringViewBuilder},
        compute::cast,
        datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{
        ExecutionPlan,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use growth::{draw, each_size, peak};

/// The program's own allocator, so that peaks are comparable.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TEXT_BYTES: u64 = 2500;
const BATCH_ROWS: u64 = 512;
const VOCABULARY: u64 = 20_000;
const SUBSTRINGS: u64 = 1000;
/// One text in so many has a planted substring.
const PLANTED: u64 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    each_size(1 << 30, |megabytes, memory| measure(megabytes.parse()?, memory))
}

fn measure(megabytes: u64, memory: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let threads = std::thread::available_parallelism()?.get();
    let session = Engine::Local.session(Limits { threads, memory, spill: folder.path().join("spill") })?;
    let texts = Arc::new(Texts::new(megabytes * 1_000_000 / TEXT_BYTES));
    let source = |with_text: bool| -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let schema = schema(with_text);
        let stream = Arc::new(Stream { texts: Arc::clone(&texts), with_text, schema: Arc::clone(&schema) });
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![stream], None, [], false, None)?))
    };
    let config = SubstringsConfig {
        unit: SubstringUnit::Bytes(100),
        sameness: Sameness::Exact,
        keep_first: false,
        budget: session.budget(),
    };
    let substrings = SubstringsExec::new(source(false)?, source(false)?, source(true)?, config.clone());
    let file = folder.path().join("cuts.parquet");
    let publication = Publication::new(&file, &substrings_schema());
    let plan = Arc::new(PublishExec::new(Arc::new(substrings), vec![publication])?);
    let start = Instant::now();
    let context = session.streaming();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build()?;
    runtime.block_on(session.collect("substrings", &context, plan))?;
    let seconds = start.elapsed().as_secs_f64();
    let peak = peak()?;
    let (places, cut, wrong) = texts.check(&file)?;
    println!(
        "{megabytes} MB in {} texts: {seconds:.1} s, {:.1} MB/s, peak {peak} MB under a limit of {} MB; {} places planted, {} cut, {wrong} wrong",
        texts.count,
        megabytes as f64 / seconds,
        memory >> 20,
        places,
        cut,
    );
    Ok(())
}

fn id(text: u64) -> String {
    format!("{:016x}{:016x}", draw(text, 1), draw(text, 2))
}

/// Texts, each made when it is asked for.
#[derive(Debug)]
struct Texts {
    count: u64,
    words: Vec<String>,
    substrings: Vec<String>,
}

impl Texts {
    fn new(count: u64) -> Self {
        let letter =
            |word: u64, place: u64| char::from(b'a' + u8::try_from(draw(word, 10 + place) % 26).expect("a letter"));
        let words: Vec<String> =
            (0..VOCABULARY).map(|word| (0..2 + draw(word, 3) % 8).map(|place| letter(word, place)).collect()).collect();
        let mut texts = Self { count, words, substrings: Vec::new() };
        texts.substrings = (0..SUBSTRINGS)
            .map(|substring| {
                let mut text = String::new();
                texts.write(&mut text, u64::MAX - substring, 150 + draw(substring, 4) % 250);
                text
            })
            .collect();
        texts
    }

    /// Adds words, drawn for `seed`, until there are `bytes`.
    fn write(&self, text: &mut String, seed: u64, bytes: u64) {
        let end = text.len() as u64 + bytes;
        for place in 0.. {
            if text.len() as u64 >= end {
                return;
            }
            let word = draw(seed, 1000 + place) % VOCABULARY;
            text.push_str(&self.words[usize::try_from(word).expect("a place in the list")]);
            text.push(' ');
        }
    }

    /// A text, and which substring stands where in it.
    fn text(&self, number: u64) -> (String, Option<(usize, Range<usize>)>) {
        let mut text = String::new();
        if !draw(number, 5).is_multiple_of(PLANTED) {
            self.write(&mut text, number, TEXT_BYTES);
            return (text, None);
        }
        let substring = usize::try_from(draw(number, 6) % SUBSTRINGS).expect("a place in the list");
        let before = draw(number, 7) % TEXT_BYTES;
        self.write(&mut text, number, before);
        let start = text.len();
        text.push_str(&self.substrings[substring]);
        let end = text.len();
        self.write(&mut text, number ^ (1 << 40), TEXT_BYTES - before);
        (text, Some((substring, start..end)))
    }

    /// Places that were planted, texts that are cut, and cuts that are missing, are too many or do not stand where they should.
    fn check(&self, file: &Path) -> Result<(usize, usize, usize), Box<dyn Error>> {
        let mut found: HashMap<String, Vec<Range<usize>>> = HashMap::new();
        for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?.build()? {
            let batch = batch?;
            let ids = cast(batch.column(0), &DataType::Utf8)?;
            let lists = batch.column(1).as_list::<i32>();
            for row in 0..batch.num_rows() {
                let cuts = lists.value(row);
                let ends =
                    |column: usize| cuts.as_struct().column(column).as_primitive::<UInt32Type>().values().to_vec();
                let cuts = ends(0).into_iter().zip(ends(1)).map(|(start, end)| start as usize..end as usize);
                found.insert(ids.as_string::<i32>().value(row).to_owned(), cuts.collect());
            }
        }
        let mut places: Vec<Vec<(u64, Range<usize>, String)>> = vec![Vec::new(); self.substrings.len()];
        for number in 0..self.count {
            if let (text, Some((substring, place))) = self.text(number) {
                places[substring].push((number, place, text));
            }
        }
        let cut = found.len();
        let (mut planted, mut right) = (0, 0);
        for places in &places {
            for (number, place, text) in places.iter().filter(|_| places.len() > 1) {
                // as far as what stands beside the substring is the same in another place
                let (mut before, mut behind) = (0, 0);
                for (_, other_place, other) in places.iter().filter(|(other, ..)| other != number) {
                    let same = |one: &mut dyn Iterator<Item = u8>, other: &mut dyn Iterator<Item = u8>| {
                        one.zip(other).take_while(|(one, other)| one == other).count()
                    };
                    let (one, two) = (&text.as_bytes()[..place.start], &other.as_bytes()[..other_place.start]);
                    before = before.max(same(&mut one.iter().rev().copied(), &mut two.iter().rev().copied()));
                    let (one, two) = (&text.as_bytes()[place.end..], &other.as_bytes()[other_place.end..]);
                    behind = behind.max(same(&mut one.iter().copied(), &mut two.iter().copied()));
                }
                planted += 1;
                let cut = place.start - before..place.end + behind;
                let cuts = found.remove(&id(*number)).unwrap_or_default();
                right += usize::from(cuts == std::slice::from_ref(&cut));
            }
        }
        Ok((planted, cut, planted - right + found.len()))
    }
}

fn schema(with_text: bool) -> SchemaRef {
    let names: &[&str] = if with_text { &["id", "text"] } else { &["id"] };
    Arc::new(Schema::new(names.iter().map(|name| Field::new(*name, DataType::Utf8View, false)).collect::<Vec<_>>()))
}

/// The texts, or their ids alone, as rows.
#[derive(Debug)]
struct Stream {
    texts: Arc<Texts>,
    with_text: bool,
    schema: SchemaRef,
}

impl PartitionStream for Stream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (texts, with_text, schema) = (Arc::clone(&self.texts), self.with_text, Arc::clone(&self.schema));
        let batches = (0..texts.count.div_ceil(BATCH_ROWS)).map(move |number| {
            let (mut ids, mut rows) = (StringViewBuilder::new(), StringViewBuilder::new());
            for text in number * BATCH_ROWS..texts.count.min((number + 1) * BATCH_ROWS) {
                ids.append_value(id(text));
                if with_text {
                    rows.append_value(texts.text(text).0);
                }
            }
            let mut columns: Vec<ArrayRef> = vec![Arc::new(ids.finish())];
            if with_text {
                columns.push(Arc::new(rows.finish()));
            }
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches)))
    }
}
