//! What the check finds, where it puts it, and what it leaves to constant evaluation.

use crate::check::check;
use crate::fault::Faults;
use crate::parse::parse;

struct Checked {
    /// Source text under the fault's first token, and what is wrong.
    faults: Vec<(String, String)>,
    names: Vec<String>,
    outputs: Vec<String>,
    declarations: Vec<String>,
    is_certain: bool,
}

fn checked(head: &str, layers: &str) -> Checked {
    let mut faults = Faults::default();
    let source = format!("Net: {head} {{ {layers} }}");
    let network = parse(source.parse().unwrap(), &mut faults).unwrap();
    let checked = check(&network, &mut faults);
    let place = |span: proc_macro2::Span| span.source_text().unwrap_or_default();
    Checked {
        faults: faults
            .iter()
            .map(|fault| (place(fault.place.start), fault.what.clone()))
            .collect(),
        names: checked
            .layers
            .iter()
            .map(|layer| layer.name.to_string())
            .collect(),
        outputs: checked
            .layers
            .iter()
            .map(|layer| layer.output.to_string())
            .collect(),
        declarations: checked
            .layers
            .iter()
            .map(|layer| layer.declaration.to_string().replace(' ', ""))
            .collect(),
        is_certain: checked.is_certain,
    }
}

#[test]
fn shapes_follow_from_the_input() {
    let net = checked(
        "Image<28, 28, 1> => Logits<10>",
        "conv: Conv2d(32, kernel: 3), Relu, MaxPool2d(2), Flatten, Dense(10)",
    );
    assert!(net.faults.is_empty() && net.is_certain, "{:?}", net.faults);
    assert_eq!(
        net.names,
        ["conv", "relu_1", "max_pool2d_2", "flatten_3", "dense_4"]
    );
    assert_eq!(
        net.outputs[2..],
        ["Image<13, 13, 32>", "Vector<5408>", "Vector<10>"]
    );
}

#[test]
fn declarations_call_the_library() {
    let net = checked(
        "Sequence<Vector<4>> => Vector<6>",
        "Gru(8, returns: sequence, dropout: 0.1), Dropout(1), Bidirectional(merge: sum) { Lstm(6) }",
    );
    let root = "::plywood::__private::layers::";
    assert_eq!(
        net.declarations,
        [
            format!("{root}Gru::new(8).returns({root}Returns::Sequence).dropout(0.1)"),
            format!("{root}Dropout::new(1.0)"),
            format!(
                "{root}Bidirectional::new({root}Recurrent::Lstm({root}Lstm::new(6))).merge({root}Merge::Sum)"
            ),
        ]
    );
}

#[test]
fn defaults_that_new_asks_for_are_filled_in() {
    let net = checked(
        "Image<8, 8, 2> => Image<6, 6, 2>",
        "DepthwiseConv2d, LeakyRelu",
    );
    let ends = net
        .declarations
        .iter()
        .map(|text| text.rsplit("layers::").next().unwrap());
    assert_eq!(
        ends.collect::<Vec<_>>(),
        ["DepthwiseConv2d::new(1)", "LeakyRelu::new(0.01)"]
    );
}

#[test]
fn all_faults_are_found_each_at_its_place() {
    let net = checked(
        "Image<28, 28, 1> => Logits<10>",
        "Conv2d(8, kernel: 30), Conv2(4), Dense(6, unit: 1), Dense(3), Gru(2)",
    );
    let whats: Vec<_> = net
        .faults
        .iter()
        .map(|(at, what)| (at.as_str(), what.as_str()))
        .collect();
    assert_eq!(
        whats,
        [
            (
                "kernel",
                "Conv2d: a kernel of 30 does not fit the height of 28 (Image<28, 28, 1> reaches it)"
            ),
            ("Conv2", "there is no layer `Conv2`"),
            ("unit", "`Dense` has no argument `unit`"),
            (
                "Gru",
                "the list yields Vector<2>, but the network declares Logits<10>"
            ),
        ]
    );
}

#[test]
fn a_fault_is_not_reported_again_by_what_follows_it() {
    let net = checked(
        "Image<8, 8, 1> => Logits<3>",
        "Dense(5), Gru(4), Conv2d(2), Flatten, Dense(3)",
    );
    let at: Vec<_> = net.faults.iter().map(|fault| fault.0.as_str()).collect();
    assert_eq!(at, ["Dense", "Conv2d"]);
}

#[test]
fn an_argument_at_fault_leaves_the_layers_size_open() {
    let net = checked(
        "Image<28, 28, 1> => Logits<10>",
        "Conv2d(8, kernal: 5), MaxPool2d(26), Flatten, Dense(10)",
    );
    assert_eq!(net.faults.len(), 1, "{:?}", net.faults);
    let net = checked(
        "Sequence<Vector<3>> => Logits<10>",
        "Gru(8, returns: ), Gru(4), Dense(10)",
    );
    assert_eq!(net.faults.len(), 1, "{:?}", net.faults);
    let net = checked(
        "Sequence<Vector<3>> => Logits<10>",
        "Gru(8, return: sequence), Gru(4), Dense(10)",
    );
    assert_eq!(net.faults.len(), 1, "{:?}", net.faults);
}

#[test]
fn constants_and_own_layers_are_left_to_constant_evaluation() {
    let net = checked("Vector<8> => Logits<10>", "Dense(HIDDEN), Relu, Dense(10)");
    assert!(net.faults.is_empty() && !net.is_certain);
    let net = checked(
        "Vector<8> => Logits<10>",
        "own::Layer(3, depth: 2), Gru(4), Dense(10)",
    );
    assert!(net.faults.is_empty() && !net.is_certain, "{:?}", net.faults);
    assert_eq!(net.declarations[0], "<own::Layer>::new(3).depth(2)");
    let net = checked("Alias => Logits<10>", "Dense(10)");
    assert!(net.faults.is_empty() && !net.is_certain);
}

#[test]
fn a_name_that_a_made_one_would_repeat_is_avoided() {
    let net = checked("Vector<8> => Logits<10>", "dense_1: Relu, Dense(10)");
    assert!(net.faults.is_empty());
    assert_eq!(net.names, ["dense_1", "dense_1_"]);
}

#[test]
fn lists_of_a_block_read_the_same_input() {
    let net = checked(
        "Image<8, 8, 2> => Logits<10>",
        "Concat { { Conv2d(3, padding: same) }, {}, { Residual { Relu }, Tanh } }, Flatten, Dense(10)",
    );
    assert!(net.faults.is_empty() && net.is_certain, "{:?}", net.faults);
    assert_eq!(
        net.names,
        [
            "conv2d_0",
            "relu_1",
            "residual_2",
            "tanh_3",
            "concat_4",
            "flatten_5",
            "dense_6"
        ]
    );
    assert_eq!(
        net.outputs[2..5],
        ["Image<8, 8, 2>", "Image<8, 8, 2>", "Image<8, 8, 7>"]
    );
}

#[test]
fn a_repeated_list_is_written_out_and_named_by_its_turn() {
    let net = checked(
        "Vector<4> => Logits<4>",
        "Repeat(2) { first: Dense(4), Repeat(1) { Relu, last: Dense(4) } }",
    );
    assert!(net.faults.is_empty(), "{:?}", net.faults);
    assert_eq!(
        net.names,
        [
            "first_0", "relu_1", "last_0_0", "first_1", "relu_4", "last_1_0"
        ]
    );
}

#[test]
fn a_fault_of_a_repeated_list_is_reported_once() {
    let net = checked(
        "Image<9, 9, 1> => Image<1, 1, 1>",
        "Repeat(3) { MaxPool2d(2, strde: 1) }, Repeat(3) { Conv2d(1, kernel: 4) }",
    );
    let at: Vec<_> = net.faults.iter().map(|fault| fault.0.as_str()).collect();
    assert_eq!(at, ["strde"], "{:?}", net.faults);
    let net = checked(
        "Image<9, 9, 1> => Image<1, 1, 1>",
        "Repeat(3) { Conv2d(1, kernel: 5) }",
    );
    assert_eq!(net.faults.len(), 1, "{:?}", net.faults);
}

#[test]
fn lists_that_do_not_fit_are_a_fault_of_their_block_alone() {
    let net = checked(
        "Vector<8> => Logits<10>",
        "Residual { Dense(4) }, Gru(3), Add { { Dense(10) }, { Dense(9) } }",
    );
    let whats: Vec<_> = net.faults.iter().map(|fault| fault.1.as_str()).collect();
    assert_eq!(
        whats,
        [
            "Residual adds what its list yields to what reaches it, but the list makes Vector<4> of Vector<8>",
            "Add: list 2 yields Vector<9>, which does not go with the Vector<10> before it",
        ]
    );
}

#[test]
fn a_residual_list_has_a_projection_around_it_where_it_asks_for_one() {
    let net = checked(
        "Image<9, 8, 2> => Logits<10>",
        "body: Residual(project: true) { Conv2d(6, stride: 2, padding: same), Relu }, Flatten, Residual(project: true) { Dense(10) }",
    );
    assert!(net.faults.is_empty() && net.is_certain, "{:?}", net.faults);
    assert_eq!(net.names[2..4], ["body_projection", "body"]);
    assert_eq!(net.names[6], "projection_6");
    let root = "::plywood::__private::layers::";
    assert_eq!(
        net.declarations[2],
        format!("{root}Conv2d::new(6usize).kernel([1,1]).stride([2usize,2usize]).bias(false)")
    );
    assert_eq!(
        net.declarations[6],
        format!("{root}Dense::new(10usize).bias(false)")
    );
}

#[test]
fn a_projection_that_cannot_be_is_a_fault() {
    let whats = |head: &str, layers: &str| -> Vec<String> {
        let faults = checked(head, layers).faults;
        faults.into_iter().map(|fault| fault.1).collect()
    };
    assert_eq!(
        whats(
            "Image<28, 28, 1> => Logits<10>",
            "Residual(project: true) { Conv2d(4, kernel: 16) }, Flatten, Dense(10)"
        ),
        ["Residual has no projection that makes Image<13, 13, 4> of Image<28, 28, 1>"]
    );
    assert_eq!(
        whats(
            "Vector<8> => Logits<10>",
            "Residual(project: true) { Dense(WIDE) }, Dense(10)"
        ),
        ["`project: true` needs sizes that can be read here"]
    );
    assert_eq!(
        whats(
            "Vector<8> => Logits<10>",
            "Residual(project: true) { Dense(4, unit: 3) }, Dense(10)"
        )
        .len(),
        1
    );
}

#[test]
fn names_of_repeated_layers_clash_whatever_their_turn() {
    let whats = |layers: &str| -> Vec<String> {
        let faults = checked("Vector<4> => Vector<4>", layers).faults;
        faults.into_iter().map(|fault| fault.1).collect()
    };
    assert_eq!(
        whats("dense_1: Dense(4), Repeat(3) { dense: Dense(4) }"),
        ["two layers are called `dense_1`"]
    );
    assert_eq!(
        whats("Repeat(3) { dense: Dense(4), dense: Relu }"),
        ["two layers are called `dense_0`"]
    );
}

#[test]
fn an_argument_that_a_block_depends_on_is_a_literal() {
    let net = checked(
        "Vector<4> => Vector<4>",
        "Residual(project: FLAG) { Dense(4) }",
    );
    let whats: Vec<_> = net.faults.iter().map(|fault| fault.1.as_str()).collect();
    assert_eq!(whats, ["an argument of `Residual` cannot be read here"]);
}

#[test]
fn a_rule_is_broken_by_an_argument_if_one_was_written() {
    let at = |head: &str, layers: &str| -> Vec<String> {
        let faults = checked(head, layers).faults;
        faults.into_iter().map(|fault| fault.0).collect()
    };
    let head = "Image<2, 2, 4> => Image<2, 2, 4>";
    assert_eq!(at(head, "Conv2d(4)"), ["Conv2d"]);
    assert_eq!(at(head, "MaxPool2d(1), MaxPool2d(3)"), ["3"]);
    assert_eq!(at(head, "MaxPool2d(window: 3)"), ["window"]);
    assert_eq!(at(head, "Conv2d(padding: same, 0)"), ["0"]);
    assert_eq!(at(head, "Conv2d(3, kernel: 1, groups: 2)"), ["groups"]);
    let head = "Sequence<Vector<4>> => Vector<4>";
    assert_eq!(
        at(head, "Bidirectional { Gru(8, dropout: 1) }"),
        ["dropout"]
    );
    assert_eq!(at(head, "BatchNorm, Dense(4)"), ["Dense"]);
}

#[test]
fn a_layer_of_the_users_takes_expressions() {
    let net = checked("Vector<4> => Vector<4>", "own::Mine(pad: (top: 1, 2))");
    let what = "an argument of `Mine` cannot be `(top: 1, 2)`";
    assert_eq!(net.faults, [("pad".to_owned(), what.to_owned())]);
}

/// The reference knows every layer, every block and every argument.
#[test]
fn the_reference_is_complete() {
    let reference = include_str!("../../../../docs/model.md");
    for builtin in crate::builtin::BUILTINS
        .iter()
        .chain(&crate::builtin::BLOCKS)
    {
        let name = builtin.name;
        let is_there = [
            format!("`{name}`"),
            format!("`{name}("),
            format!("`{name} {{"),
        ]
        .iter()
        .any(|written| reference.contains(written));
        assert!(is_there, "docs/model.md lacks {name}");
        for argument in builtin.named {
            let argument = argument.name;
            assert!(
                reference.contains(&format!("{argument}:")),
                "docs/model.md lacks `{argument}` of {name}"
            );
        }
    }
}
