//! A server of completions, and of answers from an index: the model of a folder is read, put on a thread of its own, and asked over HTTP.

use std::{
    fs,
    future::Future,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{inference_model::ReadyModel, search_thread, searcher::SearchOptions};
use crate::{
    checkpoint::Which,
    error::{Error, Result},
    generate::continuous::BatchLimits,
    inference::WeightFormat,
    retrieve::{AnswerConfig, Answerer},
    serve::{AnswerSource, Engine, EngineThread, ServeLimits, Served, Service, serve},
    tokenizer::{ChatTemplate, PLAIN_NAME, Tokenizer},
};

/// What is served, and how much of it at once.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The output folder of a training, or one of Hugging Face.
    pub folder: PathBuf,
    /// Which checkpoint of a training.
    pub which: Which,
    /// How weights are held.
    pub weights: WeightFormat,
    /// What the model is called; as its folder, where nobody says.
    pub name: Option<String>,
    /// A file with a chat template, or `plain`; the model's own, where nobody says.
    pub chat_template: Option<PathBuf>,
    /// What runs at once.
    pub batch: BatchLimits,
    /// Texts that may wait beside those that run.
    pub queue: usize,
    /// What may be asked for.
    pub limits: ServeLimits,
    /// What questions are answered from, if they are.
    pub answers: Option<ServedAnswers>,
}

/// What questions are answered from, and how.
#[derive(Debug, Clone)]
pub struct ServedAnswers {
    /// The search; `k` is that of requests that say nothing.
    pub search: SearchOptions,
    /// How answers are written where a request says nothing.
    pub config: AnswerConfig,
    /// What the model is asked, in Jinja.
    pub template: String,
    /// Whether it is asked in a turn of a conversation, by its chat template.
    pub chat: bool,
}

/// A server whose model is ready.
#[derive(Debug)]
pub struct Server {
    service: Arc<Service>,
    engine: EngineThread,
}

impl Server {
    /// Reads the model and starts its thread.
    ///
    /// - `note`: is told what one should know
    ///
    /// # Errors
    /// When the folder has no decoder, something of it is missing or damaged, or the chat template cannot be read.
    pub fn open(options: ServeOptions, note: &mut dyn FnMut(&str)) -> Result<Self> {
        let ServeOptions { folder, which, weights, name, chat_template, batch, queue, limits, answers } = options;
        let ReadyModel { model, tokenizer, notes, .. } = ReadyModel::open(&folder, which, weights)?;
        notes.iter().for_each(|text| note(text));
        let template = match &chat_template {
            Some(path) => Some(template_of(path, &tokenizer)?),
            None => ChatTemplate::of(&tokenizer, None)?,
        };
        if let Some(template) = &template {
            template.check()?;
        }
        let (vocab_size, context_length) = (model.vocab_size(), model.context_length());
        let model = Arc::new(model);
        let (engine, thread) =
            Engine::start(Arc::clone(&model), batch, queue).map_err(Error::file("start a thread for", &folder))?;
        let (name, aliases) = names(&folder, name);
        if let Some(answers) = &answers {
            // what is wrong with them is told before anyone asks
            let chat = template.as_ref().filter(|_| answers.chat);
            if answers.chat && chat.is_none() {
                let message = "the model has no chat template: without --chat it goes on with the prompt".into();
                return Err(Error::Data { path: folder, message });
            }
            let answerer = Answerer { model: &model, tokenizer: &tokenizer, chat };
            answerer.prompt(answers.template.clone(), answers.config.max_new_tokens)?;
        }
        let served = Served { name, aliases, tokenizer, template, vocab_size, context_length };
        let mut service = Service::new(served, engine, limits);
        if let Some(ServedAnswers { search, config, template, chat }) = answers {
            let k = search.k;
            let questions = search_thread::start(search)?;
            service = service.with_answers(AnswerSource { model, questions, k, config, template, chat }, queue);
        }
        Ok(Self { service: Arc::new(service), engine: thread })
    }

    /// What the model is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.service.name()
    }

    /// Answers requests until it is told to end, and what runs is finished.
    ///
    /// - `ending`: is ready when it is to end
    ///
    /// # Errors
    /// When the listener cannot be used, or the model's thread has stopped.
    pub async fn run(self, listener: TcpListener, ending: impl Future<Output = ()> + Send) -> std::io::Result<()> {
        serve(listener, self.service, self.engine, ending).await
    }
}

/// What a model is called: by its folder, if nothing else is said; it can also be asked by the path under which it was found.
fn names(folder: &Path, name: Option<String>) -> (String, Vec<String>) {
    let path = folder.display().to_string();
    let of_folder = || {
        let absolute = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        absolute.file_name().map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned())
    };
    match name {
        Some(name) => (name, Vec::new()),
        None => (of_folder(), vec![path]),
    }
}

fn template_of(path: &Path, tokenizer: &Tokenizer) -> Result<ChatTemplate> {
    if path == Path::new(PLAIN_NAME) {
        return ChatTemplate::plain(tokenizer);
    }
    let source = fs::read_to_string(path).map_err(Error::file("read", path))?;
    ChatTemplate::new(path.display().to_string(), source, tokenizer)
}
