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
    assert_eq!(
        faults,
        ["expected a layer, found `+`", "expected a value, found `,`"]
    );
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
fn what_is_expected_is_said_with_what_was_found() {
    for (layers, what) in [
        ("last:", "expected a layer behind `last:`"),
        ("last: + 3", "expected a layer behind `last:`, found `+`"),
        ("/// Doc.\n", "expected a layer"),
        ("self::, Relu", "expected a name behind `::`, found `,`"),
        ("Dense(4, bias: *)", "expected a value, found `*`"),
        ("Dense(4 +)", "expected a value, found `4 +`"),
        ("Dense(units:)", "expected a value"),
        (
            "Dense(4 bias: true)",
            "expected `,` between arguments, found `bias`",
        ),
        (
            "Add { { Relu }, Dense(4) }",
            "expected another list in braces, found `Dense`",
        ),
        ("{ Relu }", "a list within a list needs to be a block"),
    ] {
        assert_eq!(list(layers).1, [what], "{layers}");
    }
}

#[test]
fn a_list_without_braces_stands_beside_others() {
    let (network, _) = list("Add { { Relu }, Dense(4), Tanh }");
    let lists = network.layers[0].block.as_ref().unwrap();
    assert_eq!(lists.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_head_is_read_where_it_can_be_guessed() {
    for (source, what) in [
        (
            "pub struct Net: Vector<4> => Logits<2> { Relu }",
            "a network starts with its name, without `struct`",
        ),
        (
            "Net Vector<4> => Logits<2> { Relu }",
            "expected `:` behind the name, found `Vector`",
        ),
        (
            "Net: Vector<4> Logits<2> { Relu }",
            "expected `=>` behind the input, found `Logits`",
        ),
        (
            "Net: Vector<4> => Logits<2> [Relu]",
            "the layers stand in braces",
        ),
        (
            "#[plywood(path = a)] Net: Vector<4> => Logits<2> { Relu }",
            "the attribute `plywood` says where the library is",
        ),
    ] {
        let (network, faults) = read(source);
        assert_eq!(faults, [what], "{source}");
        assert_eq!(kinds(&network), ["Relu"]);
    }
    let (network, faults) = read("Net: Vector<4> => Logits<2>");
    assert!(network.layers.is_empty() && faults.is_empty());
}

#[test]
fn a_head_that_cannot_be_read_is_one_fault() {
    for (source, what) in [
        ("", "expected the name of the network"),
        ("pub", "expected the name of the network"),
        ("pub fn", "expected the name of the network, found `fn`"),
        (
            "pub struct Net {}",
            "a network starts with its name, without `struct`",
        ),
        (
            "Net<4>",
            "expected sizes left open, such as `<const N: usize>`, found `4`",
        ),
        ("Net", "expected `:` behind the name"),
        ("Net:", "expected what the network takes"),
        ("Net: Vector<4>", "expected `=>` behind the input"),
        (
            "Net: Vector<4> { Relu }",
            "expected `=>` behind the input, found `{`",
        ),
        ("Net: Vector<4> =>", "expected what the network yields"),
        (
            "Net: Vector<4> => Logits<2>; Relu",
            "expected the layers in braces, found `;`",
        ),
    ] {
        let mut faults = Faults::default();
        assert!(parse(source.parse().unwrap(), &mut faults).is_none());
        let whats: Vec<_> = faults.iter().map(|fault| fault.what.as_str()).collect();
        assert_eq!(whats, [what], "{source}");
    }
}
