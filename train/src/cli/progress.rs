//! What is shown of a training: a dashboard or a bar on a terminal, lines elsewhere, events for machines.

use std::{
    io::{self, IsTerminal as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressStyle};
use schemas::progress::Told;

use super::{dashboard::Dashboard, printer::Printer};
use crate::trainer::{Evaluation, GeneratedSample, Progress, SpikeEvent, StepStats};

/// Shows a training on a terminal, or as lines.
pub struct ProgressDisplay<'p> {
    printer: &'p Printer,
    signalled: Arc<AtomicBool>,
    plain: bool,
    name: String,
    steps: u64,
    view: View,
}

enum View {
    Lines,
    Events,
    Bar(ProgressBar),
    Dashboard(Box<Dashboard>),
}

impl<'p> ProgressDisplay<'p> {
    /// The display of a training of that name; a signal stops it.
    pub fn new(printer: &'p Printer, signalled: Arc<AtomicBool>, plain: bool, name: &str) -> Self {
        let view = if printer.is_json() { View::Events } else { View::Lines };
        Self { printer, signalled, plain, name: name.to_owned(), steps: 0, view }
    }

    /// Gives the terminal back, and says what waited for it; lines and events go on.
    fn close(&mut self) {
        if matches!(self.view, View::Lines | View::Events) {
            return;
        }
        match std::mem::replace(&mut self.view, View::Lines) {
            View::Lines | View::Events => {}
            View::Bar(bar) => bar.finish_and_clear(),
            View::Dashboard(dashboard) => dashboard.close().into_iter().for_each(|line| self.printer.note(line)),
        }
    }

    fn line(&mut self, line: String) {
        match &mut self.view {
            // what the line is about has been told as an event
            View::Events => {}
            View::Lines => self.printer.note(line),
            View::Bar(bar) => bar.suspend(|| self.printer.note(line)),
            View::Dashboard(dashboard) => dashboard.keep(line),
        }
    }
}

impl Progress for ProgressDisplay<'_> {
    /// From here on a terminal shows how far the training has come.
    fn on_start(&mut self, steps: u64) {
        self.steps = steps;
        // there may have been a training before
        self.close();
        if self.plain || self.printer.is_json() || self.printer.is_quiet() || !io::stderr().is_terminal() {
            return;
        }
        // the dashboard is drawn on standard output
        self.view = if io::stdout().is_terminal() {
            View::Dashboard(Box::new(Dashboard::open(&self.name, steps)))
        } else {
            let style = ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}").expect("the template is sound");
            View::Bar(ProgressBar::new(steps).with_style(style))
        };
    }

    fn on_step(&mut self, stats: &StepStats) {
        self.printer.tell("step", stats);
        let StepStats { step, loss, learning_rate, gradient_norm, tokens, .. } = stats;
        let parts = stats.parts.iter().map(|(name, value)| format!("  {} {value:.4}", name.replace('_', " ")));
        let parts: String = parts.collect();
        let utilization = stats.model_flops_utilization;
        let utilization = utilization.map(|share| format!("  {:.1} % of peak", 100.0 * share)).unwrap_or_default();
        let message = format!(
            "loss {loss:.4}{parts}  norm {gradient_norm:.3}  rate {learning_rate:.2e}  {tokens} tokens  {:.0} tokens/s\
             {utilization}  {} left",
            stats.tokens_per_second,
            clock(stats.seconds_left)
        );
        match &mut self.view {
            View::Events => {}
            View::Lines => self.printer.note(format_args!("step {step:>6}/{}  {message}", self.steps)),
            View::Bar(bar) => {
                bar.set_position(*step);
                bar.set_message(message);
            }
            View::Dashboard(dashboard) => dashboard.on_step(stats),
        }
    }

    fn on_evaluation(&mut self, evaluation: &Evaluation) {
        self.printer.tell("evaluation", evaluation);
        if let View::Dashboard(dashboard) = &mut self.view {
            dashboard.on_evaluation(evaluation);
        }
        let Evaluation { step, scores } = evaluation;
        self.line(format!("step {step:>6}  {}", scores.said()));
    }

    fn on_sample(&mut self, sample: &GeneratedSample) {
        self.printer.tell("sample", sample);
        let GeneratedSample { step, prompt, text } = sample;
        self.line(format!("step {step:>6}  {:?}", format!("{prompt}{text}")));
    }

    fn on_spike(&mut self, event: &SpikeEvent) {
        self.printer.tell("spike", event);
        if let View::Dashboard(dashboard) = &mut self.view {
            dashboard.on_spike(event);
        }
        self.line(event.message());
    }

    fn note(&mut self, text: &str) {
        self.printer.tell("note", &Told { text });
        self.line(text.to_owned());
    }

    fn should_stop(&self) -> bool {
        let quit = matches!(&self.view, View::Dashboard(dashboard) if dashboard.should_stop());
        quit || self.signalled.load(Ordering::Relaxed)
    }
}

impl Drop for ProgressDisplay<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Seconds as minutes and seconds.
fn clock(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time to show")]
    let seconds = seconds.max(0.0) as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
