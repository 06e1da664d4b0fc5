//! What every command says of itself, held word by word.

use crate::support::curate;

/// `--help` of the program, of each of its commands, and of theirs.
#[test]
fn every_command_says_what_it_takes() {
    let pages =
        fixtures::help::pages("curate", |arguments| curate(arguments).output().expect("the program can be started"));
    insta::assert_snapshot!(pages);
}
