//! What docs/model.md quotes of the macro's messages is what the macro says.

use std::fs;
use std::path::Path;

/// The messages in the first column of the last table, in parts where something is left out.
fn quoted(reference: &str) -> Vec<Vec<String>> {
    let (_, table) = reference
        .split_once("| it says |")
        .expect("the reference has a table of messages");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| {
        let cell = row.split('|').nth(1).expect("a row has cells").trim();
        // Several messages in a cell are code of their own; code that has backticks itself is fenced by more of them.
        cell.split("``, ``")
            .map(|message| {
                let message = message.trim_matches(|c| c == '`' || c == ' ');
                message
                    .split('…')
                    .map(|part| part.replace('`', "").trim().to_owned())
                    .collect()
            })
            .collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn messages_are_quoted_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = fs::read_to_string(root.join("../../docs/model.md")).expect("the reference");
    let mut said = String::new();
    for entry in fs::read_dir(root.join("tests/ui/fail")).expect("the wrong programs") {
        let path = entry.expect("a file").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "stderr")
        {
            said += &fs::read_to_string(path).expect("a message");
        }
    }
    let said = said.replace('`', "").replace("plywood::prelude::", "");
    let messages = quoted(&reference);
    assert!(messages.len() > 30, "{} messages", messages.len());
    for part in messages.iter().flatten() {
        assert!(said.contains(part.as_str()), "nothing says: {part}");
    }
}
