//! Examples put into words, with what they show of others.

use std::{path::PathBuf, sync::OnceLock};

use schemas::{
    examples::{Object, Values},
    prompt::{Demonstrations, Rendered, Renderer},
    task::{Form, Parts, Task},
};
use serde::{Deserialize, Serialize};

use super::{
    negatives::{Asked, NegativePool, Negatives, PoolPassage},
    pool::{PoolRow, read_pool},
};
use crate::{
    error::{Error, Result},
    text::draw::{draw_of, drawn_order},
};

/// How the examples of a task become rows of a mixture: data alone, so that a plan that holds it can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rendering {
    /// The task, with the templates that are wanted.
    pub task: Task,
    /// The recipe's seed.
    pub seed: u64,
    /// The mixture.
    pub mixture: String,
    /// Examples with their answers, before each prompt.
    pub demonstrations: Option<Demonstrations>,
    /// For retrieval: passages of other examples, for each question.
    pub negatives: Negatives,
    /// The examples that others may show.
    pub pool: Option<PathBuf>,
}

impl Rendering {
    /// The form of the rows, which all templates have.
    #[must_use]
    pub fn form(&self) -> Form {
        self.task.templates[0].parts.form()
    }
}

/// A row of a mixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedRow {
    /// The example in the template's words, with what it shows of others before the prompt.
    pub parts: Parts,
    /// For sequences: the number of the right choice.
    pub label: Option<usize>,
    /// For retrieval: the passages of other examples.
    pub negatives: Vec<String>,
}

/// Which row is rendered.
#[derive(Debug, Clone, Copy)]
pub struct RowKey<'k> {
    /// The example's id.
    pub id: &'k str,
    /// The cluster of examples that it is in, or its id.
    pub group: &'k str,
    /// The number of its template.
    pub template: usize,
    /// The number of its copy.
    pub copy: u32,
}

/// Renders the examples of one task.
#[derive(Debug)]
pub struct TaskRenderer {
    rendering: Rendering,
    renderer: Renderer,
    pool: Vec<PoolExample>,
    /// The pool in the words of each template, once they are wanted.
    shown: Vec<OnceLock<Parts>>,
    /// The pool's passages in the words of each template, where rows have negatives.
    negatives: Vec<NegativePool>,
}

/// An example of the pool.
#[derive(Debug)]
struct PoolExample {
    id: String,
    group: String,
    values: Values,
}

impl TaskRenderer {
    /// Compiles the templates and reads the pool.
    ///
    /// # Errors
    /// When the pool cannot be read.
    pub fn new(rendering: Rendering) -> Result<Self> {
        let pool = rendering.pool.as_deref().map(read_pool).transpose()?.unwrap_or_default();
        Self::with_pool(rendering, &pool)
    }

    /// The same with examples at hand.
    ///
    /// # Errors
    /// When one of them means nothing to the task.
    pub fn with_pool(rendering: Rendering, pool: &[PoolRow]) -> Result<Self> {
        let renderer = Renderer::new(&rendering.task)
            .unwrap_or_else(|fault| unreachable!("the templates of `{}` were checked: {fault:?}", rendering.task.name));
        let mut known = Vec::new();
        for PoolRow { id, group, text, .. } in pool {
            let values = values(&renderer, &rendering.task, text)?;
            known.extend(values.map(|values| PoolExample { id: id.clone(), group: group.clone(), values }));
        }
        let templates = rendering.task.templates.len();
        let shown = (0..known.len() * templates).map(|_| OnceLock::new()).collect();
        let mut ready = Self { rendering, renderer, pool: known, shown, negatives: Vec::new() };
        if ready.rendering.negatives.count() > 0 {
            ready.negatives = (0..templates).map(|template| ready.negative_pool(template)).collect::<Result<_>>()?;
        }
        Ok(ready)
    }

    /// What an example means, which is a JSON object.
    ///
    /// # Errors
    /// When it means nothing to the task.
    pub fn values(&self, text: &str) -> Result<Values> {
        let task = &self.rendering.task;
        values(&self.renderer, task, text)?.ok_or_else(|| left_out(task))
    }

    /// Renders an example.
    ///
    /// # Errors
    /// When a template cannot render it, or what it shows.
    pub fn row(&self, key: RowKey<'_>, values: &Values) -> Result<RenderedRow> {
        let task = &self.rendering.task;
        let Rendered { parts, label } = self.renderer.render(task, key.template, values)?;
        let mut negatives = Vec::new();
        if let (Parts::Retrieval { query, positive }, Some(pool)) = (&parts, self.negatives.get(key.template)) {
            let asked = Asked { query, positive, group: key.group };
            negatives = pool.choose(asked, |turn| self.draw(key, "negative", turn));
        }
        let preamble = &task.templates[key.template].preamble;
        let none = Demonstrations::fixed(0);
        let demonstrations = self.rendering.demonstrations.as_ref().unwrap_or(&none);
        let count = demonstrations.count(self.draw(key, "demonstrations", 0));
        let mut shown = Vec::new();
        if count > 0 {
            let others = drawn_order(self.pool.len(), |turn| self.draw(key, "demonstration", turn));
            let others = others.filter(|number| self.pool[*number].id != key.id).take(count as usize);
            shown = others.map(|number| self.shown(key.template, number)).collect::<Result<Vec<_>>>()?;
        }
        let parts = demonstrations.before(preamble, shown, parts);
        Ok(RenderedRow { parts, label, negatives })
    }

    /// The passages of the pool in the words of a template.
    fn negative_pool(&self, template: usize) -> Result<NegativePool> {
        let mut passages = Vec::with_capacity(self.pool.len());
        for (number, PoolExample { group, .. }) in self.pool.iter().enumerate() {
            if let Parts::Retrieval { positive, .. } = self.shown(template, number)? {
                passages.push(PoolPassage { group: group.clone(), text: positive.clone() });
            }
        }
        Ok(NegativePool::new(self.rendering.negatives, passages))
    }

    fn draw(&self, key: RowKey<'_>, purpose: &str, turn: u64) -> u64 {
        let Rendering { task, seed, mixture, .. } = &self.rendering;
        let template = &task.templates[key.template].name;
        let (copy, turn) = (key.copy.to_le_bytes(), turn.to_le_bytes());
        let parts: [&[u8]; 6] =
            [purpose.as_bytes(), mixture.as_bytes(), key.id.as_bytes(), template.as_bytes(), &copy, &turn];
        draw_of(*seed, &parts)
    }

    /// An example of the pool in the words of a template.
    fn shown(&self, template: usize, number: usize) -> Result<&Parts> {
        let cell = &self.shown[template * self.pool.len() + number];
        if let Some(shown) = cell.get() {
            return Ok(shown);
        }
        let rendered = self.renderer.render(&self.rendering.task, template, &self.pool[number].values)?;
        Ok(cell.get_or_init(|| rendered.parts))
    }
}

/// What an object means to a task; none where the task does not want it.
fn values(renderer: &Renderer, task: &Task, text: &str) -> Result<Option<Values>> {
    let object: Object = serde_json::from_str(text)
        .map_err(|error| Error::from(schemas::prompt::RenderError::meaning(task, error.to_string())))?;
    Ok(renderer.values(task, &object)?)
}

fn left_out(task: &Task) -> Error {
    schemas::prompt::RenderError::meaning(task, "the task does not want this example".to_owned()).into()
}
