//! `cargo xtask expand`: what `model!` makes of the networks of a file, as Rust to be read.
//!
//! The very compiler of the macro is asked. What comes out is not changed but for its paths, which are absolute for the sake of
//! any scope and are shortened here.

use crate::Outcome;
use plywood_model_compiler::fault::{Fault, Faults};
use plywood_model_compiler::{compile, parse::parse};
use proc_macro2::{TokenStream, TokenTree};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The name of an example, or a Rust file.
    source: String,
    /// The network to be shown; all of the file if it is left out.
    network: Option<String>,
}

/// The beginnings of absolute paths, longest first, and what is left of them.
const SHORTER: [(&str, &str); 7] = [
    (":: plywood :: __private :: layers :: ", ""),
    (":: plywood :: __private :: ", ""),
    (":: core :: option :: Option :: ", ""),
    (":: core :: primitive :: ", ""),
    (":: core :: clone :: ", ""),
    (":: core :: fmt :: ", "fmt :: "),
    (":: core :: panic ! ", "panic ! "),
];

pub(crate) fn run(root: &Path, options: &Options) -> Outcome {
    let path = find(root, &options.source)?;
    let place = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{place}: {error}"))?;
    let tokens: TokenStream = text
        .parse()
        .map_err(|error| format!("{place}: no Rust: {error}"))?;
    let mut networks = Vec::new();
    calls(tokens, &mut networks);
    let mut names = Vec::new();
    for network in networks {
        let mut faults = Faults::default();
        let Some(read) = parse(network.clone(), &mut faults) else {
            let said: Vec<_> = faults.iter().map(Fault::message).collect();
            return Err(format!("{place}: {}", said.join("\n")));
        };
        let name = read.name.to_string();
        if options
            .network
            .as_ref()
            .is_none_or(|wanted| *wanted == name)
        {
            println!("// What `model!` makes of {name}; paths are shortened.\n");
            println!("{}", readable(network)?);
        }
        names.push(name);
    }
    match &options.network {
        None if names.is_empty() => Err(format!("{place} has no `model!`")),
        Some(wanted) if !names.contains(wanted) => Err(format!(
            "{place} has no network {wanted}, but {}",
            names.join(", ")
        )),
        _ => Ok(()),
    }
}

/// A file as it is named, or that of an example.
fn find(root: &Path, source: &str) -> Result<PathBuf, String> {
    let examples = root.join("examples");
    let places = [
        PathBuf::from(source),
        root.join(source),
        examples.join(format!("{source}.rs")),
        examples.join(source).join("main.rs"),
    ];
    let found = places.iter().find(|place| place.is_file()).cloned();
    found.ok_or_else(|| format!("there is no file and no example {source}"))
}

/// What stands in the braces of every `model!`, in order.
fn calls(tokens: TokenStream, networks: &mut Vec<TokenStream>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let is_call = match index.checked_sub(2).map(|before| &tokens[before..index]) {
            Some([TokenTree::Ident(name), TokenTree::Punct(mark)]) => {
                name == "model" && mark.as_char() == '!'
            }
            _ => false,
        };
        if is_call {
            networks.push(group.stream());
        } else {
            calls(group.stream(), networks);
        }
    }
}

fn readable(network: TokenStream) -> Result<String, String> {
    let mut text = compile(network).to_string();
    for (long, short) in SHORTER {
        text = text.replace(long, short);
    }
    let file = syn::parse_file(&without_suffixes(&text))
        .map_err(|error| format!("the expansion is no Rust: {error}"))?;
    Ok(prettyplease::unparse(&file))
}

/// `0usize` as `0`.
fn without_suffixes(text: &str) -> String {
    let mut plain = String::new();
    let mut parts = text.split("usize").peekable();
    while let Some(part) = parts.next() {
        plain.push_str(part);
        let is_suffix = part.ends_with(|last: char| last.is_ascii_digit());
        if parts.peek().is_some() && !is_suffix {
            plain.push_str("usize");
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{calls, readable, without_suffixes};
    use proc_macro2::TokenStream;

    #[test]
    fn networks_are_found_wherever_they_stand() {
        let file = "model! { A: Vector<3> => Logits<2> { Dense(2) } }
            fn inner() { plywood::model! { B: Vector<3> => Logits<2> { Dense(2) } } }
            const MODEL: &str = stringify!(model);";
        let tokens: TokenStream = file.parse().unwrap();
        let mut networks = Vec::new();
        calls(tokens, &mut networks);
        let names: Vec<_> = networks.iter().map(|n| n.to_string().remove(0)).collect();
        assert_eq!(names, ['A', 'B']);
    }

    #[test]
    fn the_expansion_reads_like_written_by_hand() {
        let source = "pub Net: Vector<3> => Logits<2> { Dense(4), Relu, Dense(2) }";
        let text = readable(source.parse().unwrap()).unwrap();
        for line in [
            "const LAYER_0: Dense = Dense::new(4);",
            "let dense_2 = Self::LAYER_2.plan(relu_1.output);",
            "run.forward(0, &Self::STEP_0, input, &mut dense_0, memory.scratch);",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(
            !text.contains("::plywood") && !text.contains("::core"),
            "{text}"
        );
    }

    #[test]
    fn only_suffixes_go() {
        assert_eq!(
            without_suffixes("[usize; 7usize] + 12usize"),
            "[usize; 7] + 12"
        );
    }
}
