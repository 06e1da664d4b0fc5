//! burn's terminal dashboard: plots of the metrics of a training.
//!
//! It takes the whole terminal, so lines wait until it closes. `q` and then `s` ends the training with a checkpoint, like a signal;
//! `k` kills it. The dashboard counts in epochs: a training is one, and its items are steps.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, IsTerminal as _},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use burn::train::{
    Interrupter,
    logger::TrainingProgressLogger as _,
    metric::{
        MetricAttributes, MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
    },
    renderer::{MetricState, MetricsRenderer as _, MetricsRendererTraining as _, tui::TuiMetricsRendererWrapper},
};
use crossterm::{
    cursor::Show,
    event::DisableMouseCapture,
    execute,
    terminal::{LeaveAlternateScreen, disable_raw_mode},
};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::trainer::{Evaluation, SpikeEvent, StepStats};

/// Whether a dashboard has the terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

const LOSS: &str = "Loss";
const NORM: &str = "Gradient norm";
const RATE: &str = "Learning rate";
const SPEED: &str = "Tokens/s";
const UTILIZATION: &str = "% of peak";

/// A dashboard that has the terminal.
pub struct Dashboard {
    renderer: TuiMetricsRendererWrapper,
    interrupter: Interrupter,
    /// What is plotted so far.
    plots: BTreeSet<String>,
    /// Lines that wait.
    lines: Vec<String>,
}

impl Dashboard {
    /// Takes the terminal.
    pub fn open(name: &str, steps: u64) -> Self {
        let interrupter = Interrupter::new();
        let mut renderer = TuiMetricsRendererWrapper::new(interrupter.clone(), None);
        TAKEN.store(true, Ordering::Relaxed);
        let steps = usize::try_from(steps).unwrap_or(usize::MAX);
        renderer.start(1, 1, Some(steps), Some(name));
        renderer.start_split("train", steps);
        let mut dashboard = Self { renderer, interrupter, plots: BTreeSet::new(), lines: Vec::new() };
        wait_for_registration(&dashboard.register(LOSS, false));
        // without it, `q` is still there
        let _ = signal_keys();
        dashboard
    }

    /// Has something plotted, and says under which name.
    fn register(&mut self, name: &str, higher_is_better: bool) -> Arc<String> {
        let name = Arc::new(name.to_owned());
        if self.plots.insert(name.to_string()) {
            self.renderer.register_metric(MetricDefinition {
                metric_id: MetricId::new(Arc::clone(&name)),
                name: Arc::clone(&name),
                description: None,
                attributes: MetricAttributes::Numeric(NumericAttributes { unit: None, higher_is_better }),
            });
        }
        name
    }

    /// Keeps a line until the terminal is free.
    pub fn keep(&mut self, line: String) {
        self.lines.push(line);
    }

    pub fn on_step(&mut self, stats: &StepStats) {
        let numbers = [
            (LOSS, false, Some(stats.loss)),
            (NORM, false, Some(stats.gradient_norm)),
            (RATE, false, Some(stats.learning_rate)),
            (SPEED, true, Some(stats.tokens_per_second)),
            (UTILIZATION, true, stats.model_flops_utilization.map(|share| 100.0 * share)),
        ];
        for (name, higher_is_better, number) in numbers {
            if let Some(number) = number {
                self.register(name, higher_is_better);
                self.renderer.update_train(state(name, number));
            }
        }
        for (name, value) in &stats.parts {
            self.register(name, false);
            self.renderer.update_train(state(name, *value));
        }
        self.renderer.update_split(usize::try_from(stats.step).unwrap_or(usize::MAX));
    }

    pub fn on_evaluation(&mut self, evaluation: &Evaluation) {
        for score in &evaluation.scores.scores {
            if let Some(name) = score.plot {
                self.register(name, score.higher_is_better);
                self.renderer.update_valid(state(name, score.number()));
            }
        }
    }

    pub fn on_spike(&mut self, _: &SpikeEvent) {
        self.renderer.log_event_training("Spikes".to_owned());
    }

    /// Whether somebody quit.
    pub fn should_stop(&self) -> bool {
        self.interrupter.should_stop()
    }

    /// Gives the terminal back, and the lines that waited.
    pub fn close(self) -> Vec<String> {
        drop(self.renderer);
        TAKEN.store(false, Ordering::Relaxed);
        self.lines
    }
}

fn id(name: &str) -> MetricId {
    MetricId::new(Arc::new(name.to_owned()))
}

fn state(name: &str, number: f64) -> MetricState {
    let shown = if (0.01..1e6).contains(&number.abs()) { format!("{number:.4}") } else { format!("{number:.3e}") };
    let entry = SerializedEntry::new(shown, number.to_string());
    MetricState::Numeric(MetricEntry::new(id(name), entry), number.is_finite().then_some(NumericEntry::Value(number)))
}

/// Waits until the dashboard's own thread has taken a metric's name in: by then it has set the terminal up, which it does not say
/// in any other way.
fn wait_for_registration(name: &Arc<String>) {
    // the definition and its id, on their way, and our own; a dashboard that fails lets go of them
    let start = Instant::now();
    while Arc::strong_count(name) == 3 && start.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a dashboard has the terminal.
pub fn has_terminal() -> bool {
    TAKEN.load(Ordering::Relaxed)
}

/// Lets Ctrl-C send its signal, which the dashboard takes for a key that means nothing.
///
/// The dashboard's own library, crossterm, can only switch to raw mode and back.
fn signal_keys() -> io::Result<()> {
    fn send_signals(terminal: impl AsFd) -> io::Result<()> {
        let mut modes = tcgetattr(&terminal)?;
        modes.local_modes |= LocalModes::ISIG;
        Ok(tcsetattr(&terminal, OptionalActions::Now, &modes)?)
    }
    // where crossterm reads keys, too
    let input = io::stdin();
    if input.is_terminal() { send_signals(input) } else { send_signals(File::open("/dev/tty")?) }
}

/// Frees the terminal where a dashboard cannot do it itself any more: the program is to end next.
pub fn leave_terminal() {
    if has_terminal() {
        // crossterm keeps the modes that the terminal had before the dashboard
        let _ = disable_raw_mode();
        // last, since the dashboard still draws
        let _ = execute!(io::stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    }
}
