//! An index in a database that is open to be searched.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pgvector::Vector;
use postgres::{Row, types::ToSql};

use super::{
    address::PostgresAddress,
    session::{Session, number},
    settings::Settings,
    term::stored_term,
};
use crate::{
    error::Result,
    retrieve::{
        analysis::Analysis,
        best::{Found, Hit, best_first},
        bm25::{Bm25Config, asked_terms, mean_length, saturation, term_weight},
        encoder::EncoderEntry,
        filter::Filter,
        graph::{NearestBy, usual_ef},
        passage::{Passage, PassagesConfig},
    },
};

/// The share by which a score of the database may differ from that of single precision.
const MARGIN: f64 = 1e-5;

/// The most that pgvector's walks hold.
const MOST_EF: usize = 1000;

/// An index in a database: one version of it, until [`Self::rest`].
#[derive(Debug)]
pub struct PostgresIndex {
    session: Mutex<Session>,
    settings: Settings,
    analysis: Analysis,
    version: u64,
    passages: usize,
    /// Terms of all passages.
    terms: u64,
}

/// What a filter gives a statement: sources, languages, since, before.
struct FilterValues(Option<Vec<String>>, Option<Vec<String>>, Option<String>, Option<String>);

impl FilterValues {
    fn of(filter: &Filter) -> Self {
        let some = |texts: &Vec<String>| (!texts.is_empty()).then(|| texts.clone());
        Self(some(&filter.sources), some(&filter.languages), filter.since.clone(), filter.before.clone())
    }

    /// A condition on `p`, a passage, whose values are numbered from `first` on.
    fn condition(first: usize) -> String {
        let [sources, languages, since, before] = [0, 1, 2, 3].map(|place| first + place);
        format!(
            "(${sources}::text[] IS NULL OR p.source = ANY(${sources})) AND (${languages}::text[] IS NULL OR p.language = ANY(${languages})) \
             AND (${since}::text IS NULL OR p.date >= ${since}) AND (${before}::text IS NULL OR p.date < ${before})"
        )
    }
}

impl PostgresIndex {
    /// Opens an index.
    ///
    /// # Errors
    /// When there is none, or the database does not let anybody in.
    pub fn open(address: &PostgresAddress) -> Result<Self> {
        let mut session = Session::connect(address)?;
        session.begin_view()?;
        let (settings, version) = session.settings()?;
        let row = session.query("SELECT count(*), coalesce(sum(length), 0)::bigint FROM passages", &[])?;
        let (passages, terms) = row.first().map_or((0, 0), |row| (number(row.get(0)), number(row.get(1))));
        let passages = usize::try_from(passages).unwrap_or(usize::MAX);
        let analysis = Analysis::new(settings.analysis);
        Ok(Self { session: Mutex::new(session), settings, analysis, version, passages, terms })
    }

    /// What gave the passages of an index their vectors, if something did.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn encoder_of(address: &PostgresAddress) -> Result<Option<EncoderEntry>> {
        Ok(Session::connect(address)?.settings()?.0.encoder)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the version go that is searched, so that the database need not keep it: [`Self::is_current`], which is asked before the next search,
    /// begins another view of the index.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn rest(&self) -> Result<()> {
        self.session().run("COMMIT")
    }

    /// Whether the version that was opened is the newest.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn is_current(&self) -> Result<bool> {
        let mut session = self.session();
        session.run("COMMIT")?;
        session.begin_view()?;
        Ok(session.version()? == self.version)
    }

    /// Passages.
    #[must_use]
    pub fn count(&self) -> usize {
        self.passages
    }

    /// Terms of all passages, a repeated one each time.
    #[must_use]
    pub fn terms(&self) -> u64 {
        self.terms
    }

    /// How its texts become terms.
    #[must_use]
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// How its documents are cut.
    #[must_use]
    pub fn cut(&self) -> PassagesConfig {
        self.settings.passages
    }

    /// What gave its passages their vectors, if something did.
    #[must_use]
    pub fn encoder(&self) -> Option<&EncoderEntry> {
        self.settings.encoder.as_ref()
    }

    /// Whether it has a graph of vectors.
    #[must_use]
    pub fn has_graph(&self) -> bool {
        self.settings.graph
    }

    /// Whether a passage or a document of this id is there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn has(&self, id: &str) -> Result<bool> {
        let rows = self.session().query("SELECT 1 FROM passages WHERE id = $1 OR document = $1 LIMIT 1", &[&id])?;
        Ok(!rows.is_empty())
    }

    /// The best passages for a question by BM25, as [`crate::retrieve::Index::search`] gives them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn search(&self, config: Bm25Config, question: &str, k: usize, filter: &Filter) -> Result<Vec<Found>> {
        let worth = self.worth(question)?;
        if worth.is_empty() || k == 0 {
            return Ok(Vec::new());
        }
        let (terms, weights) = columns(&worth);
        let (constant, by_length) = self.norm(config);
        let FilterValues(sources, languages, since, before) = FilterValues::of(filter);
        let most = i64::try_from(k).unwrap_or(i64::MAX);
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&terms, &weights, &constant, &by_length, &most];
        // without a filter, postings alone tell
        let mut filtered = String::new();
        if !filter.is_none() {
            let condition = FilterValues::condition(values.len() + 1);
            filtered = format!("JOIN passages p ON p.number = o.passage WHERE {condition}");
            values.extend([&sources as &(dyn ToSql + Sync), &languages, &since, &before]);
        }
        let sql = format!(
            "WITH asked AS (SELECT * FROM unnest($1::text[], $2::float8[]) AS a (term, weight)), \
             sums AS MATERIALIZED (SELECT o.passage, sum(a.weight * o.count / (o.count + $3::float8 + $4::float8 * o.length)) AS score \
             FROM asked a JOIN postings o ON o.term = a.term {filtered} GROUP BY o.passage), \
             best AS (SELECT passage FROM sums WHERE score >= {} * coalesce((SELECT min(score) FROM \
             (SELECT score FROM sums ORDER BY score DESC LIMIT $5) AS first), 0)) \
             SELECT o.passage, p.id, o.term, o.count, o.length FROM best b \
             JOIN postings o ON o.passage = b.passage AND o.term = ANY($1) JOIN passages p ON p.number = b.passage \
             ORDER BY o.passage, o.term",
            1.0 - MARGIN
        );
        let rows = self.session().query(&sql, &values)?;
        let mean = mean_length(self.terms, self.passages);
        let mut found: Vec<Found> = Vec::new();
        // rows of one passage stand together, in the order of terms
        for row in &rows {
            let passage = passage_number(row.get(0));
            if found.last().is_none_or(|last| last.hit.passage != passage) {
                found.push(Found { hit: Hit { part: 0, passage, score: 0.0 }, id: row.get(1) });
            }
            let (term, count, length): (&str, i32, i32) = (row.get(2), row.get(3), row.get(4));
            let count = u16::try_from(count).unwrap_or(u16::MAX);
            let norm = config.norm(u32::try_from(length).unwrap_or(0), mean);
            if let (Some(last), Some(weight)) = (found.last_mut(), worth.get(term)) {
                last.hit.score += weight * saturation(count, norm);
            }
        }
        Ok(best_first(found, k))
    }

    /// The passages whose vectors are most like those of questions, as [`crate::retrieve::Index::nearest`] gives them; by the graph of pgvector,
    /// where there is one and it is asked for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn nearest(&self, queries: &[f32], k: usize, filter: &Filter, by: NearestBy) -> Result<Vec<Vec<Found>>> {
        let Some(EncoderEntry { width, .. }) = self.encoder() else { return Ok(Vec::new()) };
        let FilterValues(sources, languages, since, before) = FilterValues::of(filter);
        // a sum is no distance that the graph knows: then all are compared
        let mut session = self.session();
        let select = |order: &str| {
            format!(
                "SELECT p.number, p.id, (-(p.embedding <#> $1))::float4 FROM passages p WHERE {} ORDER BY {order} LIMIT $2",
                FilterValues::condition(3)
            )
        };
        // a sum is no distance that the graph knows: so all are compared
        let exact = session.prepare(&select("(p.embedding <#> $1) + 0, p.id"))?;
        let walk = match by {
            // a walk that leaves passages out has to go on, which pgvector's do since 0.8
            NearestBy::Graph { ef } if self.settings.graph && (filter.is_none() || session.walks_on()) => {
                let ef = ef.unwrap_or_else(|| usual_ef(k)).max(k).clamp(1, MOST_EF);
                session.run(&format!("SET LOCAL hnsw.ef_search = {ef}"))?;
                if session.walks_on() {
                    session.run("SET LOCAL hnsw.iterative_scan = strict_order")?;
                }
                Some(session.prepare(&select("p.embedding <#> $1"))?)
            }
            _ => None,
        };
        let most = i64::try_from(k).unwrap_or(i64::MAX);
        let nearest = |query: &[f32]| -> Result<Vec<Found>> {
            let query = Vector::from(query.to_vec());
            let values: [&(dyn ToSql + Sync); 6] = [&query, &most, &sources, &languages, &since, &before];
            let mut rows = session.query_prepared(walk.as_ref().unwrap_or(&exact), &values)?;
            // a walk ends after so many steps, whatever it has found
            if walk.is_some() && rows.len() < k.min(self.passages) {
                rows = session.query_prepared(&exact, &values)?;
            }
            Ok(best_first(rows.iter().map(scored).collect(), k))
        };
        queries.chunks(*width).map(nearest).collect()
    }

    /// The passages with the highest sums of both scores, as [`crate::retrieve::Index::by_both`] gives them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn by_both(
        &self,
        config: Bm25Config,
        (question, query, weight): (&str, &[f32], f32),
        k: usize,
        filter: &Filter,
    ) -> Result<Vec<Found>> {
        let worth = self.worth(question)?;
        let (terms, weights) = columns(&worth);
        let (constant, by_length) = self.norm(config);
        let FilterValues(sources, languages, since, before) = FilterValues::of(filter);
        let (query, weight, most) =
            (Vector::from(query.to_vec()), f64::from(weight), i64::try_from(k).unwrap_or(i64::MAX));
        let sql = format!(
            "WITH asked AS (SELECT * FROM unnest($1::text[], $2::float8[]) AS a (term, weight)), \
             sums AS (SELECT o.passage, sum(a.weight * o.count / (o.count + $3::float8 + $4::float8 * o.length)) AS score \
             FROM asked a JOIN postings o ON o.term = a.term GROUP BY o.passage), \
             together AS (SELECT p.number, p.id, (coalesce(s.score, 0) - $5::float8 * (p.embedding <#> $6))::float4 AS score \
             FROM passages p LEFT JOIN sums s ON s.passage = p.number WHERE {}) \
             SELECT number, id, score FROM together ORDER BY score DESC, id LIMIT $7",
            FilterValues::condition(8)
        );
        let values: [&(dyn ToSql + Sync); 11] =
            [&terms, &weights, &constant, &by_length, &weight, &query, &most, &sources, &languages, &since, &before];
        let rows = self.session().query(&sql, &values)?;
        Ok(best_first(rows.iter().map(scored).collect(), k))
    }

    /// The passages of some hits, in their order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn passages(&self, hits: &[Hit]) -> Result<Vec<Passage>> {
        let numbers: Vec<i64> = hits.iter().map(|hit| i64::from(hit.passage)).collect();
        let mut session = self.session();
        let rows = session.query(&format!("SELECT {PASSAGE} FROM passages WHERE number = ANY($1)"), &[&numbers])?;
        let found: BTreeMap<u32, Passage> =
            rows.iter().map(|row| (passage_number(row.get(0)), passage_of(row))).collect();
        let passage = |hit: &Hit| {
            let gone = || session.fault("a passage was removed while it was searched for: search again");
            found.get(&hit.passage).cloned().ok_or_else(gone)
        };
        hits.iter().map(passage).collect()
    }

    /// What each term of a question is worth, by the passages that it stands in, as often as it is asked for. Terms that stand in none are left out.
    fn worth(&self, question: &str) -> Result<BTreeMap<String, f32>> {
        let asked = asked_terms(&self.analysis, question, &mut String::new());
        let asked: BTreeMap<Cow<'_, str>, f32> =
            asked.iter().map(|(term, times)| (stored_term(term), *times)).collect();
        let terms: Vec<&str> = asked.keys().map(|term| &**term).collect();
        let sql = "SELECT term, count(*) FROM postings WHERE term = ANY($1) GROUP BY term";
        let rows = self.session().query(sql, &[&terms])?;
        let worth = |row: &Row| {
            let (term, with): (String, i64) = (row.get(0), row.get(1));
            let with = usize::try_from(with).unwrap_or(0);
            let times = asked.get(term.as_str()).copied().unwrap_or(0.0);
            (term, term_weight(self.passages, with) * times)
        };
        Ok(rows.iter().map(worth).collect())
    }

    /// The two parts of a passage's norm: one that does not depend on its length, and what its length is multiplied by.
    fn norm(&self, Bm25Config { k1, b }: Bm25Config) -> (f64, f64) {
        let (k1, b) = (f64::from(k1), f64::from(b));
        (k1 * (1.0 - b), k1 * b / f64::from(mean_length(self.terms, self.passages)))
    }
}

/// The columns of a passage, in the order of [`passage_of`], behind its number.
pub(super) const PASSAGE: &str = "number, id, document, begins, ends, title, text, source, date, language";

/// A row of [`PASSAGE`].
pub(super) fn passage_of(row: &Row) -> Passage {
    Passage {
        id: row.get(1),
        document: row.get(2),
        begin: number(row.get(3)),
        end: number(row.get(4)),
        title: row.get(5),
        text: row.get(6),
        source: row.get(7),
        date: row.get(8),
        language: row.get(9),
    }
}

/// Terms and weights as values of a statement.
fn columns(worth: &BTreeMap<String, f32>) -> (Vec<&str>, Vec<f64>) {
    worth.iter().map(|(term, weight)| (term.as_str(), f64::from(*weight))).unzip()
}

/// Passages are numbered by 32 bits in all of an index; a writer sees to it.
fn passage_number(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A row of number, id and score.
fn scored(row: &Row) -> Found {
    Found { hit: Hit { part: 0, passage: passage_number(row.get(0)), score: row.get(2) }, id: row.get(1) }
}
