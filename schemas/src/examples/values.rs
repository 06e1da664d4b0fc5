//! What templates know of an example: its fields, and what the task's expressions make of them.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, Value, value::Serde};
use serde_json::Map;

use super::{Choices, ExampleRules};
use crate::prompt::{environment, message};

/// A row of data.
pub type Object = Map<String, serde_json::Value>;

/// The key under which an element of `each` stands in its example.
pub const ITEM: &str = "item";

/// The name by which expressions know the whole example.
const ROW: &str = "row";

/// The expressions of a task, compiled.
#[derive(Debug)]
pub struct Expressions {
    environment: Environment<'static>,
    fields: Vec<String>,
    /// Names that [`VALUES`] sets.
    set: Vec<String>,
    each: bool,
}

/// The template that sets the list of items.
const EACH: &str = "each";
/// The template that sets everything else.
const VALUES: &str = "values";

/// What is wrong with an expression of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// The key of the expression, such as `answer` or `computed.reasoning`.
    pub key: String,
    /// What is wrong.
    pub message: String,
}

/// What an example means.
#[derive(Debug, Clone)]
pub struct Values {
    /// All that templates know, by name.
    pub known: BTreeMap<String, Value>,
    /// The alternatives.
    pub choices: Vec<String>,
    /// The right answer; empty where the task has none.
    pub answer: String,
    /// The number of the right answer among the choices.
    pub answer_number: Option<usize>,
    /// All answers that are right.
    pub references: Vec<String>,
}

impl Expressions {
    /// Compiles the expressions of a task.
    ///
    /// # Errors
    /// The first that does not parse, or that uses what an example does not have.
    pub fn new(rules: &ExampleRules) -> Result<Self, ExpressionFault> {
        let mut environment = environment();
        let mut known: BTreeSet<String> = rules.fields.iter().cloned().chain([ROW.to_owned()]).collect();
        let check = |key: &str, expression: &str, known: &BTreeSet<String>| {
            let fault = |message: String| ExpressionFault { key: key.to_owned(), message };
            let compiled = environment.compile_expression(expression).map_err(|error| fault(message(&error)))?;
            let mut unknown: Vec<String> = compiled.undeclared_variables(false).into_iter().collect();
            unknown.retain(|name| !known.contains(name) && environment.globals().all(|(global, _)| global != name));
            match unknown.into_iter().min() {
                Some(unknown) => Err(fault(format!("there is no field `{unknown}`"))),
                None => Ok(()),
            }
        };
        if let Some(each) = &rules.each {
            check("each", each, &known)?;
            known.insert(ITEM.to_owned());
        }
        for (name, expression) in &rules.computed {
            check(&format!("computed.{name}"), expression, &known)?;
        }
        known.extend(rules.computed.iter().map(|(name, _)| name.clone()));
        let mut source = String::new();
        let mut set = Vec::new();
        let mut assign = |name: &str, expression: &str| {
            source.push_str(&set_block(name, expression));
            set.push(name.to_owned());
        };
        for (name, expression) in &rules.computed {
            assign(name, expression);
        }
        let each_choice = match &rules.choices {
            Some(Choices::Each(expression)) => Some(expression),
            _ => None,
        };
        // the answer comes last, since it may take the name of a field that others read
        let rest = [
            ("filter", rules.filter.as_ref()),
            ("choices", each_choice),
            ("references", rules.references.as_ref()),
            ("answer", rules.answer.as_ref()),
        ];
        for (name, expression) in rest {
            let Some(expression) = expression else { continue };
            check(name, expression, &known)?;
            assign(name, expression);
        }
        let add = |environment: &mut Environment<'static>, name: &'static str, source: String| {
            let added = environment.add_template_owned(name, source);
            added.map_err(|error| ExpressionFault { key: name.to_owned(), message: message(&error) })
        };
        if let Some(each) = &rules.each {
            add(&mut environment, EACH, set_block(EACH, each))?;
        }
        add(&mut environment, VALUES, source)?;
        Ok(Self { environment, fields: rules.fields.clone(), set, each: rules.each.is_some() })
    }

    /// The examples that a row makes: itself, or itself with each of its items.
    ///
    /// # Errors
    /// A field that is missing, or a list of items that is none: what is wrong, in words.
    pub fn items(&self, object: Object) -> Result<Vec<Object>, String> {
        if let Some(missing) = self.fields.iter().find(|field| !object.contains_key(*field)) {
            return Err(format!("there is no `{missing}`"));
        }
        if !self.each {
            return Ok(vec![object]);
        }
        let (_, mut found) = self.evaluate(EACH, &object, &[EACH.to_owned()])?;
        let items = found.pop().and_then(|items| items.try_iter().ok()).ok_or("`each` gives no list")?;
        items
            .map(|item| {
                let item = serde_json::to_value(&item).map_err(|error| format!("`each`: {error}"))?;
                let mut object = object.clone();
                object.insert(ITEM.to_owned(), item);
                Ok(object)
            })
            .collect()
    }

    /// What an example means; none for one that is not wanted.
    ///
    /// # Errors
    /// An expression that cannot be evaluated, or an answer that is none of the choices: what is wrong, in words.
    pub fn values(&self, rules: &ExampleRules, object: &Object) -> Result<Option<Values>, String> {
        let (mut known, found) = self.evaluate(VALUES, object, &self.set)?;
        known.extend(self.set.iter().cloned().zip(found));
        if known.remove("filter").is_some_and(|filter| rules.filter.is_some() && !filter.is_true()) {
            return Ok(None);
        }
        let choices = match &rules.choices {
            None => vec![],
            Some(Choices::Fixed(choices)) => choices.clone(),
            Some(Choices::Each(_)) => texts(known.get("choices"), "choices")?,
        };
        if rules.choices.is_some() && choices.is_empty() {
            return Err("`choices` gives none".to_owned());
        }
        let (answer, answer_number) = match known.get("answer").filter(|_| rules.answer.is_some()) {
            Some(answered) if answered.is_undefined() || answered.is_none() => {
                return Err("`answer` gives nothing".to_owned());
            }
            Some(answered) => answer(answered, &choices)?,
            None => (String::new(), None),
        };
        let references = match &rules.references {
            Some(_) => texts(known.get("references"), "references")?,
            None if answer.is_empty() => vec![],
            None => vec![answer.clone()],
        };
        if rules.answer.is_some() {
            known.insert("answer".to_owned(), Value::from(answer.as_str()));
        }
        known.insert("references".to_owned(), Value::from(references.clone()));
        if rules.choices.is_some() {
            let options: String = choices.iter().map(|choice| format!("\n- {choice}")).collect();
            known.insert("options".to_owned(), Value::from(format!("OPTIONS:{options}")));
            known.insert("choices".to_owned(), Value::from(choices.clone()));
            known.insert("answer_number".to_owned(), Value::from(answer_number));
        }
        Ok(Some(Values { known, choices, answer, answer_number, references }))
    }

    /// All that is known of an object, and the values of `names` once a template has set them.
    fn evaluate(
        &self,
        template: &str,
        object: &Object,
        names: &[String],
    ) -> Result<(BTreeMap<String, Value>, Vec<Value>), String> {
        let row = Value::from(Serde(object));
        // the fields share the memory of the row
        let field = |name: &String| row.get_attr(name).map(|value| (name.clone(), value));
        let fields = object.keys().map(field).collect::<Result<BTreeMap<_, _>, _>>();
        let mut known = fields.map_err(|error| message(&error))?;
        known.insert(ROW.to_owned(), row);
        let template = self.environment.get_template(template).map_err(|error| message(&error))?;
        let captured = template.render_captured(Value::from(known.clone())).map_err(|error| message(&error))?;
        let found = names.iter().map(|name| captured.state().lookup(name).unwrap_or_default()).collect();
        Ok((known, found))
    }
}

/// A template that gives a value to a name.
fn set_block(name: &str, expression: &str) -> String {
    format!("{{% set {name} = {expression} %}}")
}

/// The names that templates may use.
#[must_use]
pub fn known_names(rules: &ExampleRules) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = rules.fields.iter().cloned().collect();
    known.extend(rules.computed.iter().map(|(name, _)| name.clone()));
    known.extend([ROW, "references"].map(str::to_owned));
    if rules.answer.is_some() {
        known.insert("answer".to_owned());
    }
    if rules.choices.is_some() {
        known.extend(["choices", "options", "answer_number"].map(str::to_owned));
    }
    if rules.each.is_some() {
        known.insert(ITEM.to_owned());
    }
    known
}

/// The right answer and, among choices, its number.
fn answer(answered: &Value, choices: &[String]) -> Result<(String, Option<usize>), String> {
    if choices.is_empty() {
        return Ok((text(answered), None));
    }
    let number = match answered.as_i64().filter(|_| answered.is_number()) {
        Some(number) => usize::try_from(number).ok().filter(|number| *number < choices.len()),
        None => choices.iter().position(|choice| *choice == text(answered)),
    };
    match number {
        Some(number) => Ok((choices[number].clone(), Some(number))),
        None => Err(format!("the answer {} is none of the choices {choices:?}", serde_json::json!(text(answered)))),
    }
}

/// A value as it stands in a text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A list of texts.
fn texts(value: Option<&Value>, key: &str) -> Result<Vec<String>, String> {
    let list = value.and_then(|value| value.try_iter().ok()).ok_or_else(|| format!("`{key}` gives no list"))?;
    Ok(list.map(|value| text(&value)).collect())
}
