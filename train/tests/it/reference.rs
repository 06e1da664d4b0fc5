//! The references of configurations, which follow from the types.

use crate::support::train;

#[test]
fn the_reference_has_every_key() {
    let printed = train(&["schema", "pretrain", "--markdown"]);
    assert!(printed.status.success());
    fixtures::reference::hold("pretrain", &String::from_utf8(printed.stdout).expect("the reference is UTF-8"));
}
