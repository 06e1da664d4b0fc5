//! Porter's stemmer, in the variant that `rouge_score` uses.
//!
//! A word is a row of consonants and vowels, `[C](VC)^m[V]`, and `m` is its measure. Five steps take endings off, or exchange them, where what
//! stands before is long enough.
//!
//! Source: Porter 1980, "An algorithm for suffix stripping"; for what is done otherwise, the documentation of NLTK's `PorterStemmer`: a few
//! irregular words, `ies` and `ied` of words of four letters, `y` after consonants, `bli`, `alli`, `fulli` and `logi`, and stems of two letters.

/// Words whose stems are written down.
const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// Endings of step 2 and what becomes of them where the measure of what stands before is above 0.
const STEP_2: [(&str, &str); 21] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

/// Endings of step 3, likewise.
const STEP_3: [(&str, &str); 7] =
    [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

/// Endings that step 4 takes off where the measure of what stands before is above 1.
const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
];

/// The stem of a word of small letters and digits of ASCII.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let word = step_1c(&step_1b(&step_1a(word)));
    step_5b(step_5a(step_4(step_3(step_2(word)))))
}

/// Plurals.
fn step_1a(word: &str) -> String {
    match word {
        _ if word.ends_with("ies") && word.len() == 4 => word[..3].to_owned(),
        _ if word.ends_with("sses") || word.ends_with("ies") => word[..word.len() - 2].to_owned(),
        _ if word.ends_with('s') && !word.ends_with("ss") => word[..word.len() - 1].to_owned(),
        _ => word.to_owned(),
    }
}

/// `ed` and `ing`, and what is mended behind them.
fn step_1b(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ied") {
        return format!("{stem}{}", if word.len() == 4 { "ie" } else { "i" });
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return if measure(stem) > 0 { format!("{stem}ee") } else { word.to_owned() };
    }
    let stems = ["ed", "ing"].map(|ending| word.strip_suffix(ending).filter(|stem| has_vowel(stem)));
    let Some(stem) = stems.into_iter().flatten().next() else {
        return word.to_owned();
    };
    let last = &stem[stem.len() - 1..];
    if ["at", "bl", "iz"].iter().any(|ending| stem.ends_with(ending)) {
        format!("{stem}e")
    } else if ends_in_double_consonant(stem) {
        if matches!(last, "l" | "s" | "z") { stem.to_owned() } else { stem[..stem.len() - 1].to_owned() }
    } else if measure(stem) == 1 && ends_short(stem) {
        format!("{stem}e")
    } else {
        stem.to_owned()
    }
}

/// `y` after a consonant that is not the first letter.
fn step_1c(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if stem.len() > 1 && kinds(stem).last() == Some(true) => format!("{stem}i"),
        _ => word.to_owned(),
    }
}

/// Double endings.
fn step_2(word: String) -> String {
    match word.strip_suffix("alli") {
        Some(stem) if measure(stem) > 0 => return step_2(format!("{stem}al")),
        _ => {}
    }
    if STEP_2.iter().any(|(ending, _)| word.ends_with(ending)) {
        return replaced(word, &STEP_2);
    }
    // the `l` counts with the stem, so that short ones are like others
    match word.strip_suffix("ogi") {
        Some(stem) if stem.ends_with('l') && measure(stem) > 0 => format!("{stem}og"),
        _ => word,
    }
}

fn step_3(word: String) -> String {
    replaced(word, &STEP_3)
}

/// The first of some endings that a word has, replaced where the measure of what stands before is above 0.
fn replaced(word: String, endings: &[(&str, &str)]) -> String {
    let found = endings.iter().find_map(|(ending, other)| Some((word.strip_suffix(ending)?, other)));
    match found {
        Some((stem, other)) if measure(stem) > 0 => format!("{stem}{other}"),
        _ => word,
    }
}

/// Endings without another.
fn step_4(mut word: String) -> String {
    let found = STEP_4.iter().find_map(|ending| Some((word.strip_suffix(ending)?, *ending)));
    if let Some((stem, ending)) = found
        && measure(stem) > 1
        && (ending != "ion" || stem.ends_with(['s', 't']))
    {
        word.truncate(stem.len());
    }
    word
}

/// `e` at the end.
fn step_5a(mut word: String) -> String {
    if let Some(stem) = word.strip_suffix('e') {
        let measure = measure(stem);
        if measure > 1 || measure == 1 && !ends_short(stem) {
            word.pop();
        }
    }
    word
}

/// `ll` at the end.
fn step_5b(mut word: String) -> String {
    if word.ends_with("ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop();
    }
    word
}

/// Whether each letter is a consonant: no vowel, and no `y` that follows a consonant.
fn kinds(word: &str) -> impl Iterator<Item = bool> {
    let mut before = false;
    word.bytes().map(move |letter| {
        before = match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !before,
            _ => true,
        };
        before
    })
}

/// How many times a vowel is followed by a consonant.
fn measure(word: &str) -> usize {
    let mut after_vowel = false;
    let is_end = |is_consonant: &bool| {
        let ends = *is_consonant && after_vowel;
        after_vowel = !is_consonant;
        ends
    };
    kinds(word).filter(is_end).count()
}

fn has_vowel(word: &str) -> bool {
    kinds(word).any(|is_consonant| !is_consonant)
}

fn ends_in_double_consonant(word: &str) -> bool {
    matches!(word.as_bytes(), [.., one, other] if one == other) && kinds(word).last() == Some(true)
}

/// Whether a word ends in consonant, vowel, consonant other than `w`, `x` and `y`, or is a vowel and a consonant.
fn ends_short(word: &str) -> bool {
    let kinds: Vec<bool> = kinds(word).collect();
    match kinds[..] {
        [false, true] => true,
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's own examples.
    #[test]
    fn stems_are_those_of_the_paper() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("feed", "feed"),
            ("plastered", "plaster"),
            ("sing", "sing"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("relational", "relat"),
            ("vietnamization", "vietnam"),
            ("electrical", "electr"),
            ("replacement", "replac"),
            ("adoption", "adopt"),
            ("controlling", "control"),
            ("rate", "rate"),
            ("cease", "ceas"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    /// What NLTK does otherwise.
    #[test]
    fn departures_are_those_of_nltk() {
        for (word, expected) in [
            ("skies", "sky"),
            ("dies", "die"),
            ("died", "die"),
            ("spied", "spi"),
            ("enjoy", "enjoy"),
            ("spy", "spi"),
            ("geology", "geolog"),
            ("theology", "theolog"),
            ("hopefully", "hope"),
            ("radically", "radic"),
            ("ably", "abli"),
            ("using", "use"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
