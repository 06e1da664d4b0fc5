//! Questions with the passages that answer them, as ids in memory.
//!
//! ```text
//! row    query, positive, negatives, answers -> texts, each once -> ids of each; a pair of a question and its passage, and the negatives' numbers
//! ```
//!
//! What answers a question is known by its pairs, by all of them, and by its answers: a passage that has one in it. A negative that answers is
//! never taken as one. A row without a question or a passage is left out, and counted.
//!
//! Where a source has no files for validation, a share of its rows is drawn by hash of their questions, so that one question is on one side.
//!
//! Useful for: training encoders, and judging them. Not useful for: documents to search in; see `train index`.
//! Cost: 4 bytes a token of each text that there is once, some 30 bytes a text, 12 bytes a pair and 4 a negative; of rows with answers the texts of
//! their passages, too.

use std::{collections::HashMap, fmt, ops::Range, path::Path};

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use super::{
    Cut, EncodedPassage, EncodedQuery, EncodedText, ReadOptions, TextEncoder,
    examples::sample,
    retrieval_rows::{RetrievalRow, RetrievalRows},
    split_reader::{Sides, SplitReader},
    weighted::Countable,
};
use crate::{error::Result, metrics::AnswerTokens, tokenizer::Tokenizer};

/// Pairs of questions and passages, in the order of their files.
#[derive(Debug, Clone, Default)]
pub struct RetrievalPairs {
    queries: Texts,
    passages: Texts,
    pairs: Vec<Pair>,
    negatives: Vec<u32>,
    /// The keys of the passages that answer each question, as its pairs say.
    right: Vec<Vec<u128>>,
    /// Texts, one of which a passage that answers a question contains; of each question.
    answers: Vec<Vec<AnswerTokens>>,
    /// In which answers are looked for, of each passage; empty where its rows had none.
    tokens: Vec<AnswerTokens>,
    cut: Cut,
    skipped: SkippedPairs,
}

/// A question with its passage, and where its negatives end.
#[derive(Debug, Clone, Copy)]
struct Pair {
    query: u32,
    positive: u32,
    negatives_end: u32,
}

/// Texts as ids, each once.
#[derive(Debug, Clone, Default)]
struct Texts {
    ids: Vec<u32>,
    ends: Vec<u64>,
    keys: Vec<u128>,
    numbers: HashMap<u128, u32>,
}

/// What is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedPairs {
    /// Rows whose question has no word.
    pub empty_queries: u64,
    /// Rows whose passage has none.
    pub empty_positives: u64,
    /// Negatives that have none.
    pub empty_negatives: u64,
}

impl Texts {
    fn get(&self, number: usize) -> &[u32] {
        let place = |end: u64| usize::try_from(end).expect("ids are in memory");
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[place(begin)..place(self.ends[number])]
    }

    fn push(&mut self, key: u128, ids: &[u32]) -> u32 {
        let number = u32::try_from(self.keys.len()).expect("texts in memory can be numbered");
        self.ids.extend_from_slice(ids);
        self.ends.push(self.ids.len() as u64);
        self.keys.push(key);
        self.numbers.insert(key, number);
        number
    }
}

/// What tells a text from others, whatever white space is around it.
fn key(text: &str) -> u128 {
    xxh3_128(text.trim().as_bytes())
}

impl RetrievalPairs {
    /// How many pairs there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pairs.len()
    }

    /// Different questions.
    #[must_use]
    pub fn queries(&self) -> usize {
        self.queries.keys.len()
    }

    /// Different passages, positives and negatives.
    #[must_use]
    pub fn passages(&self) -> usize {
        self.passages.keys.len()
    }

    /// Tokens of the questions and positives of all pairs.
    #[must_use]
    pub fn tokens(&self) -> usize {
        let of_pair =
            |pair: &Pair| self.queries.get(pair.query as usize).len() + self.passages.get(pair.positive as usize).len();
        self.pairs.iter().map(of_pair).sum()
    }

    /// What was cut off texts that are longer than the context, each counted once.
    #[must_use]
    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// What was left out.
    #[must_use]
    pub fn skipped(&self) -> SkippedPairs {
        self.skipped
    }

    /// Negatives of all pairs, and how many of them answer their question, as far as that is known.
    #[must_use]
    pub fn negative_counts(&self) -> [usize; 2] {
        let answering = |pair: usize| {
            let query = self.query(pair);
            self.negatives(pair).iter().filter(|number| query.is_answered_by(&self.passage(**number))).count()
        };
        [self.negatives.len(), (0..self.count()).map(answering).sum()]
    }

    /// The question of a pair.
    #[must_use]
    pub fn query(&self, pair: usize) -> EncodedQuery<'_> {
        let number = self.query_number(pair);
        EncodedQuery { ids: self.queries.get(number), right: &self.right[number], answers: &self.answers[number] }
    }

    /// The number of a pair's question among the different ones.
    #[must_use]
    pub fn query_number(&self, pair: usize) -> usize {
        self.pairs[pair].query as usize
    }

    /// The passage of a pair.
    #[must_use]
    pub fn positive(&self, pair: usize) -> EncodedPassage<'_> {
        self.passage(self.pairs[pair].positive)
    }

    /// The number of a pair's passage among the different ones.
    #[must_use]
    pub fn positive_number(&self, pair: usize) -> u32 {
        self.pairs[pair].positive
    }

    /// The numbers of a pair's negatives among the different passages.
    #[must_use]
    pub fn negatives(&self, pair: usize) -> &[u32] {
        let end = |pair: usize| self.pairs[pair].negatives_end as usize;
        let range: Range<usize> = pair.checked_sub(1).map_or(0, end)..end(pair);
        &self.negatives[range]
    }

    /// A passage by its number among the different ones.
    #[must_use]
    pub fn passage(&self, number: u32) -> EncodedPassage<'_> {
        let number = number as usize;
        EncodedPassage { ids: self.passages.get(number), key: self.passages.keys[number], tokens: &self.tokens[number] }
    }

    /// The ids of a question by its number among the different ones.
    #[must_use]
    pub fn query_ids(&self, number: usize) -> &[u32] {
        self.queries.get(number)
    }

    /// The numbers of a random sample of `most` pairs, or of all, in rising order: the same each time.
    #[must_use]
    pub fn sample(&self, seed: u64, most: usize) -> Vec<usize> {
        sample(self.count(), seed, most)
    }

    /// XXH3-128 over the texts of some pairs and of their negatives, as 32 hexadecimal digits.
    #[must_use]
    pub fn hash(&self, pairs: &[usize]) -> String {
        let mut hash = Xxh3::new();
        for pair in pairs {
            hash.update(&self.queries.keys[self.query_number(*pair)].to_le_bytes());
            hash.update(&self.positive(*pair).key.to_le_bytes());
            hash.update(&(self.negatives(*pair).len() as u64).to_le_bytes());
            self.negatives(*pair).iter().for_each(|number| hash.update(&self.passage(*number).key.to_le_bytes()));
        }
        format!("{:032x}", hash.digest128())
    }

    /// Adds the pairs of another source behind these.
    pub fn append(&mut self, other: &Self) {
        let query_numbers: Vec<u32> = (0..other.queries())
            .map(|number| self.query_of(other.queries.keys[number], other.queries.get(number), &other.answers[number]))
            .collect();
        let passage_numbers: Vec<u32> = (0..other.passages())
            .map(|number| {
                self.passage_of(other.passages.keys[number], other.passages.get(number), &other.tokens[number])
            })
            .collect();
        for pair in 0..other.count() {
            let negatives = other.negatives(pair).iter().map(|number| passage_numbers[*number as usize]).collect();
            let positive = passage_numbers[other.positive_number(pair) as usize];
            self.push(query_numbers[other.query_number(pair)], positive, negatives);
        }
        self.cut.sequences += other.cut.sequences;
        self.cut.tokens += other.cut.tokens;
        let SkippedPairs { empty_queries, empty_positives, empty_negatives } = other.skipped;
        self.skipped.empty_queries += empty_queries;
        self.skipped.empty_positives += empty_positives;
        self.skipped.empty_negatives += empty_negatives;
    }

    /// The number of a question, which is added where it is new.
    fn query_of(&mut self, key: u128, ids: &[u32], answers: &[AnswerTokens]) -> u32 {
        let number = self.queries.numbers.get(&key).copied().unwrap_or_else(|| {
            self.right.push(Vec::new());
            self.answers.push(Vec::new());
            self.queries.push(key, ids)
        });
        let known = &mut self.answers[number as usize];
        for answer in answers {
            if !known.contains(answer) {
                known.push(answer.clone());
            }
        }
        number
    }

    /// The number of a passage, which is added where it is new.
    fn passage_of(&mut self, key: u128, ids: &[u32], tokens: &AnswerTokens) -> u32 {
        let number = self.passages.numbers.get(&key).copied().unwrap_or_else(|| {
            self.tokens.push(AnswerTokens::default());
            self.passages.push(key, ids)
        });
        let known = &mut self.tokens[number as usize];
        if *known == AnswerTokens::default() {
            known.clone_from(tokens);
        }
        number
    }

    fn push(&mut self, query: u32, positive: u32, negatives: Vec<u32>) {
        let (key, right) = (self.passages.keys[positive as usize], &mut self.right[query as usize]);
        if !right.contains(&key) {
            right.push(key);
        }
        self.negatives.extend(negatives);
        let negatives_end = u32::try_from(self.negatives.len()).expect("negatives in memory can be numbered");
        self.pairs.push(Pair { query, positive, negatives_end });
    }
}

impl Countable for RetrievalPairs {
    fn count(&self) -> u64 {
        self.count() as u64
    }
}

impl fmt::Display for SkippedPairs {
    /// Empty where nothing was left out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { empty_queries, empty_positives, empty_negatives } = self;
        let reasons = [
            (*empty_queries, "row whose query has no word", "rows whose query has no word"),
            (*empty_positives, "row whose positive has no word", "rows whose positive has no word"),
            (*empty_negatives, "negative that has no word", "negatives that have no word"),
        ];
        let mut before = "";
        for (count, one, many) in reasons.into_iter().filter(|(count, ..)| *count > 0) {
            write!(formatter, "{before}{count} {}", if count == 1 { one } else { many })?;
            before = ", ";
        }
        Ok(())
    }
}

/// Reads pairs.
#[derive(Debug, Clone, Copy)]
pub struct RetrievalReader<'e> {
    /// Turns questions and passages into ids.
    pub tokenizer: &'e Tokenizer,
    /// The most tokens of a text, with its end.
    pub context_length: usize,
    /// How files are read.
    pub options: ReadOptions,
}

impl SplitReader for RetrievalReader<'_> {
    type Rows = RetrievalPairs;

    fn options(&self) -> ReadOptions {
        self.options
    }

    /// Each row goes to the side that the hash of its question says.
    fn read(&self, file: &Path, sides: &mut Sides<RetrievalPairs>, side: &dyn Fn(u64) -> usize) -> Result<u64> {
        let encoder = TextEncoder::new(self.tokenizer, self.context_length)?;
        let mut rows = RetrievalRows::open(file, self.options)?;
        while let Some(few) = rows.next_few()? {
            let mut of_sides: [Vec<RetrievalRow>; 2] = Default::default();
            for row in few {
                of_sides[side(xxh3_64(row.query.trim().as_bytes()))].push(row);
            }
            for (pairs, rows) in sides.iter_mut().zip(of_sides) {
                add(&encoder, pairs, rows)?;
            }
        }
        Ok(rows.lost())
    }
}

/// Adds rows to pairs.
fn add(encoder: &TextEncoder<'_>, pairs: &mut RetrievalPairs, mut rows: Vec<RetrievalRow>) -> Result<()> {
    let is_empty = |text: &str| text.trim().is_empty();
    rows.retain_mut(|row| {
        let before = row.negatives.len();
        row.negatives.retain(|negative| !is_empty(negative));
        if is_empty(&row.query) {
            pairs.skipped.empty_queries += 1;
            return false;
        }
        if is_empty(&row.positive) {
            pairs.skipped.empty_positives += 1;
            return false;
        }
        pairs.skipped.empty_negatives += (before - row.negatives.len()) as u64;
        true
    });
    // a text that came before is not encoded again
    let queries = rows.iter().map(|row| row.query.as_str());
    let queries = encoded(encoder, &pairs.queries, queries, &mut pairs.cut)?;
    let passages = rows.iter().flat_map(|row| std::iter::once(&row.positive).chain(&row.negatives)).map(String::as_str);
    let passages = encoded(encoder, &pairs.passages, passages, &mut pairs.cut)?;
    for RetrievalRow { query, positive, negatives, answers, .. } in rows {
        let answers: Vec<AnswerTokens> = answers.iter().map(|answer| AnswerTokens::of(answer)).collect();
        let of_query = key(&query);
        let query = pairs.query_of(of_query, ids_of(&queries, of_query), &answers);
        let mut number = |text: &str| {
            let tokens = if answers.is_empty() { AnswerTokens::default() } else { AnswerTokens::of(text) };
            let key = key(text);
            pairs.passage_of(key, ids_of(&passages, key), &tokens)
        };
        let positive = number(&positive);
        let negatives = negatives.iter().map(|negative| number(negative)).collect();
        pairs.push(query, positive, negatives);
    }
    Ok(())
}

/// The ids of a text, if it is new.
fn ids_of(new: &HashMap<u128, Vec<u32>>, key: u128) -> &[u32] {
    new.get(&key).map_or(&[], Vec::as_slice)
}

/// The ids of those texts that are new, by their keys.
fn encoded<'t>(
    encoder: &TextEncoder<'_>,
    known: &Texts,
    texts: impl Iterator<Item = &'t str>,
    cut: &mut Cut,
) -> Result<HashMap<u128, Vec<u32>>> {
    let mut new: HashMap<u128, &str> = HashMap::new();
    for text in texts {
        let key = key(text);
        if !known.numbers.contains_key(&key) {
            new.insert(key, text);
        }
    }
    let (keys, texts): (Vec<u128>, Vec<&str>) = new.into_iter().unzip();
    let encoded = encoder.encode(&texts)?;
    for EncodedText { cut: lost, .. } in encoded.iter().filter(|text| text.cut > 0) {
        cut.sequences += 1;
        cut.tokens += *lost as u64;
    }
    Ok(keys.into_iter().zip(encoded).map(|(key, text)| (key, text.ids)).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;
    use crate::data::{HashedFiles, SourceFiles, split_reader::TRAIN};

    fn tokenizer(folder: &Path) -> Tokenizer {
        let trained = Tokenizer::train(["the cat sat"; 20].into_iter(), 270, 0, &folder.join("tokenizer.json"));
        trained.expect("the texts suffice")
    }

    fn read(folder: &Path, rows: &[Value]) -> RetrievalPairs {
        let path = folder.join("rows.jsonl");
        fs::write(&path, rows.iter().map(|row| format!("{row}\n")).collect::<String>()).expect("it can be written");
        let tokenizer = tokenizer(folder);
        let reader = RetrievalReader { tokenizer: &tokenizer, context_length: 12, options: ReadOptions::default() };
        reader.file(&path, &mut Vec::new()).expect("it can be read")
    }

    /// Each text is there once; what is left out is counted, and a negative that answers is known as such, wherever that was said.
    #[test]
    fn pairs_are_as_they_were_written() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let rows = [
            json!({"query": "who?", "positive": "the cat", "negatives": ["a dog", " ", "the dog sat", " the cat\n"], "answers": ["Cat"]}),
            json!({"query": "who?", "positive": "the dog sat", "negatives": ["a dog", "one CAT"], "answers": ["cat"]}),
            json!({"query": "what?", "positive": "0123456789abcdef"}),
            json!({"query": " ", "positive": "x"}),
            json!({"query": "x", "positive": "\n"}),
        ];
        let pairs = read(folder.path(), &rows);
        assert_eq!((pairs.count(), pairs.queries(), pairs.passages()), (3, 2, 5));
        let skipped = "1 row whose query has no word, 1 row whose positive has no word, 1 negative that has no word";
        assert_eq!(pairs.skipped().to_string(), skipped);
        // the end of the text takes one of the twelve
        assert_eq!(pairs.cut(), Cut { sequences: 1, tokens: 5 });
        assert_eq!(pairs.negatives(0).len(), 3);
        // the other pair's passage, and its own; and what has the answer
        assert_eq!(pairs.negative_counts(), [5, 3]);
        let mut twice = pairs.clone();
        twice.append(&pairs);
        assert_eq!((twice.count(), twice.queries(), twice.passages()), (6, 2, 5));
        assert_eq!(twice.negatives(4), pairs.negatives(1));
        assert_eq!((twice.hash(&[3, 5]), twice.hash(&[1]) == twice.hash(&[0])), (pairs.hash(&[0, 2]), false));
    }

    /// One question is on one side, whatever its passages.
    #[test]
    fn a_split_is_drawn_by_questions() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        let line =
            |row: usize| json!({"query": format!("q{}", row % 40), "positive": format!("p{row}")}).to_string() + "\n";
        fs::write(&path, (0..120).map(line).collect::<String>()).expect("it can be written");
        let source = HashedFiles::new(SourceFiles { path: path.clone(), train: vec![path], validation: Vec::new() })?;
        let tokenizer = tokenizer(folder.path());
        let reader = RetrievalReader { tokenizer: &tokenizer, context_length: 16, options: ReadOptions::default() };
        let sides = reader.training(&source, 5, 0.3, &mut Vec::new())?;
        assert_eq!(sides.iter().map(RetrievalPairs::count).sum::<usize>(), 120);
        assert_eq!(sides.iter().map(RetrievalPairs::queries).sum::<usize>(), 40);
        assert!((20..36).contains(&sides[TRAIN].queries()), "{}", sides[TRAIN].queries());
        Ok(())
    }
}
