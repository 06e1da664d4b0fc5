//! How texts are written down for fastText, which reads lines of words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::unspaced;

/// How texts are written down for fastText, which knows nothing but white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineForm {
    /// As they are.
    AsIs,
    /// In lower case, with spaces around punctuation, as the original's own examples prepare theirs.
    Plain,
    /// As `plain`, with spaces between words where a script puts none; see [`crate::text::unspaced`]. The same as `plain` for all others.
    Divided,
}

impl LineForm {
    /// The text in one line.
    pub fn write(self, text: &str, line: &mut String) {
        line.clear();
        match self {
            Self::AsIs => {
                line.extend(text.chars().map(|letter| if matches!(letter, '\n' | '\r') { ' ' } else { letter }));
            }
            Self::Divided if unspaced::may_divide(text) => {
                for token in text.split_ascii_whitespace() {
                    unspaced::pieces(token, |start, end| {
                        plain(&token[start..end], line);
                        line.push(' ');
                    });
                }
            }
            Self::Plain | Self::Divided => plain(text, line),
        }
    }
}

fn plain(text: &str, line: &mut String) {
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => line.push(' '),
            '.' | '!' | '?' | ',' | ';' | ':' | '\'' | '"' | '(' | ')' | '[' | ']' | '/' | '*' | '-' => {
                line.extend([' ', letter, ' ']);
            }
            letter if letter.is_ascii() => line.push(letter.to_ascii_lowercase()),
            letter => line.extend(letter.to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_alone_and_lines_are_one() {
        let mut line = String::new();
        LineForm::Plain.write("\"Don't,\"\nÉté", &mut line);
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["\"", "don", "'", "t", ",", "\"", "été"]);
        for text in ["\"Don't,\"\nÉté", "Smile… – “he said” – it’s"] {
            let words = |form: LineForm| {
                let mut line = String::new();
                form.write(text, &mut line);
                line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(words(LineForm::Divided), words(LineForm::Plain));
        }
        LineForm::Divided.write("雨落。\nฝนตกหนัก, GPT-3も", &mut line);
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        assert_eq!(words, ["雨", "落。", "ฝน", "ตกหนัก", ",", "gpt", "-", "3", "も"]);
        LineForm::AsIs.write("One,\nTwo", &mut line);
        assert_eq!(line, "One, Two");
    }
}
