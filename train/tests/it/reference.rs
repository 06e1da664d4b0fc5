//! The references of configurations, which follow from the types.

use crate::support::train;

#[test]
fn the_reference_has_every_key() {
    for name in ["pretrain", "tune", "classify", "reward", "dpo", "ppo", "rlhf", "retrieve", "mix", "scale", "compare"]
    {
        let printed = train(&["schema", name, "--markdown"]);
        assert!(printed.status.success());
        fixtures::reference::hold(name, &String::from_utf8(printed.stdout).expect("the reference is UTF-8"));
    }
}
