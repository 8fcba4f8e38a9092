//! docs/model.md quotes every message of the wrong programs in `ui/fail`, and quotes it as it is.

use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The first column of the tables of the last section.
fn quotes() -> Vec<String> {
    let path = Path::new(ROOT).join("../../docs/model.md");
    let reference = fs::read_to_string(path).expect("the reference");
    let (_, section) = reference
        .split_once("\n## What it says")
        .expect("the reference has a section on messages");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let ["", says, _, _, ""] = row.split('|').collect::<Vec<_>>()[..] else {
            panic!("three cells: {row}")
        };
        plain(says)
    })
    .collect()
}

/// The first lines of all messages, without the word `error` and its code.
fn messages() -> Vec<String> {
    let files = fs::read_dir(Path::new(ROOT).join("tests/ui/fail")).expect("the wrong programs");
    let paths = files.map(|file| file.expect("a file").path());
    let said = paths.filter(|path| path.extension().is_some_and(|end| end == "stderr"));
    said.flat_map(|path| {
        let text = fs::read_to_string(path).expect("what the compiler says");
        let errors = text.lines().filter_map(|line| line.strip_prefix("error"));
        let messages = errors.filter_map(|error| Some(plain(error.split_once(": ")?.1)));
        messages.collect::<Vec<_>>()
    })
    .collect()
}

/// Without backticks, which in a table fence the message too, and without the path of types.
fn plain(text: &str) -> String {
    let text = text.replace('`', "").replace("plywood::prelude::", "");
    text.trim().to_owned()
}

/// Whether the quote is of this whole message, with `…` for any part of it.
fn is_of(quote: &str, message: &str) -> bool {
    let Some((start, end)) = quote.split_once('…') else {
        return quote == message;
    };
    message.strip_prefix(start).is_some_and(|rest| {
        let mut ends = (0..=rest.len()).filter_map(|at| rest.get(at..));
        ends.any(|rest| is_of(end, rest))
    })
}

#[test]
fn quotes_are_of_messages() {
    let messages = messages();
    for quote in quotes() {
        let is_said = messages.iter().any(|message| is_of(&quote, message));
        assert!(is_said, "nothing says: {quote}");
    }
}

#[test]
fn messages_are_quoted() {
    let quotes = quotes();
    for message in messages() {
        let is_quoted = quotes.iter().any(|quote| is_of(quote, &message));
        assert!(is_quoted, "docs/model.md has no row for: {message}");
    }
}
