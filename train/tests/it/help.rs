//! What every command says of itself, held word by word.

use crate::support::train;

/// `--help` of the program, of each of its commands, and of theirs.
#[test]
fn every_command_says_what_it_takes() {
    let mut all = String::new();
    let mut waiting = vec![vec![]];
    while let Some(path) = waiting.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let output = train(&arguments);
        assert!(output.status.success(), "{path:?}");
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        let commands = help.split("Commands:\n").nth(1).unwrap_or_default().lines();
        // names stand at the third column, what else is said of them further to the right
        let names = commands.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
        let names: Vec<&str> =
            names.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect();
        let of = |name: &&str| path.iter().cloned().chain([(*name).to_owned()]).collect();
        waiting.extend(names.iter().rev().filter(|name| **name != "help").map(of));
        all.extend(["$ train ", &arguments.join(" "), "\n", &help, "\n"]);
    }
    insta::assert_snapshot!(all);
}
