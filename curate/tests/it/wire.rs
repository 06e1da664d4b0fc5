//! Plans fit for a cluster.

use crate::support::{OUTPUTS, hashes, recipe, run_well, temporary};

/// Every plan of a run goes through the wire format and back, into a session that knows nothing of how it was made; the
/// copy runs, and writes the same bytes.
#[test]
fn every_plan_can_be_sent() {
    let (local, sent) = (temporary(), temporary());
    run_well(&recipe("fixture.toml"), local.path(), &[]);
    run_well(&recipe("fixture.toml"), sent.path(), &["--engine", "rehearsal"]);
    assert_eq!(hashes(local.path(), &OUTPUTS), hashes(sent.path(), &OUTPUTS));
}
