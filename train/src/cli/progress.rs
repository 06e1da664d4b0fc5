//! What is shown of a training: a dashboard or a bar on a terminal, lines elsewhere.

use std::{
    io::{self, IsTerminal as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{dashboard::Dashboard, printer::Printer};
use crate::trainer::{Evaluated, Progress, Sampled, Spiked, Stepped};

/// Watches a training.
pub struct Watching<'p> {
    printer: &'p Printer,
    signalled: Arc<AtomicBool>,
    steps: u64,
    view: View,
}

enum View {
    Lines,
    Bar(ProgressBar),
    Dashboard(Box<Dashboard>),
}

impl<'p> Watching<'p> {
    /// Watches a training of so many steps, until a signal comes.
    pub fn new(printer: &'p Printer, signalled: Arc<AtomicBool>, plain: bool, steps: u64, name: &str) -> Self {
        let view = match (io::stderr().is_terminal(), io::stdout().is_terminal()) {
            _ if printer.is_quiet() => View::Lines,
            // the dashboard is drawn on standard output
            (true, true) if !plain => View::Dashboard(Box::new(Dashboard::open(name, steps))),
            (true, _) if !plain => {
                let style = ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}").expect("the template is sound");
                View::Bar(ProgressBar::new(steps).with_style(style))
            }
            _ => View::Lines,
        };
        Self { printer, signalled, steps, view }
    }

    fn line(&mut self, line: String) {
        match &mut self.view {
            View::Lines => self.printer.note(line),
            View::Bar(bar) => bar.suspend(|| self.printer.note(line)),
            View::Dashboard(dashboard) => dashboard.keep(line),
        }
    }
}

impl Progress for Watching<'_> {
    fn stepped(&mut self, stepped: &Stepped) {
        let Stepped { step, loss, learning_rate, gradient_norm, tokens, .. } = stepped;
        let utilization = stepped.model_flops_utilization;
        let utilization = utilization.map(|share| format!("  {:.1} % of peak", 100.0 * share)).unwrap_or_default();
        let message = format!(
            "loss {loss:.4}  norm {gradient_norm:.3}  rate {learning_rate:.2e}  {tokens} tokens  {:.0} tokens/s\
             {utilization}  {} left",
            stepped.tokens_per_second,
            clock(stepped.seconds_left)
        );
        match &mut self.view {
            View::Lines => self.printer.note(format_args!("step {step:>6}/{}  {message}", self.steps)),
            View::Bar(bar) => {
                bar.set_position(*step);
                bar.set_message(message);
            }
            View::Dashboard(dashboard) => dashboard.stepped(stepped),
        }
    }

    fn evaluated(&mut self, evaluated: &Evaluated) {
        if let View::Dashboard(dashboard) = &mut self.view {
            dashboard.evaluated(evaluated);
        }
        let Evaluated { step, validation_loss, validation_perplexity, validation_bits_per_byte, held_out, .. } =
            evaluated;
        let bits = validation_bits_per_byte.map(|bits| format!(", {bits:.4} bits a byte")).unwrap_or_default();
        let others: String = held_out.iter().map(|(name, loss)| format!(", {name} {loss:.4}")).collect();
        self.line(format!(
            "step {step:>6}  validation loss {validation_loss:.4}, perplexity {validation_perplexity:.2}{bits}{others}"
        ));
    }

    fn sampled(&mut self, sampled: &Sampled) {
        let Sampled { step, prompt, text } = sampled;
        self.line(format!("step {step:>6}  {:?}", format!("{prompt}{text}")));
    }

    fn spiked(&mut self, spiked: &Spiked) {
        if let View::Dashboard(dashboard) = &mut self.view {
            dashboard.spiked(spiked);
        }
        self.line(spiked.message());
    }

    fn note(&mut self, text: &str) {
        self.line(text.to_owned());
    }

    fn wants_to_end(&self) -> bool {
        let quit = matches!(&self.view, View::Dashboard(dashboard) if dashboard.wants_to_end());
        quit || self.signalled.load(Ordering::Relaxed)
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.view, View::Lines) {
            View::Lines => {}
            View::Bar(bar) => bar.finish_and_clear(),
            View::Dashboard(dashboard) => dashboard.close().into_iter().for_each(|line| self.printer.note(line)),
        }
    }
}

/// Seconds as minutes and seconds.
fn clock(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time to show")]
    let seconds = seconds.max(0.0) as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
