//! The references of recipes and tasks, which follow from the types.

use crate::support::{curate, stdout};

#[test]
fn the_references_have_every_key() {
    for name in ["recipe", "task"] {
        let printed = curate(&["schema", name, "--markdown"]).output().expect("the program can be started");
        assert!(printed.status.success());
        fixtures::reference::hold(name, &stdout(&printed));
    }
}
