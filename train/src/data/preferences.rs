//! Preferences of a source, as ids in memory: prompts with the answers to each, and how these are ranked.
//!
//! ```text
//! row      prompt, answers, ranks -> ids of the prompt, of an answer, the end of the text; a rank from 0      one for each answer
//! too long the prompt loses its beginning: for all its answers as much as the longest needs, so that all answer the same
//! ```
//!
//! Rows from which nothing can be learnt are left out and counted ([`SkippedPreferences`]).
//!
//! Preferences are few: people rank. What is held is 4 bytes for a token, of the prompt with each of its answers, 12 for an answer and 8 for a
//! prompt. Texts are in memory for some megabytes at a time.
//!
//! Where a source has no files for validation, a share of its rows is drawn by hash of their prompts alone, so that all answers to a prompt are
//! on one side, whatever the number of rows that they are in.
//!
//! Useful for: reward models and direct preference optimization. Not useful for: answers without a rank; see [`super::TokenCache`].

use std::{fmt, ops::Range, path::Path};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{
    Answer, AnswerEncoder, Cut, EncodedAnswers, ReadOptions,
    answer_encoder::NoAnswer,
    by_length::Lengths,
    examples::sample,
    preference_batch::comparisons,
    preference_rows::{PreferenceRow, PreferenceRows},
    split_reader::{JUDGE, Sides, SplitReader},
    weighted::Countable,
};
use crate::{error::Result, tokenizer::Tokenizer};

/// Prompts with their answers, in the order of their files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preferences {
    ids: Vec<u32>,
    /// Where each answer ends among the ids.
    answer_ends: Vec<u64>,
    /// The rank of each answer among those to its prompt: 0 for the best, and no rank is left out.
    ranks: Vec<u32>,
    /// The log-probability of each answer by the reference model; empty where none were taken.
    references: Vec<f32>,
    /// Where each example ends among the answers.
    example_ends: Vec<u32>,
    /// Ids of the prompt of each example.
    prompts: Vec<u32>,
    /// What rows are called, as far as one has a name that is kept.
    names: Vec<Option<String>>,
    cut: Cut,
    skipped: SkippedPreferences,
}

/// Rows that are left out, by the first reason that a row has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedPreferences {
    /// With fewer than two answers.
    pub one_answer: u64,
    /// Without two answers of different ranks.
    pub ties: u64,
    /// With the same answer twice, and different ranks for it.
    pub contradictions: u64,
    /// With an answer that has no token.
    pub empty_answers: u64,
    /// With an answer that does not fit into the context behind one token of the prompt.
    pub long_answers: u64,
}

impl Preferences {
    /// How many prompts there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.prompts.len()
    }

    /// Answers to all prompts.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.ranks.len()
    }

    /// Tokens of all answers, with the prompt of each.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Pairs of answers to one prompt that have different ranks.
    #[must_use]
    pub fn pairs(&self) -> usize {
        (0..self.count()).map(|number| comparisons(&self.ranks[self.answers_of(number)]).count()).sum()
    }

    /// What was cut off the prompts of answers that were too long with them: how many answers, and the tokens before each of them.
    #[must_use]
    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// The rows that were left out.
    #[must_use]
    pub fn skipped(&self) -> SkippedPreferences {
        self.skipped
    }

    /// The answers to the prompt of a number.
    #[must_use]
    pub fn get(&self, number: usize) -> Vec<Answer<'_>> {
        let prompt = self.prompts[number] as usize;
        let answer = |place: usize| Answer {
            ids: self.ids_of(place),
            prompt,
            rank: self.ranks[place],
            reference: self.references.get(place).copied(),
        };
        self.answers_of(number).map(answer).collect()
    }

    /// What tells the prompt of a number from others: there may be several rankings of one.
    #[must_use]
    pub fn prompt_key(&self, number: usize) -> u64 {
        let prompt = &self.ids_of(self.answers_of(number).start)[..self.prompts[number] as usize];
        xxh3_64(&prompt.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>())
    }

    /// The ids of the best answers to each prompt, with the prompt.
    pub fn best(&self) -> impl Iterator<Item = Vec<u32>> + '_ {
        (0..self.answers()).filter(|answer| self.ranks[*answer] == 0).map(|answer| self.ids_of(answer).to_vec())
    }

    /// What the row of a number is called, where it has an id and that was kept.
    #[must_use]
    pub fn name(&self, number: usize) -> Option<&str> {
        self.names.get(number)?.as_deref()
    }

    /// The tokens of the longest answer to a prompt, with the prompt.
    #[must_use]
    pub fn longest(&self, number: usize) -> usize {
        self.answers_of(number).map(|answer| self.ids_of(answer).len()).max().unwrap_or(0)
    }

    /// The numbers of a random sample of `most` prompts, or of all, in rising order: the same each time.
    #[must_use]
    pub fn sample(&self, seed: u64, most: usize) -> Vec<usize> {
        sample(self.count(), seed, most)
    }

    /// XXH3-128 over the ids and ranks of the answers to some prompts, as 32 hexadecimal digits: whatever a reference model says of them.
    #[must_use]
    pub fn hash(&self, numbers: &[usize]) -> String {
        let mut hash = Xxh3::new();
        for number in numbers {
            let answers = self.get(*number);
            hash.update(&(answers.len() as u64).to_le_bytes());
            for Answer { ids, prompt, rank, .. } in answers {
                hash.update(&rank.to_le_bytes());
                hash.update(&(prompt as u64).to_le_bytes());
                hash.update(&(ids.len() as u64).to_le_bytes());
                ids.iter().for_each(|id| hash.update(&id.to_le_bytes()));
            }
        }
        format!("{:032x}", hash.digest128())
    }

    /// Adds the preferences of another source behind these. Log-probabilities of a reference model stay where both have them.
    pub fn append(&mut self, other: Self) {
        let (ids, answers) = (self.ids.len() as u64, self.answers());
        let are_taken = [&*self, &other].iter().all(|one| one.references.len() == one.answers());
        self.references.extend(other.references);
        if !are_taken {
            self.references.clear();
        }
        let answers = u32::try_from(answers).expect("answers in memory can be numbered");
        self.ids.extend(other.ids);
        self.answer_ends.extend(other.answer_ends.iter().map(|end| ids + end));
        self.ranks.extend(other.ranks);
        self.example_ends.extend(other.example_ends.iter().map(|end| answers + end));
        if !other.names.is_empty() {
            self.names.resize(self.count(), None);
            self.names.extend(other.names);
        }
        self.prompts.extend(other.prompts);
        self.cut.sequences += other.cut.sequences;
        self.cut.tokens += other.cut.tokens;
        self.skipped.add(other.skipped);
    }

    /// Takes the log-probabilities of the answers by a reference model: one for each answer, in their order.
    pub fn set_references(&mut self, references: Vec<f32>) {
        assert_eq!(references.len(), self.answers(), "each answer has a log-probability");
        self.references = references;
    }

    /// Adds a prompt with its answers, the best of which has the rank 0.
    ///
    /// - `prompt`: its ids, 1 or more
    /// - `answers`: the ids of each with the end of its text, and its rank
    pub(super) fn push(
        &mut self,
        prompt: &[u32],
        answers: impl IntoIterator<Item = (Vec<u32>, u32)>,
        name: Option<String>,
    ) {
        for (answer, rank) in answers {
            self.ids.extend_from_slice(prompt);
            self.ids.extend(answer);
            self.answer_ends.push(self.ids.len() as u64);
            self.ranks.push(rank);
        }
        self.example_ends.push(u32::try_from(self.answers()).expect("answers can be numbered"));
        if name.is_some() {
            self.names.resize(self.count(), None);
            self.names.push(name);
        }
        self.prompts.push(u32::try_from(prompt.len()).expect("a prompt is in memory"));
    }

    /// The places of the answers to a prompt among all answers.
    fn answers_of(&self, number: usize) -> Range<usize> {
        let begin = number.checked_sub(1).map_or(0, |before| self.example_ends[before]);
        begin as usize..self.example_ends[number] as usize
    }

    /// The ids of an answer, with its prompt.
    fn ids_of(&self, answer: usize) -> &[u32] {
        let place = |end: u64| usize::try_from(end).expect("ids are in memory");
        let begin = answer.checked_sub(1).map_or(0, |before| self.answer_ends[before]);
        &self.ids[place(begin)..place(self.answer_ends[answer])]
    }
}

impl Countable for Preferences {
    fn count(&self) -> u64 {
        self.count() as u64
    }
}

impl Lengths for Preferences {
    /// That of the longest answer, with the prompt.
    fn length(&self, number: u64) -> u64 {
        self.longest(usize::try_from(number).expect("preferences are in memory")) as u64
    }
}

impl SkippedPreferences {
    /// Why nothing can be learnt from texts and their ranks, if that is so: the count of such rows.
    fn by_texts(&mut self, answers: &[String], ranks: &[u32]) -> Option<&mut u64> {
        if answers.len() < 2 {
            Some(&mut self.one_answer)
        } else if comparisons(ranks).next().is_none() {
            Some(&mut self.ties)
        } else if comparisons(ranks).any(|(better, worse)| answers[better] == answers[worse]) {
            Some(&mut self.contradictions)
        } else {
            None
        }
    }

    fn add(&mut self, other: Self) {
        let Self { one_answer, ties, contradictions, empty_answers, long_answers } = other;
        self.one_answer += one_answer;
        self.ties += ties;
        self.contradictions += contradictions;
        self.empty_answers += empty_answers;
        self.long_answers += long_answers;
    }
}

impl fmt::Display for SkippedPreferences {
    /// Empty where no row was left out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = [
            (self.one_answer, "has fewer than two answers", "have fewer than two answers"),
            (self.ties, "ranks all answers alike", "rank all answers alike"),
            (self.contradictions, "contradicts itself", "contradict themselves"),
            (self.empty_answers, "has an empty answer", "have an empty answer"),
            (self.long_answers, "has an answer that is too long", "have an answer that is too long"),
        ];
        let mut before = "";
        for (count, one, many) in reasons.into_iter().filter(|(count, _, _)| *count > 0) {
            let rows = match (before, count) {
                ("", 1) => " row",
                ("", _) => " rows",
                _ => "",
            };
            write!(formatter, "{before}{count}{rows} {}", if count == 1 { one } else { many })?;
            before = ", ";
        }
        Ok(())
    }
}

/// Reads preferences.
#[derive(Debug, Clone, Copy)]
pub struct PreferencesReader<'e> {
    /// Turns prompts and answers into ids.
    pub tokenizer: &'e Tokenizer,
    /// The most tokens of a prompt with an answer and its end.
    pub context_length: usize,
    /// How files are read.
    pub options: ReadOptions,
}

impl SplitReader for PreferencesReader<'_> {
    type Rows = Preferences;

    fn options(&self) -> ReadOptions {
        self.options
    }

    /// Each row goes to the side that the hash of its prompt says.
    fn read(&self, file: &Path, sides: &mut Sides<Preferences>, side: &dyn Fn(u64) -> usize) -> Result<u64> {
        let encoder = AnswerEncoder::new(self.tokenizer, self.context_length)?;
        let mut rows = PreferenceRows::open(file, self.options)?;
        while let Some(few) = rows.next_few()? {
            Self::few(&encoder, few, sides, side)?;
        }
        Ok(rows.lost())
    }
}

impl PreferencesReader<'_> {
    fn few(
        encoder: &AnswerEncoder<'_>,
        few: Vec<PreferenceRow>,
        sides: &mut Sides<Preferences>,
        side: &dyn Fn(u64) -> usize,
    ) -> Result<()> {
        let mut kept = Vec::with_capacity(few.len());
        for row in few {
            let (side, ranks) = (side(xxh3_64(row.prompt.as_bytes())), dense(&row.ranks));
            match sides[side].skipped.by_texts(&row.answers, &ranks) {
                Some(skipped) => *skipped += 1,
                None => kept.push((side, row, ranks)),
            }
        }
        let texts =
            kept.iter().map(|(_, row, _)| (row.prompt.as_str(), row.answers.iter().map(String::as_str).collect()));
        let encoded = encoder.encode(&texts.collect::<Vec<_>>())?;
        for ((side, PreferenceRow { id, .. }, ranks), encoded) in kept.into_iter().zip(encoded) {
            let side_of_row = &mut sides[side];
            match encoded {
                Err(NoAnswer::Empty) => side_of_row.skipped.empty_answers += 1,
                Err(NoAnswer::TooLong) => side_of_row.skipped.long_answers += 1,
                Ok(EncodedAnswers { prompt, cut, answers }) => {
                    if cut > 0 {
                        side_of_row.cut.sequences += answers.len() as u64;
                        side_of_row.cut.tokens += (answers.len() * cut) as u64;
                    }
                    let name = id.filter(|_| side == JUDGE);
                    side_of_row.push(&prompt, answers.into_iter().zip(ranks), name);
                }
            }
        }
        Ok(())
    }
}

/// Ranks that count from 0, and leave none out.
fn dense(ranks: &[i64]) -> Vec<u32> {
    let mut different = ranks.to_vec();
    different.sort_unstable();
    different.dedup();
    let place = |rank: &i64| different.partition_point(|other| other < rank);
    ranks.iter().map(|rank| u32::try_from(place(rank)).expect("answers can be numbered")).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
    };

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::data::{HashedFiles, SourceFiles};

    fn tokenizer(folder: &Path) -> Tokenizer {
        let trained = Tokenizer::train(["the cat sat"; 20].into_iter(), 270, 0, &folder.join("tokenizer.json"));
        trained.expect("the texts suffice")
    }

    fn line(prompt: &str, answers: &[&str], ranks: &[i64]) -> String {
        json!({"id": format!("of {prompt}"), "prompt": prompt, "answers": answers, "ranks": ranks}).to_string() + "\n"
    }

    fn read(tokenizer: &Tokenizer, context_length: usize, lines: &str) -> Preferences {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        fs::write(&path, lines).expect("it can be written");
        let reader = PreferencesReader { tokenizer, context_length, options: ReadOptions::default() };
        reader.file(&path, &mut Vec::new()).expect("it can be read")
    }

    #[test]
    fn preferences_are_as_they_were_written() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let tokenizer = tokenizer(folder.path());
        let lines = [line("the cat", &[" sat", "?", " sat on"], &[7, -1, 7]), line("a", &["b", "c"], &[1, 2])].concat();
        let mut preferences = read(&tokenizer, 64, &lines);
        assert_eq!((preferences.count(), preferences.answers(), preferences.pairs()), (2, 5, 3));
        assert_eq!((preferences.name(0), preferences.cut()), (Some("of the cat"), Cut::default()));
        assert_eq!(preferences.skipped().to_string(), "");
        let answers = preferences.get(0);
        let prompt = tokenizer.encode("the cat")?;
        for (answer, (text, rank)) in answers.iter().zip([(" sat", 1), ("?", 0), (" sat on", 1)]) {
            let ids = [&prompt[..], &tokenizer.encode(text)?, &[tokenizer.end_of_text()]].concat();
            assert_eq!(*answer, Answer { ids: &ids, prompt: prompt.len(), rank, reference: None });
        }
        assert_eq!(preferences.longest(0), answers[2].ids.len());
        assert_eq!(
            preferences.tokens(),
            (0..2).flat_map(|number| preferences.get(number)).map(|answer| answer.ids.len()).sum::<usize>()
        );

        let (hash, own) = (preferences.hash(&[0]), preferences.clone());
        preferences.append(own);
        assert_eq!((preferences.get(3), preferences.name(3)), (preferences.get(1), Some("of a")));
        assert!(preferences.hash(&[2]) == hash && preferences.hash(&[3]) != hash);
        preferences.set_references((0..10u8).map(f32::from).collect());
        assert_eq!(
            preferences.get(2).iter().map(|answer| answer.reference).collect::<Vec<_>>(),
            [5.0, 6.0, 7.0].map(Some)
        );
        assert_eq!(preferences.hash(&[2]), hash, "what is judged by is the same, whatever the reference");
        Ok(())
    }

    /// A row from which nothing can be learnt is no error, and not passed over in silence.
    #[test]
    fn what_is_left_out_is_counted() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let long = "x".repeat(40);
        let lines = [
            line("p", &["a"], &[1]),
            line("p", &[], &[]),
            line("p", &["a", "b"], &[2, 2]),
            line("p", &["a", "b", "a"], &[1, 2, 3]),
            line("p", &["a", ""], &[1, 2]),
            line("p", &["a", &long], &[1, 2]),
            // the same answer with the same rank says nothing that is not so
            line("p", &["a", "b", "b"], &[1, 2, 2]),
        ];
        let preferences = read(&tokenizer(folder.path()), 32, &lines.concat());
        assert_eq!((preferences.count(), preferences.pairs()), (1, 2));
        let expected =
            SkippedPreferences { one_answer: 2, ties: 1, contradictions: 1, empty_answers: 1, long_answers: 1 };
        assert_eq!(preferences.skipped(), expected);
        assert_eq!(
            expected.to_string(),
            "2 rows have fewer than two answers, 1 ranks all answers alike, 1 contradicts itself, 1 has an empty answer, 1 has an answer \
             that is too long"
        );
        assert_eq!(
            SkippedPreferences { ties: 1, ..SkippedPreferences::default() }.to_string(),
            "1 row ranks all answers alike"
        );
    }

    /// All answers are to the same prompt: what the longest has no room for, none has.
    #[test]
    fn a_prompt_is_cut_alike_for_all_answers() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let tokenizer = tokenizer(folder.path());
        let (prompt, end) = (tokenizer.encode("01234567")?, [tokenizer.end_of_text()]);
        let (short, long) = (tokenizer.encode("x")?, tokenizer.encode("xyz")?);
        assert_eq!((prompt.len(), short.len(), long.len()), (8, 1, 3), "each byte is a token");
        for (context_length, kept) in [(12, 8), (8, 4), (5, 1)] {
            let preferences = read(&tokenizer, context_length, &line("01234567", &["x", "xyz"], &[1, 2]));
            let ids: Vec<&[u32]> = preferences.get(0).iter().map(|answer| answer.ids).collect();
            let prompt = &prompt[8 - kept..];
            assert_eq!(ids, [[prompt, &short[..], &end[..]].concat(), [prompt, &long[..], &end[..]].concat()]);
            assert!(preferences.get(0).iter().all(|answer| answer.prompt == kept));
            let lost = (8 - kept) as u64;
            assert_eq!(preferences.cut(), Cut { sequences: if lost > 0 { 2 } else { 0 }, tokens: 2 * lost });
        }
        let preferences = read(&tokenizer, 4, &line("01234567", &["x", "xyz"], &[1, 2]));
        assert_eq!(
            (preferences.count(), preferences.skipped().long_answers),
            (0, 1),
            "nothing of the prompt would stay"
        );
        Ok(())
    }

    /// A model is trained behind the ids that it is given when it writes: the beginning of texts where the tokenizer has one, and never none.
    #[test]
    fn a_prompt_begins_as_where_a_model_writes() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let without = tokenizer(folder.path());
        let names = json!({"bos_token": "Z", "add_bos_token": true}).to_string();
        fs::write(folder.path().join("tokenizer_config.json"), names).expect("it can be written");
        let with = Tokenizer::load(&folder.path().join("tokenizer.json"))?;
        assert_eq!((without.prompt("")?.len(), with.prompt("")?.len()), (0, 1));
        for tokenizer in [&without, &with] {
            let lines = ["the cat", "", "Z"].map(|prompt| line(prompt, &["a", "b"], &[1, 2])).concat();
            let preferences = read(tokenizer, 64, &lines);
            for (number, text) in ["the cat", "", "Z"].into_iter().enumerate() {
                let mut expected = tokenizer.prompt(text)?;
                if expected.is_empty() {
                    expected.push(tokenizer.before_text());
                }
                let Answer { ids, prompt, .. } = preferences.get(number)[0];
                assert_eq!(ids[..prompt], expected, "{text}");
            }
        }
        Ok(())
    }

    /// Rows of one prompt are never on both sides, whatever their answers.
    #[test]
    fn a_split_is_drawn_by_prompts() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let tokenizer = tokenizer(folder.path());
        let path = folder.path().join("rows.jsonl");
        let lines = (0..120).map(|row| line(&format!("p{}", row % 40), &[&format!("a{row}"), "b"], &[1, 2]));
        fs::write(&path, lines.collect::<String>()).expect("it can be written");
        let source = HashedFiles::new(SourceFiles { path: path.clone(), train: vec![path], validation: Vec::new() })?;
        let reader = PreferencesReader { tokenizer: &tokenizer, context_length: 64, options: ReadOptions::default() };
        let [train, judge] = reader.training(&source, 5, 0.3, &mut Vec::new())?;
        assert_eq!(train.count() + judge.count(), 120);
        assert_eq!((train.name(0), judge.name(0).is_some()), (None, true));
        let prompts = |side: &Preferences| {
            let mut rows = BTreeMap::new();
            for number in 0..side.count() {
                let Answer { ids, prompt, .. } = side.get(number)[0];
                *rows.entry(ids[..prompt].to_vec()).or_insert(0) += 1;
            }
            rows
        };
        let (train, judge) = (prompts(&train), prompts(&judge));
        assert!((2..=24).contains(&judge.len()), "{} of 40 prompts by a share of 0.3", judge.len());
        assert!(train.values().chain(judge.values()).all(|rows| *rows == 3), "{train:?} {judge:?}");
        Ok(())
    }

    proptest! {
        /// Ranks are compared, and their distances say nothing: the order stays, ties stay, and the best is 0.
        #[test]
        fn dense_ranks_have_the_same_order(ranks in proptest::collection::vec(-3i64..9, 1..7)) {
            let dense = dense(&ranks);
            let different: BTreeSet<u32> = dense.iter().copied().collect();
            prop_assert_eq!(&different, &(0..u32::try_from(different.len()).expect("few")).collect::<BTreeSet<u32>>());
            let both: Vec<(i64, u32)> = ranks.into_iter().zip(dense).collect();
            for (one, dense_one) in &both {
                for (other, dense_other) in &both {
                    prop_assert_eq!(one.cmp(other), dense_one.cmp(dense_other));
                }
            }
        }
    }
}
