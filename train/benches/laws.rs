//! How well laws of a loss by the weights of sources rank mixtures that they have not seen, on RegMix's published runs.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench laws -- DATA/mixing/regmix
//! ```
//!
//! Prints, for each law and number of runs, the rank correlation on Pile-CC at 1M, 60M and 1B parameters, that of the mean of 13 domains at 1M and 1B, and
//! the seconds of one fit.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{env, fs, path::Path, time::Instant};

use rayon::prelude::*;
use train::{
    metrics::spearman,
    mixing::{Law, LawKind},
};

/// The column of Pile-CC among the domains that were judged.
const PILE_CC: usize = 8;

fn main() {
    // cargo adds an option of its own
    let Some(folder) = env::args().skip(1).find(|word| !word.starts_with("--")) else {
        println!("no folder of RegMix's tables is given");
        return;
    };
    let of = |name: &str| table(&Path::new(&folder).join(name));
    let (weights, losses) = (of("train_mixture_1m.csv"), of("train_pile_loss_1m.csv"));
    let held_out = ["1m", "60m", "1B"].map(|size| {
        // the mixtures of 60M are those of 1M
        let mixtures = if size == "1B" { "1B" } else { "1m" };
        (of(&format!("test_mixture_{mixtures}.csv")), of(&format!("test_pile_loss_{size}.csv")))
    });
    println!("{:12} {:>5} {:>22} {:>15} {:>7}", "law", "runs", "Pile-CC", "mean of 13", "s");
    for runs in [64, 128, 512] {
        for kind in LawKind::ALL.into_iter().filter(|kind| kind.least_runs(weights[0].len()) <= runs) {
            let begin = Instant::now();
            let fit = |domain: usize| Law::fit(kind, &weights[..runs], &column(&losses[..runs], domain));
            let own = fit(PILE_CC);
            let seconds = begin.elapsed().as_secs_f64();
            let all: Vec<Law> = (0..losses[0].len()).into_par_iter().map(fit).collect();
            let of_own = held_out.each_ref().map(|(mixtures, reached)| {
                let expected: Vec<f64> = mixtures.iter().map(|mixture| own.predict(mixture)).collect();
                spearman(&expected, &column(reached, PILE_CC))
            });
            let of_mean = [&held_out[0], &held_out[2]].map(|(mixtures, reached)| {
                let expected: Vec<f64> =
                    mixtures.iter().map(|mixture| all.iter().map(|law| law.predict(mixture)).sum()).collect();
                spearman(&expected, &reached.iter().map(|losses| losses.iter().sum()).collect::<Vec<f64>>())
            });
            let shown = |each: &[f64]| each.iter().map(|rank| format!("{rank:7.3}")).collect::<String>();
            println!("{kind:12} {runs:5} {:>22} {:>15} {seconds:7.2}", shown(&of_own), shown(&of_mean));
        }
    }
}

/// The rows of a table of numbers, without its first column.
fn table(path: &Path) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let row = |line: &str| line.split(',').skip(1).map(|cell| cell.parse().expect("a number")).collect();
    text.lines().skip(1).map(row).collect()
}

fn column(rows: &[Vec<f64>], column: usize) -> Vec<f64> {
    rows.iter().map(|row| row[column]).collect()
}
