//! What the parser reads, and what it notes and skips.

use super::parse;
use crate::ast::{Network, Value};
use crate::fault::Faults;

fn read(source: &str) -> (Network, Vec<String>) {
    let mut faults = Faults::default();
    let network = parse(source.parse().unwrap(), &mut faults).unwrap();
    let whats = faults.iter().map(|fault| fault.what.clone()).collect();
    (network, whats)
}

fn list(layers: &str) -> (Network, Vec<String>) {
    read(&format!("pub Net: Vector<4> => Logits<2> {{ {layers} }}"))
}

fn kinds(network: &Network) -> Vec<String> {
    let layers = network.layers.iter();
    layers.map(|layer| layer.kind().to_string()).collect()
}

#[test]
fn a_head_has_attributes_visibility_sizes_and_kinds() {
    let source = "/// Doc.\n #[plywood(crate = ::other)] pub(crate) Net<const N: usize>: Vector<N> => Logits<2> { Relu }";
    let (network, faults) = read(source);
    assert!(faults.is_empty());
    assert_eq!(network.attributes.len(), 1);
    assert_eq!(network.library.segments[0].ident, "other");
    assert_eq!(network.generics.params.len(), 1);
}

#[test]
fn names_paths_arguments_and_blocks_are_told_apart() {
    let (network, faults) = list(
        "first: Conv2d(8, kernel: (3, 5), padding: (top: 1)), my::own::<3>::Layer(1), Scale<2>(x), Bidirectional { Gru(2) }, Concat { { A }, { B, C } },",
    );
    assert!(faults.is_empty(), "{faults:?}");
    let [conv, own, scale, both, concat] = &network.layers[..] else {
        panic!("five layers");
    };
    assert_eq!(conv.name.as_ref().unwrap(), "first");
    assert!(conv.is_bare() && conv.arguments.len() == 3);
    assert!(matches!(&conv.arguments[2].value, Value::Fields(fields) if fields.len() == 1));
    assert!(!own.is_bare() && own.path.segments.len() == 3);
    assert!(!scale.is_bare() && scale.kind() == "Scale");
    assert_eq!(both.block.as_ref().unwrap()[0].len(), 1);
    let lens: Vec<_> = concat
        .block
        .as_ref()
        .unwrap()
        .iter()
        .map(Vec::len)
        .collect();
    assert_eq!(lens, [1, 2]);
}

#[test]
fn what_cannot_be_read_is_skipped_up_to_the_comma() {
    let (network, faults) = list("Dense(4), + 3, Relu, Dense(units: , bias: true), Tanh");
    assert_eq!(kinds(&network), ["Dense", "Relu", "Dense", "Tanh"]);
    assert_eq!(faults, ["expected a layer, found `+`", "expected a value"]);
    assert_eq!(network.layers[2].arguments.len(), 1);
}

#[test]
fn missing_commas_and_semicolons_are_noted_and_passed_over() {
    let (network, faults) = list("Dense(4) Relu; Dense(2)");
    assert_eq!(kinds(&network), ["Dense", "Relu", "Dense"]);
    assert_eq!(
        faults,
        [
            "expected `,` after `Dense`, found `Relu`",
            "expected `,` after `Relu`, found `;`"
        ]
    );
}

#[test]
fn near_misses_are_read_as_they_were_meant() {
    let (network, faults) = list("Dense 4, Dense(2, bias = false)");
    assert_eq!(
        faults,
        [
            "arguments stand in parentheses",
            "arguments are named with a colon"
        ]
    );
    assert_eq!(network.layers[0].arguments.len(), 1);
    assert_eq!(
        network.layers[1].arguments[1].name.as_ref().unwrap(),
        "bias"
    );
    let (_, faults) = read("Net: Vector<4> -> Logits<2> { Relu } Other");
    assert_eq!(
        faults,
        [
            "the output stands behind `=>`",
            "one `model!` declares one network"
        ]
    );
}

#[test]
fn a_head_that_cannot_be_read_is_an_error() {
    for source in [
        "",
        "pub",
        "pub struct Net",
        "Net",
        "Net: Vector<4>",
        "Net: Vector<4> => Logits<2>",
    ] {
        let tokens = source.parse().unwrap();
        assert!(parse(tokens, &mut Faults::default()).is_err(), "{source}");
    }
}
