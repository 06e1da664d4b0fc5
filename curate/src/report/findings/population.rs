//! What the documents are, before the first step and behind the last: sizes, lengths, languages, hosts.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::{
    arrow::{
        array::{Array, AsArray, RecordBatch},
        datatypes::{Int64Type, UInt64Type},
    },
    error::Result as PlanResult,
    functions_aggregate::expr_fn::count,
    logical_expr::when,
    prelude::{DataFrame, JoinType, SessionContext, coalesce, col, lit, lower, split_part},
};

use super::files::{RunFiles, rows};
use crate::error::{Error, Result};

/// Hosts that are listed, at most.
const MOST_HOSTS: usize = 20;

/// Languages that are listed, at most.
const MOST_LANGUAGES: usize = 20;

/// What there is of something before the first step, and behind the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BeforeAfter<T> {
    pub before: T,
    pub after: T,
}

/// How much some documents are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    pub documents: u64,
    pub bytes: u64,
    pub words: u64,
    /// None where no tokenizer has counted them.
    pub tokens: Option<u64>,
}

/// What the documents are.
#[derive(Debug, Default)]
pub struct Population {
    /// Sizes by source.
    pub sources: BTreeMap<String, BeforeAfter<Sizes>>,
    /// Documents by length: a bin goes from `2^(bin/2)` words to the next.
    pub lengths: BTreeMap<u32, BeforeAfter<u64>>,
    /// Documents by language, most first; what has none is not there.
    pub languages: Vec<(String, BeforeAfter<u64>)>,
    /// Documents by host, most first.
    pub hosts: Vec<(String, BeforeAfter<u64>)>,
    /// How many hosts there are.
    pub host_count: u64,
}

impl Population {
    /// Sizes of all sources together.
    pub fn whole(&self) -> BeforeAfter<Sizes> {
        let mut whole = BeforeAfter::default();
        for sizes in self.sources.values() {
            add(&mut whole.before, sizes.before);
            add(&mut whole.after, sizes.after);
        }
        whole
    }

    pub async fn gather(files: &RunFiles) -> Result<Self> {
        let context = files.relational();
        let mut population = Self::default();
        let mut languages: BTreeMap<String, BeforeAfter<u64>> = BTreeMap::new();
        rows(documents(files, &context).await, |batch| population.take(batch, &mut languages)).await?;
        let mut languages: Vec<_> = languages.into_iter().collect();
        languages.sort_by_key(|(name, count)| (u64::MAX - count.before, name.clone()));
        languages.truncate(MOST_LANGUAGES);
        population.languages = languages;
        population.gather_hosts(files, &context).await?;
        Ok(population)
    }

    fn take(&mut self, batch: &RecordBatch, languages: &mut BTreeMap<String, BeforeAfter<u64>>) {
        let (sources, kept) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
        let numbers = |column: usize| batch.column(column).as_primitive::<UInt64Type>();
        let (bytes, words, bytes_after, words_after) = (numbers(2), numbers(3), numbers(4), numbers(5));
        let optional = |name: &str| batch.column_by_name(name);
        let tokens = optional("tokens").map(AsArray::as_primitive::<UInt64Type>);
        let language = optional("language").map(AsArray::as_string_view);
        for row in 0..batch.num_rows() {
            let is_kept = kept.is_valid(row);
            let tokens = tokens.filter(|tokens| tokens.is_valid(row)).map(|tokens| tokens.value(row));
            let before = Sizes { documents: 1, bytes: bytes.value(row), words: words.value(row), tokens };
            if !self.sources.contains_key(sources.value(row)) {
                self.sources.insert(sources.value(row).to_owned(), BeforeAfter::default());
            }
            let sizes = self.sources.get_mut(sources.value(row)).expect("it was put there");
            add(&mut sizes.before, before);
            if is_kept {
                add(&mut sizes.after, Sizes { bytes: bytes_after.value(row), words: words_after.value(row), ..before });
            }
            *self.lengths.entry(length_bin(words.value(row))).or_default() += is_kept;
            if let Some(language) = language.filter(|language| language.is_valid(row)) {
                match languages.get_mut(language.value(row)) {
                    Some(count) => *count += is_kept,
                    None => *languages.entry(language.value(row).to_owned()).or_default() += is_kept,
                }
            }
        }
    }

    async fn gather_hosts(&mut self, files: &RunFiles, context: &SessionContext) -> Result<()> {
        let mut most: BTreeSet<(std::cmp::Reverse<u64>, String, u64)> = BTreeSet::new();
        rows(hosts(files, context).await, |batch| {
            let names = batch.column(0).as_string_view();
            let counts = |column: usize| batch.column(column).as_primitive::<Int64Type>();
            let (before, after) = (counts(1), counts(2));
            for row in (0..batch.num_rows()).filter(|row| !names.value(*row).is_empty()) {
                self.host_count += 1;
                let place = std::cmp::Reverse(before.value(row).cast_unsigned());
                most.insert((place, names.value(row).to_owned(), after.value(row).cast_unsigned()));
                if most.len() > MOST_HOSTS {
                    most.pop_last();
                }
            }
        })
        .await?;
        let counts = |(before, name, after): (std::cmp::Reverse<u64>, String, u64)| {
            (name, BeforeAfter { before: before.0, after })
        };
        self.hosts = most.into_iter().map(counts).collect();
        Ok(())
    }
}

impl std::ops::AddAssign<bool> for BeforeAfter<u64> {
    /// Counts a document, and whether it was kept.
    fn add_assign(&mut self, is_kept: bool) {
        self.before += 1;
        self.after += u64::from(is_kept);
    }
}

fn add(sum: &mut Sizes, one: Sizes) {
    sum.documents += one.documents;
    sum.bytes += one.bytes;
    sum.words += one.words;
    if let Some(tokens) = one.tokens {
        *sum.tokens.get_or_insert_default() += tokens;
    }
}

/// The bin of a length in words. What has no word is in the first one.
pub fn length_bin(words: u64) -> u32 {
    let whole = words.max(1).ilog2();
    // whether words >= 2^(whole + 1/2)
    let is_upper = u128::from(words) * u128::from(words) >= 1u128 << (2 * whole + 1);
    2 * whole + u32::from(is_upper)
}

/// All documents: `source`, `kept_id` where the last step has kept it, `bytes`, `words`, what is left of them by cuts, and `tokens` and
/// `language` where there are such facts.
async fn documents(files: &RunFiles, context: &SessionContext) -> PlanResult<DataFrame> {
    let tables = files.tables(context);
    let mut documents = tables.kept("read").await?;
    let mut columns = vec![col("source"), col("kept_id")];
    let wanted = files.facts(context, "words", &["bytes", "words"]).await?.ok_or_else(|| {
        let missing = files.layout.out().join("facts/words");
        Error::File { action: "read", path: missing, source: std::io::ErrorKind::NotFound.into() }
    })?;
    documents = documents.join(wanted, JoinType::Left, &["id"], &["fact_id"], None)?.drop_columns(&["fact_id"])?;
    documents = documents.join(last(files, context).await?, JoinType::Left, &["id"], &["kept_id"], None)?;
    let (mut bytes_after, mut words_after) = (col("bytes"), col("words"));
    if let Some(left) = after_cuts(files, context).await? {
        documents = documents.join(left, JoinType::Left, &["id"], &["cut_id"], None)?;
        bytes_after = coalesce(vec![col("remaining_bytes"), bytes_after]);
        words_after = coalesce(vec![col("remaining_words"), words_after]);
    }
    let number = |value| coalesce(vec![value, lit(0u64)]);
    columns.extend([
        number(col("bytes")).alias("bytes"),
        number(col("words")).alias("words"),
        number(bytes_after).alias("bytes_after"),
        number(words_after).alias("words_after"),
    ]);
    for (family, column) in [("tokens", "tokens"), ("language", "language")] {
        if let Some(facts) = files.facts(context, family, &[column]).await? {
            let facts = facts.with_column_renamed("fact_id", &format!("{family}_id"))?;
            documents = documents.join(facts, JoinType::Left, &["id"], &[&format!("{family}_id")], None)?;
            columns.push(col(column));
        }
    }
    documents.select(columns)
}

/// What the last step has kept: `kept_id`.
async fn last(files: &RunFiles, context: &SessionContext) -> PlanResult<DataFrame> {
    files.tables(context).kept(files.last_step()).await?.select(vec![col("id").alias("kept_id")])
}

/// What cuts have left of documents, where a step has taken them together.
async fn after_cuts(files: &RunFiles, context: &SessionContext) -> PlanResult<Option<DataFrame>> {
    for stage in files.stages() {
        let table = files.tables(context).decisions(stage).await?;
        let has = |name: &str| table.schema().has_column_with_unqualified_name(name);
        if has("cuts") && has("bytes") && has("words") {
            let columns = [("id", "cut_id"), ("bytes", "remaining_bytes"), ("words", "remaining_words")];
            return table.select(columns.map(|(name, new)| col(name).alias(new)).to_vec()).map(Some);
        }
    }
    Ok(None)
}

/// Hosts with the documents that came from them: `host`, `before` and `after`.
async fn hosts(files: &RunFiles, context: &SessionContext) -> PlanResult<DataFrame> {
    let host = lower(split_part(split_part(col("url"), lit("/"), lit(3i64)), lit(":"), lit(1i64)));
    let host = when(col("url").is_not_null(), host).end()?;
    files
        .tables(context)
        .captures(&files.sources())
        .await?
        .select(vec![col("fact_id"), host.alias("host")])?
        .filter(col("host").is_not_null())?
        .join(last(files, context).await?, JoinType::Left, &["fact_id"], &["kept_id"], None)?
        .aggregate(vec![col("host")], vec![count(lit(1)).alias("before"), count(col("kept_id")).alias("after")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_goes_from_one_half_power_of_two_to_the_next() {
        let bins: Vec<u32> = [0, 1, 2, 3, 4, 5, 6, 8, 11, 12].map(length_bin).to_vec();
        assert_eq!(bins, [0, 0, 2, 3, 4, 4, 5, 6, 6, 7]);
        assert_eq!(length_bin(u64::MAX), 127);
    }
}
