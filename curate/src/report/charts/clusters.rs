//! How large clusters are.

use plotly::{Bar, Plot, common::Marker, layout::AxisType};

use super::{Chart, KEPT, layout, numbers, powers, without_legend};
use crate::report::{findings::Clusters, numbers::grouped};

/// Clusters by size, both on scales of powers.
pub fn cluster_sizes(clusters: &Clusters) -> Option<Chart> {
    let (largest, _) = clusters.sizes.last_key_value()?;
    let bins: Vec<u32> = (1..=*largest).collect();
    let names: Vec<String> = bins.iter().map(|bin| size(*bin)).collect();
    let counts: Vec<f64> = bins.iter().map(|bin| clusters.sizes.get(bin).copied().unwrap_or_default() as f64).collect();
    let said: Vec<String> =
        clusters.sizes.iter().map(|(bin, count)| format!("{} of {} documents", grouped(*count), size(*bin))).collect();
    let mut plot = Plot::new();
    plot.add_trace(Bar::new(names, counts).marker(Marker::new().color(KEPT)));
    let horizontal = numbers("documents in a cluster").type_(AxisType::Category).show_grid(false);
    let vertical = powers("clusters", clusters.sizes.values().copied().max().unwrap_or_default() as f64);
    let label = format!("Bars: clusters by size, on a scale of powers of ten. {}.", said.join(", "));
    Some(Chart::new("clusters-chart", label, 260, without_legend(layout(horizontal, vertical)), plot))
}

/// The sizes of a bin.
pub fn size(bin: u32) -> String {
    format!("{}–{}", grouped(1 << bin), grouped((2 << bin) - 1))
}
