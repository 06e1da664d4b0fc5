//! `train serve`: the address is printed once the server is ready; with the first signal it takes no further requests, finishes those that
//! run, and ends.

use std::{
    env,
    ffi::OsString,
    fs,
    net::{IpAddr, Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{anyhow, bail};
use clap::Args;
use schemas::size::Size;

use super::{answer::As, printer::Printer, search::FindArgs, signals};
use crate::{
    checkpoint::Which,
    error::Error,
    generate::continuous::BatchLimits,
    inference::WeightFormat,
    program::serve::{ServeOptions, ServedAnswers, Server},
    retrieve::{AnswerConfig, IndexPlace},
    serve::{MOST_PASSAGES, ServeLimits},
};

/// The variable of the environment that has the key.
const KEY: &str = "TAMIS_API_KEY";

/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Threads that wait for clients: they compute nothing.
const WAITING_THREADS: usize = 2;

/// Threads that read requests and turn text into ids.
const READING_THREADS: usize = 4;

/// Answer requests over HTTP, as OpenAI's completions and chat clients ask them.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The output folder of a training, or a folder of Hugging Face.
    model: PathBuf,
    /// The address; with another than this machine's own, everyone who reaches it may ask.
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST.into())]
    host: IpAddr,
    /// The port; 0 for any that is free.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// What the model is called [default: as its folder].
    #[arg(long)]
    name: Option<String>,
    /// How weights are held: `f32`, `bf16` or `int8`.
    #[arg(long, value_name = "FORMAT", default_value = "f32", value_parser = weights)]
    weights: WeightFormat,
    /// Use the checkpoint with the best evaluation, instead of the newest.
    #[arg(long)]
    best: bool,
    /// A file with a chat template, or `plain` [default: the model's own].
    #[arg(long, value_name = "FILE")]
    chat_template: Option<PathBuf>,
    /// A file with the key that clients have to send; the variable `TAMIS_API_KEY` may have it instead [default: none is asked for].
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Texts that are generated at once.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = one_or_more, help_heading = "Limits")]
    sequences: usize,
    /// Tokens of prompts and texts that go through the model in a step, about.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = one_or_more, help_heading = "Limits")]
    step_tokens: usize,
    /// Memory of keys and values, those of shared prefixes among them.
    #[arg(long, value_name = "SIZE", default_value = "1G", help_heading = "Limits")]
    cache: Size,
    /// Texts that may wait beside those; who asks for more is told to come again.
    #[arg(long, value_name = "N", default_value_t = 256, help_heading = "Limits")]
    queue: usize,
    #[command(flatten)]
    answers: AnswersArgs,
    /// The most new tokens of a text [default: the model's context].
    #[arg(long, value_name = "N", value_parser = one_or_more, help_heading = "Limits")]
    max_tokens: Option<usize>,
    /// The largest body of a request.
    #[arg(long, value_name = "SIZE", default_value = "8M", help_heading = "Limits")]
    max_body: Size,
    /// Seconds that an answer may take; running ones have as long when the server ends.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    timeout: u32,
}

/// Answers from an index.
#[derive(Debug, Args)]
#[command(next_help_heading = "Answers")]
struct AnswersArgs {
    /// An index, a folder or an address of PostgreSQL: questions are answered from it at `/v1/answers`, and on a page in the browser.
    #[arg(long, value_name = "INDEX")]
    answers: Option<IndexPlace>,
    /// Passages of an answer where a request says nothing.
    #[arg(long, value_name = "N", default_value_t = 3, requires = "answers")]
    k: usize,
    /// How passages become an answer where a request says nothing.
    #[arg(long = "as", value_enum, default_value = "prompt", requires = "answers")]
    combining: As,
    /// A file with another template, in Jinja, of `question` and `passages`.
    #[arg(long, value_name = "FILE", requires = "answers")]
    template: Option<PathBuf>,
    /// Ask in a turn of a conversation, by the chat template.
    #[arg(long, requires = "answers")]
    chat: bool,
    /// The most tokens of an answer where a request says nothing.
    #[arg(long, value_name = "N", default_value_t = 32, requires = "answers")]
    tokens: usize,
    #[command(flatten)]
    find: FindArgs,
}

impl AnswersArgs {
    fn options(self) -> anyhow::Result<Option<ServedAnswers>> {
        let Self { answers, k, combining, template, chat, tokens, find } = self;
        let Some(index) = answers else { return Ok(None) };
        if tokens == 0 {
            bail!("--tokens: it has to be 1 or more");
        }
        if k > MOST_PASSAGES {
            bail!("--k: it is {MOST_PASSAGES} at most");
        }
        let config = AnswerConfig { combining: combining.into(), max_new_tokens: tokens, stop: vec!["\n".into()] };
        let template = super::answer::template(template.as_deref())?;
        Ok(Some(ServedAnswers { search: find.options(index, k)?, config, template, chat }))
    }
}

impl ServeArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<ExitCode> {
        let api_key = api_key(self.api_key_file.as_deref(), env::var_os(KEY))?;
        if !self.host.is_loopback() && api_key.is_none() {
            printer.note(format_args!("without a key, whoever reaches {} may ask", self.host));
        }
        // an address that is taken should not be told of after a long wait
        let listener = TcpListener::bind((self.host, self.port))
            .map_err(|error| anyhow!("cannot listen on {} at port {}: {error}", self.host, self.port))?;
        let address = listener.local_addr()?;
        let time = Duration::from_secs(self.timeout.into());
        let options = ServeOptions {
            folder: self.model,
            which: if self.best { Which::Best } else { Which::Newest },
            weights: self.weights,
            name: self.name,
            chat_template: self.chat_template,
            batch: BatchLimits { step_tokens: self.step_tokens, sequences: self.sequences, cache_bytes: self.cache.0 },
            queue: self.queue,
            limits: ServeLimits {
                max_tokens: self.max_tokens,
                body: self.max_body.0,
                body_time: BODY_TIME.min(time),
                time,
                end_time: time,
                api_key,
            },
            answers: self.answers.options()?,
        };
        let server = Server::open(options, &mut |text| printer.note(text))?;
        printer.note(format_args!("serving {}", server.name()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WAITING_THREADS)
            .max_blocking_threads(READING_THREADS)
            .enable_all()
            .build()?;
        let served = runtime.block_on(async {
            let ending = signals::ending(printer)?;
            printer.result(format_args!("http://{address}"));
            server.run(listener, ending).await
        });
        // what is still read for clients that are gone is not waited for
        runtime.shutdown_background();
        served?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The key that clients have to send, if one is asked for: a command line would show it to everyone on the machine.
fn api_key(file: Option<&Path>, variable: Option<OsString>) -> anyhow::Result<Option<String>> {
    let (key, place) = match (file, variable) {
        (Some(path), _) => {
            let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
            (text, path.display().to_string())
        }
        (None, Some(variable)) => (variable.into_string().map_err(|_| anyhow!("{KEY} is not UTF-8"))?, KEY.to_owned()),
        (None, None) => return Ok(None),
    };
    match key.trim() {
        "" => bail!("{place} has no key: it is empty"),
        key if key.contains(|sign: char| !sign.is_ascii_graphic()) => {
            bail!("{place} has a key with blanks, or signs that no header can have")
        }
        key => Ok(Some(key.to_owned())),
    }
}

fn weights(name: &str) -> Result<WeightFormat, String> {
    let found = WeightFormat::ALL.into_iter().find(|format| format.name() == name);
    found.ok_or_else(|| format!("expected {}", WeightFormat::ALL.map(WeightFormat::name).join(", ")))
}

fn one_or_more(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|_| "expected a whole number".to_owned())?;
    if number > 0 { Ok(number) } else { Err("expected 1 or more".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_from_a_file_or_the_environment() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("key");
        let of = |text: &str, variable: Option<&str>| {
            fs::write(&path, text).expect("it can be written");
            api_key(Some(&path), variable.map(OsString::from)).map_err(|error| error.to_string())
        };
        assert_eq!(of("secret\n", Some("other")), Ok(Some("secret".into())));
        assert!(of("\n", None).expect_err("it is empty").contains("key has no key"));
        assert!(of("a b", None).expect_err("it has a blank").contains("blanks"));
        assert_eq!(api_key(None, Some("other".into())).ok(), Some(Some("other".into())));
        assert_eq!(api_key(None, None).ok(), Some(None));
    }
}
