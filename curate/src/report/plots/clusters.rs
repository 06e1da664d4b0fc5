//! How large clusters are.

use pages::{
    charts::{Arrangement, Bars, Chart, Colour},
    numbers::grouped,
};

use super::{counted, powers, row};
use crate::report::findings::Clusters;

/// Clusters by size, both on scales of powers.
pub fn cluster_sizes(clusters: &Clusters) -> Option<Chart> {
    let (largest, _) = clusters.sizes.last_key_value()?;
    let said: Vec<String> =
        clusters.sizes.iter().map(|(bin, count)| format!("{} of {}", grouped(*count), size(*bin))).collect();
    let label = format!("Bars: clusters by size, on a scale of powers of ten. {}.", said.join(", "));
    let of_bin = |bin: u32| {
        let count = clusters.sizes.get(&bin).copied().unwrap_or_default();
        row(&size(bin), vec![counted("clusters", count, Colour::Kept)])
    };
    let most = clusters.sizes.values().copied().max().unwrap_or_default();
    let rows = (1..=*largest).map(of_bin).collect();
    let bars = Bars { axis: powers("clusters", most), arrangement: Arrangement::Grouped, rows };
    Some(Chart::of_bars("clusters-chart", label, &bars))
}

/// The sizes of a bin.
fn size(bin: u32) -> String {
    format!("{}–{} documents", grouped(1 << bin), grouped((2 << bin) - 1))
}
