//! Adding documents to an index in a database, and removing them.
//!
//! Each segment's worth of passages is a transaction, and so is a whole build: what a program that was killed had not finished is not there.

use std::{collections::BTreeSet, path::PathBuf};

use pgvector::Vector;
use postgres::{
    Client, GenericClient, Transaction,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};

use super::{
    address::PostgresAddress,
    index::PASSAGE,
    session::{Session, fault, number},
    settings::{FORMAT, Settings},
    term::{MOST_BYTES, stored_term},
};
use crate::{
    error::{Error, Result},
    retrieve::{
        analysis::{Analysis, AnalysisConfig},
        encoder::PassageEncoder,
        intake::{Added, NO_ENCODER, Removed, take_documents, vectors_of},
        passage::{Passage, PassagesConfig},
        postings::Postings,
    },
};

/// The most numbers of a vector that pgvector's graphs take.
const MOST_WIDTH: usize = 2000;

/// An index in a database that is open to be written. One program writes at a time.
#[derive(Debug)]
pub struct PostgresWriter {
    session: Session,
    settings: Settings,
    analysis: Analysis,
    encoder: Option<Box<dyn PassageEncoder>>,
    /// Whether all of it is one transaction, which is open.
    builds: bool,
}

impl PostgresWriter {
    /// Makes an index. It is there once documents are added.
    ///
    /// - `with_graph`: whether it keeps a graph of its vectors
    ///
    /// # Errors
    /// When there is one, or the database refuses something: to make a schema, or the extension `vector`, where that is wanted and not there.
    pub fn create(
        address: &PostgresAddress,
        analysis: AnalysisConfig,
        passages: PassagesConfig,
        encoder: Option<Box<dyn PassageEncoder>>,
        with_graph: bool,
    ) -> Result<Self> {
        let mut session = Session::connect(address)?;
        lock(&mut session)?;
        let schema = &address.schema;
        let there = "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1";
        if !session.query(there, &[schema])?.is_empty() {
            let message = if session.has_index()? {
                format!(
                    "there is an index: `train index add` adds to it, `?index=NAME` names another, and DROP SCHEMA {schema} CASCADE removes it"
                )
            } else {
                format!("the schema `{schema}` is something else: `?index=NAME` names one of its own")
            };
            return Err(session.fault(message));
        }
        let encoder_entry = encoder.as_ref().map(|encoder| encoder.entry().clone());
        let width = encoder_entry.as_ref().map(|entry| entry.width);
        if let Some(width) = width.filter(|width| with_graph && *width > MOST_WIDTH) {
            let message =
                format!("a graph of pgvector is of vectors of {MOST_WIDTH} numbers at most, and these have {width}");
            return Err(session.fault(message));
        }
        session.run("BEGIN")?;
        if width.is_some() {
            session.run("CREATE EXTENSION IF NOT EXISTS vector")?;
            session.find_names()?;
        }
        let embedding = width.map_or_else(String::new, |width| format!(", embedding vector({width}) NOT NULL"));
        session.run(&format!(
            "CREATE SCHEMA \"{schema}\"; \
             CREATE TABLE settings (format integer NOT NULL, version bigint NOT NULL, config text NOT NULL); \
             CREATE TABLE passages (number bigint NOT NULL, id text COLLATE \"C\" NOT NULL, document text COLLATE \"C\" NOT NULL, \
             begins bigint NOT NULL, ends bigint NOT NULL, title text NOT NULL, text text NOT NULL, source text COLLATE \"C\", \
             date text COLLATE \"C\", language text COLLATE \"C\", length integer NOT NULL{embedding}); \
             CREATE TABLE postings (term text COLLATE \"C\" NOT NULL, passage bigint NOT NULL, count integer NOT NULL, length integer NOT NULL)"
        ))?;
        let settings = Settings { analysis, passages, encoder: encoder_entry, graph: with_graph };
        let config = serde_json::to_string(&settings).expect("settings are JSON");
        // no version comes twice, also where an index was removed and another takes its place
        let sql = "INSERT INTO settings VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, $2)";
        session.execute(sql, &[&FORMAT, &config])?;
        Ok(Self { session, analysis: Analysis::new(analysis), settings, encoder, builds: true })
    }

    /// Opens an index.
    ///
    /// - `encoder`: what gave its passages their vectors; those of an index without one need none, and neither does removing
    ///
    /// # Errors
    /// When there is none, another program writes it, or its vectors are those of another encoder.
    pub fn open(address: &PostgresAddress, encoder: Option<Box<dyn PassageEncoder>>) -> Result<Self> {
        let mut session = Session::connect(address)?;
        lock(&mut session)?;
        let (mut settings, _) = session.settings()?;
        if let (Some(there), Some(encoder)) = (&mut settings.encoder, &encoder) {
            there.hold(encoder.entry())?;
            // where it is now
            there.folder.clone_from(&encoder.entry().folder);
            let config = serde_json::to_string(&settings).expect("settings are JSON");
            session.execute("UPDATE settings SET config = $1 WHERE config <> $1", &[&config])?;
        }
        Ok(Self { session, analysis: Analysis::new(settings.analysis), settings, encoder, builds: false })
    }

    /// Adds the documents of files; a document whose id is there already is replaced, and removed where it has no word any more.
    ///
    /// # Errors
    /// As [`crate::retrieve::IndexWriter::add`], and when the database refuses something.
    pub fn add(&mut self, files: &[PathBuf], note: &mut dyn FnMut(&str)) -> Result<Added> {
        let cut = self.settings.passages;
        let (mut added, empty) =
            take_documents(files, cut, note, |passages, added, note| self.publish(&passages, added, note))?;
        if self.builds {
            note("tables get their indexes");
            self.finish_build()?;
        } else if !empty.is_empty() {
            let Removed { documents, .. } = self.remove(&empty)?;
            added.emptied = documents;
        }
        Ok(added)
    }

    /// Removes documents by their ids.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn remove(&mut self, ids: &BTreeSet<String>) -> Result<Removed> {
        let Session { client, address, .. } = &mut self.session;
        let remove = |client: &mut Client| -> Result<usize, postgres::Error> {
            let mut transaction = client.transaction()?;
            let documents = remove_documents(&mut transaction, &ids.iter().map(String::as_str).collect::<Vec<_>>())?;
            if documents > 0 {
                next_version(&mut transaction)?;
            }
            transaction.commit()?;
            Ok(documents)
        };
        let documents = remove(client).map_err(|error| fault(address, &error))?;
        Ok(Removed { documents, unknown: ids.len() - documents })
    }

    /// Publishes passages, in the place of what was there of their documents.
    fn publish(&mut self, passages: &[Passage], added: &mut Added, note: &mut dyn FnMut(&str)) -> Result<()> {
        let vectors = match (&self.settings.encoder, &self.encoder) {
            (None, _) => Vec::new(),
            (Some(_), Some(encoder)) => vectors_of(&**encoder, passages, added, note)?,
            (Some(_), None) => return Err(self.session.fault(NO_ENCODER)),
        };
        if let Some(passage) = passages.iter().find(|passage| has_zero(passage)) {
            let message =
                format!("passage {} has the character U+0000, which texts of PostgreSQL cannot have", passage.id);
            return Err(self.session.fault(message));
        }
        if let Some(passage) = passages.iter().find(|passage| passage.id.len() > MOST_BYTES) {
            let message = format!(
                "the id of passage {}... has {} bytes, and an index of the database takes {MOST_BYTES} at most",
                passage.id.chars().take(40).collect::<String>(),
                passage.id.len()
            );
            return Err(self.session.fault(message));
        }
        let searched: Vec<String> = passages.iter().map(Passage::searched).collect();
        let rows = Rows { passages, vectors: &vectors, postings: &Postings::new(&searched, &self.analysis) };
        let Session { client, address, .. } = &mut self.session;
        if self.builds {
            return rows.write(client).map_err(|error| error.of(address));
        }
        let documents: BTreeSet<&str> = passages.iter().map(|passage| passage.document.as_str()).collect();
        let publish = |client: &mut Client| -> Result<usize, RowsFault> {
            let mut transaction = client.transaction()?;
            let replaced = remove_documents(&mut transaction, &documents.into_iter().collect::<Vec<_>>())?;
            rows.write(&mut transaction)?;
            next_version(&mut transaction)?;
            transaction.commit()?;
            Ok(replaced)
        };
        added.replaced += publish(client).map_err(|error| error.of(address))?;
        Ok(())
    }

    /// Ends the transaction of a build: its tables get what finds rows in them.
    fn finish_build(&mut self) -> Result<()> {
        let graph = if self.settings.graph {
            "CREATE INDEX passages_graph ON passages USING hnsw (embedding vector_ip_ops); "
        } else {
            ""
        };
        self.session.run(&format!(
            "ALTER TABLE passages ADD PRIMARY KEY (number); CREATE UNIQUE INDEX passages_id ON passages (id); \
             CREATE INDEX passages_document ON passages (document); \
             ALTER TABLE postings ADD PRIMARY KEY (term, passage) INCLUDE (count, length); \
             CREATE INDEX postings_passage ON postings (passage); {graph}COMMIT; ANALYZE passages; ANALYZE postings"
        ))?;
        self.builds = false;
        Ok(())
    }
}

/// Takes an index to oneself, until the connection ends.
fn lock(session: &mut Session) -> Result<()> {
    let name = format!("tamis index {}", session.address.schema);
    let rows = session.query("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", &[&name])?;
    if rows.first().is_some_and(|row| row.get(0)) {
        return Ok(());
    }
    Err(session.fault("another program writes this index"))
}

fn has_zero(Passage { id, title, text, source, date, language, .. }: &Passage) -> bool {
    let others = [source, date, language].into_iter().flatten();
    [id, title, text].into_iter().chain(others).any(|text| text.contains('\0'))
}

/// Removes what is there of documents. Returns how many were there.
fn remove_documents(transaction: &mut Transaction<'_>, documents: &[&str]) -> Result<usize, postgres::Error> {
    let sql = "WITH gone AS (DELETE FROM passages WHERE document = ANY($1) RETURNING number, document), \
               without AS (DELETE FROM postings WHERE passage IN (SELECT number FROM gone)) \
               SELECT count(DISTINCT document) FROM gone";
    let row = transaction.query_one(sql, &[&documents])?;
    Ok(usize::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

fn next_version(transaction: &mut Transaction<'_>) -> Result<(), postgres::Error> {
    transaction.execute("UPDATE settings SET version = version + 1", &[]).map(drop)
}

/// Passages, with what the database keeps of them.
struct Rows<'r> {
    passages: &'r [Passage],
    /// `[passages, width]`; none where they have none.
    vectors: &'r [f32],
    postings: &'r Postings,
}

/// Why rows were not written.
#[derive(Debug)]
enum RowsFault {
    Database(postgres::Error),
    /// There have been more passages than numbers.
    TooMany,
}

impl From<postgres::Error> for RowsFault {
    fn from(error: postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl Rows<'_> {
    /// Writes the rows, numbered behind those that are there.
    fn write(&self, client: &mut impl GenericClient) -> Result<(), RowsFault> {
        let Self { passages, vectors, postings } = *self;
        let row = client.query_one("SELECT coalesce(max(number), -1) + 1 FROM passages", &[])?;
        let first: i64 = row.get(0);
        if number(first) + passages.len() as u64 > u64::from(u32::MAX) {
            return Err(RowsFault::TooMany);
        }
        let mut types = vec![Type::INT8, Type::TEXT, Type::TEXT, Type::INT8, Type::INT8];
        types.extend([Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::INT4]);
        let (mut names, width) = (format!("{PASSAGE}, length"), vectors.len() / passages.len().max(1));
        if width > 0 {
            names.push_str(", embedding");
            types.push(client.prepare("SELECT embedding FROM passages")?.columns()[0].type_().clone());
        }
        let copy = client.copy_in(format!("COPY passages ({names}) FROM STDIN BINARY").as_str())?;
        let mut copy = BinaryCopyInWriter::new(copy, &types);
        for (place, (passage, length)) in passages.iter().zip(postings.lengths()).enumerate() {
            let Passage { id, document, begin, end, title, text, source, date, language } = passage;
            let number = first + signed(place as u64);
            let (begins, ends, length) = (signed(*begin), signed(*end), small(*length));
            let vector = Vector::from(vectors[place * width..(place + 1) * width].to_vec());
            let mut values: Vec<&(dyn ToSql + Sync)> =
                vec![&number, id, document, &begins, &ends, title, text, source, date, language, &length];
            if width > 0 {
                values.push(&vector);
            }
            copy.write(&values)?;
        }
        copy.finish()?;
        let copy = client.copy_in("COPY postings (term, passage, count, length) FROM STDIN BINARY")?;
        let mut copy = BinaryCopyInWriter::new(copy, &[Type::TEXT, Type::INT8, Type::INT4, Type::INT4]);
        for (term, name) in (0u32..).zip(postings.terms().iter()) {
            let (passages, counts) = postings.of_term(term);
            let name = stored_term(name);
            for (passage, count) in passages.iter().zip(counts) {
                let length = small(postings.lengths()[*passage as usize]);
                copy.write(&[&&*name, &(first + i64::from(*passage)), &i32::from(*count), &length])?;
            }
        }
        copy.finish()?;
        Ok(())
    }
}

impl RowsFault {
    /// The same, with where the index is.
    fn of(&self, address: &PostgresAddress) -> Error {
        match self {
            Self::Database(error) => fault(address, error),
            Self::TooMany => {
                let message = "passages are numbered by 32 bits, and these are used up: build the index anew".into();
                Error::IndexDatabase { index: address.to_string(), message }
            }
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
