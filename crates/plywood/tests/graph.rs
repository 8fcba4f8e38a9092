//! What a network says of itself: the drawing of its layers.

use plywood::prelude::*;

plywood::model! {
    Forked: Image<8, 8, 1> => Logits<3> {
        stem: Conv2d(4), Relu, MaxPool2d(2),
        Residual { Conv2d(4, padding: same) },
        Concat { { Flatten }, { GlobalAvgPool2d } },
        Dense(3),
    }
}

#[test]
fn a_flowchart_for_mermaid() {
    let expected = "flowchart TD
    input([\"Image&lt;8, 8, 1&gt;\"])
    subgraph frame0[\" \"]
    layer0[\"stem: Conv2d<br/>Image&lt;6, 6, 4&gt;\"]
    layer1[\"relu_1: Relu<br/>Image&lt;6, 6, 4&gt;\"]
    layer2[\"max_pool2d_2: MaxPool2d<br/>Image&lt;3, 3, 4&gt;\"]
    end
    layer3[\"conv2d_3: Conv2d<br/>Image&lt;3, 3, 4&gt;\"]
    layer4[\"residual_4: Residual<br/>Image&lt;3, 3, 4&gt;\"]
    layer5[\"flatten_5: Flatten<br/>Vector&lt;36&gt;\"]
    layer6[\"global_avg_pool2d_6: GlobalAvgPool2d<br/>Vector&lt;4&gt;\"]
    layer7[\"concat_7: Concat<br/>Vector&lt;40&gt;\"]
    layer8[\"dense_8: Dense<br/>Vector&lt;3&gt;\"]
    input --> layer0
    layer0 --> layer1
    layer1 --> layer2
    layer2 --> layer3
    layer2 --> layer4
    layer3 --> layer4
    layer4 --> layer5
    layer4 --> layer6
    layer5 --> layer7
    layer6 --> layer7
    layer7 --> layer8
";
    assert_eq!(Forked::graph().to_string(), expected);
}

#[test]
fn the_same_for_graphviz() {
    let dot = Forked::graph().dot();
    assert!(dot.starts_with("digraph Forked {\n"), "{dot}");
    for line in [
        "    input [label=\"Image<8, 8, 1>\", shape=oval];",
        "    subgraph cluster_0 {",
        "    layer8 [label=\"dense_8: Dense\\nVector<3>\"];",
        "    layer2 -> layer4;",
    ] {
        assert!(dot.lines().any(|found| found == line), "{line}\n{dot}");
    }
    assert_eq!(dot.lines().filter(|line| line.contains("->")).count(), 11);
}
