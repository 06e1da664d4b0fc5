//! Jinja as chat templates are written for it: what `apply_chat_template` of `transformers` gives a template beside the language.
//!
//! | | |
//! |---|---|
//! | blocks | the first line feed behind one goes, and white space in front of one on its line (`trim_blocks`, `lstrip_blocks`) |
//! | `{% break %}`, `{% continue %}` | as in Jinja's own extension |
//! | `{% generation %}` | nothing: which turns are the assistant's is known by their roles |
//! | `raise_exception(message)` | an error |
//! | `strftime_now(format)` | a day that does not change, see [`DATE`] |
//! | `tojson` | as Python's `json.dumps` writes it, not as for HTML |
//! | `.strip()`, `.split()`, `.items()`, ... | methods of Python's strings and dictionaries |

use std::io;

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State,
    syntax::SyntaxConfig,
    value::{Kwargs, Value, from_args},
};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde::Serialize as _;
use serde_json::{
    Serializer,
    ser::{Formatter, PrettyFormatter},
};

/// The day that templates are told: Friday, 26 July 2024, at midnight. Llama's templates fall back on it where there is no clock. What a
/// model learns, and what is asked of it, must not depend on the day on which that is rendered.
const DATE: [(char, &str); 14] = [
    ('Y', "2024"),
    ('y', "24"),
    ('m', "07"),
    ('B', "July"),
    ('b', "Jul"),
    ('d', "26"),
    ('j', "208"),
    ('A', "Friday"),
    ('a', "Fri"),
    ('H', "00"),
    ('I', "12"),
    ('M', "00"),
    ('S', "00"),
    ('p', "AM"),
];

/// The engine with one template, by the name `name`.
///
/// # Errors
/// When the template cannot be read.
pub(super) fn environment(name: &'static str, source: &str) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("Jinja's own delimiters are valid"));
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> { Err(fault(message)) });
    environment.add_function("strftime_now", date);
    environment.add_filter("tojson", to_json);
    environment.set_unknown_method_callback(method);
    environment.add_template_owned(name, without_generation(source))?;
    Ok(environment)
}

/// What is wrong, in the engine's words, with the line of the template.
pub(super) fn message(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    error.line().map_or_else(|| what.clone(), |line| format!("line {line}: {what}"))
}

fn fault(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// A template whose blocks `generation` are blocks that say nothing; white space is trimmed as before.
fn without_generation(source: &str) -> String {
    let mut changed = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, tag)) = rest.find("{%").map(|start| rest.split_at(start)) {
        changed.push_str(before);
        let (tag, after) = tag.split_at(tag.find("%}").map_or(tag.len(), |end| end + 2));
        let word = tag.trim_matches(['{', '%', '}', '-', '+']).trim();
        match word {
            "generation" => changed.push_str(&tag.replace(word, "if true")),
            "endgeneration" => changed.push_str(&tag.replace(word, "endif")),
            _ => changed.push_str(tag),
        }
        rest = after;
    }
    changed + rest
}

/// The day, as `strftime` writes it.
fn date(format: &str) -> Result<String, Error> {
    let mut written = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        match (character, characters.as_str().chars().next()) {
            ('%', Some('%')) => written.push('%'),
            ('%', Some(code)) => {
                let known = DATE.iter().find(|(known, _)| *known == code);
                written.push_str(known.ok_or_else(|| fault(format!("`strftime_now` does not know `%{code}`")))?.1);
            }
            _ => {
                written.push(character);
                continue;
            }
        }
        characters.next();
    }
    Ok(written)
}

/// A value as `json.dumps(value, ensure_ascii=False, indent=indent)` writes it.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands it over")]
fn to_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let mut json = Vec::new();
    let written = match indent {
        Some(indent) => {
            let indent = " ".repeat(indent);
            let pretty = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut Serializer::with_formatter(&mut json, pretty))
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut json, Spaced)),
    };
    written.map_err(|error| fault(error.to_string()))?;
    Ok(String::from_utf8(json).expect("JSON is UTF-8"))
}

/// A space behind each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// A method of Python's strings, lists and dictionaries; some of strings the library does not know.
fn method(state: &mut State<'_, '_>, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    match (value.as_str(), name) {
        (Some(text), "removeprefix" | "removesuffix") => {
            let (part,): (&str,) = from_args(args)?;
            let rest = if name == "removeprefix" { text.strip_prefix(part) } else { text.strip_suffix(part) };
            Ok(rest.unwrap_or(text).into())
        }
        (Some(text), "rsplit") => {
            let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
            let separator = separator.filter(|separator| !separator.is_empty());
            let separator = separator.ok_or_else(|| fault("`rsplit` without a separator is not known"))?;
            // a count below 0 is none
            let most = most.and_then(|most| usize::try_from(most).ok()).map_or(usize::MAX, |most| most + 1);
            Ok(text.rsplitn(most, separator).collect::<Vec<_>>().into_iter().rev().collect())
        }
        _ => unknown_method_callback(state, value, name, args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(source: &str) -> Result<String, String> {
        let context = || Value::from_pairs([("text", " a,b ,c\n"), ("none", "")]);
        let environment = environment("test", source).map_err(|error| message(&error))?;
        let template = environment.get_template("test").expect("it was added");
        template.render(context()).map_err(|error| message(&error))
    }

    /// What Jinja 3.1.6 for Python gives, with `transformers`' settings.
    #[test]
    fn methods_are_those_of_python() {
        for (source, expected) in [
            (
                "[{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|{{ 'xaxx'.strip('x') }}]",
                "[a,b ,c|a,b ,c\n| a,b ,c|a]",
            ),
            ("{{ text.split(',')[-1].strip() }}{{ text.split(',', 1)[1] }}", "cb ,c\n"),
            ("{{ text.split() | length }}{{ 'a b'.rsplit(' ', 1)[0] }}{{ ''.split(',') | length }}", "2a1"),
            ("{{ 'ab'.startswith('a') }}{{ 'ab'.startswith(('x', 'y')) }}{{ 'ab'.endswith('b') }}", "TrueFalseTrue"),
            ("{{ 'aXbX'.replace('X', '-') }}{{ 'aXbX'.replace('X', '-', 1) }}", "a-b-a-bX"),
            ("{{ 'Ab'.upper() }}{{ 'Ab'.lower() }}{{ 'ab cd'.title() }}{{ 'ab'.capitalize() }}", "ABabAb CdAb"),
            ("{{ 'éab'.find('b') }}{{ 'ab'.find('x') }}{{ 'abab'.count('ab') }}", "2-12"),
            (
                "{{ ', '.join(['a', 'b']) }}{{ {'a': 1}.get('a') }}{{ {'a': 1}.get('b', 2) }}{{ {}.get('a') }}",
                "a, b12None",
            ),
            ("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }};{% endfor %}", "a=1;"),
            ("{{ {'a': ['é', 1, none, true], 'b': {}} | tojson }}", "{\"a\": [\"é\", 1, null, true], \"b\": {}}"),
            ("{{ {'a': [1]} | tojson(indent=2) }}", "{\n  \"a\": [\n    1\n  ]\n}"),
            ("{{ '<a&b>' | tojson }}", "\"<a&b>\""),
            ("{{ strftime_now('%d %b %Y, %A %H:%M %%') }}", "26 Jul 2024, Friday 00:00 %"),
            (
                "{% set ns = namespace(x=1) %}{% for i in range(3) %}{% if i == 2 %}{% break %}{% endif %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
                "2",
            ),
            ("a\n  {% generation %}\n  b\n  {%- endgeneration %}\nc\n", "a\n  bc"),
            ("{{ undefined_name }}{{ [1, 2, 3][1:] }}{{ 'abc'[:-1] }}", "[2, 3]ab"),
            ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('a') }}", "<a>"),
        ] {
            assert_eq!(rendered(source).as_deref(), Ok(expected), "{source}");
        }
        assert_eq!(rendered("\n{{ raise_exception('no system role') }}"), Err("line 2: no system role".into()));
        assert_eq!(rendered("{{ 'a'.swapcase() }}").map_err(|error| error.contains("line 1")), Err(true));
    }
}
