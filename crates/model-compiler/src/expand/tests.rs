//! The expansion is Rust, names nothing but the library's hidden module, and holds the passes it should.

use crate::compile;
use syn::{File, ImplItem, Item};

const CNN: &str = "pub Cnn: Image<28, 28, 1> => Logits<10> {
    conv1: Conv2d(32, kernel: 3), Relu, MaxPool2d(2), Flatten, Dense(64), Relu, Dense(10),
}";

fn file(source: &str) -> File {
    syn::parse2(compile(source.parse().unwrap())).unwrap()
}

fn functions(file: &File) -> Vec<String> {
    let impls = file.items.iter().filter_map(|item| match item {
        Item::Impl(item) => Some(item),
        _ => None,
    });
    impls
        .flat_map(|item| &item.items)
        .filter_map(|item| match item {
            ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
            _ => None,
        })
        .collect()
}

fn text(source: &str) -> String {
    compile(source.parse().unwrap())
        .to_string()
        .replace(' ', "")
}

#[test]
fn fused_layers_become_one_step() {
    let text = text(CNN);
    let root = "::plywood::__private::";
    let step = format!(
        "constSTEP_0:{root}layers::ConvPool2d={root}layers::ConvPool2d::new(Self::LAYER_0.activation({root}Activation::Relu),Self::LAYER_2);"
    );
    assert!(text.contains(&step), "{text}");
    assert!(text.contains("run.forward(0usize,&Self::STEP_0,input,&mutconv1,memory.scratch);"));
    assert!(
        text.contains("run.forward(1usize,&Self::STEP_1,conv1.value,&mutdense_4,memory.scratch);")
    );
    assert!(text.contains(
        "run.backward_first(0usize,INPUT_GRADIENT,&Self::STEP_0,input,&mutconv1,&mutback);"
    ));
}

#[test]
fn layers_that_own_numbers_are_seen_and_others_are_not() {
    let functions = functions(&file(CNN));
    for seen in [
        "conv1",
        "dense_4",
        "dense_6",
        "new",
        "summary",
        "cast",
        "forward_0",
        "backward_0",
    ] {
        assert!(functions.iter().any(|name| name == seen), "{seen}");
    }
    assert!(!functions.iter().any(|name| name == "relu_1"));
}

#[test]
fn a_batch_norm_starts_a_segment() {
    let text = text("Net: Vector<4> => Logits<3> { Dense(8), BatchNorm, Dense(3) }");
    let forward = "run.forward(0usize,&Self::LAYER_0,input,&mutdense_0,memory.scratch);run.observe(1usize,&Self::LAYER_1,dense_0.value,memory.partials);";
    assert!(text.contains(forward), "{text}");
    let backward = "run.backward(2usize,&Self::LAYER_2,batch_norm_1.value,&mutdense_2,&mutback);run.observe_gradient(1usize,&Self::LAYER_1,dense_0.value,memory.partials,&mutback);";
    assert!(text.contains(backward), "{text}");
    let rest = "run.backward(1usize,&Self::LAYER_1,dense_0.value,&mutbatch_norm_1,&mutback);run.backward_first(0usize,INPUT_GRADIENT,&Self::LAYER_0,input,&mutdense_0,&mutback);";
    assert!(text.contains(rest), "{text}");
}

#[test]
fn a_batch_norm_is_fused_with_what_follows() {
    let list = |pool: &str| {
        let head = "Net: Image<8, 8, 1> => Logits<3> { Conv2d(4, kernel: 3), BatchNorm, Relu";
        text(&format!("{head}, {pool}, Flatten, Dense(3) }}"))
    };
    let fused = "::plywood::__private::layers::BatchNormPool2d::new(Self::LAYER_1.activation(";
    assert!(list("MaxPool2d(2)").contains(fused));
    for other in [
        "MaxPool2d(3, stride: 2)",
        "MaxPool2d(2, padding: same)",
        "MaxPool2d(SIZE)",
    ] {
        assert!(!list(other).contains("BatchNormPool2d"), "{other}");
        assert!(list(other).contains("constSTEP_1:::plywood::__private::layers::BatchNorm="));
    }
}

#[test]
fn what_was_checked_here_is_not_checked_again() {
    assert!(!text(CNN).contains(".report()"));
    let open = text("Net: Vector<4> => Logits<3> { Dense(H), Dense(3) }");
    assert!(open.contains("CHAIN[0usize].report()") && open.contains("CHAIN[1usize].report()"));
    let generic = text("Net<const N: usize>: Vector<N> => Logits<3> { Dense(3) }");
    assert!(generic.contains("constCHECKED:()") && generic.contains("const{Self::CHECKED};"));
}

#[test]
fn a_faulty_network_keeps_its_signatures() {
    let file = file("pub Net: Image<8, 8, 1> => Logits<3> { first: Dense(8), Dense(3) }");
    let functions = functions(&file);
    for kept in ["first", "new", "summary", "seeded"] {
        assert!(functions.iter().any(|name| name == kept), "{kept}");
    }
    let is_error = |item: &&Item| matches!(item, Item::Macro(_));
    assert_eq!(file.items.iter().filter(is_error).count(), 1);
}

#[test]
fn an_unreadable_head_is_an_error_and_nothing_else() {
    let file = file("pub struct Net");
    assert!(matches!(&file.items[..], [Item::Macro(_)]));
}

#[test]
fn a_block_is_left_the_way_it_was_entered() {
    let text = text(
        "Net: Vector<4> => Logits<4> { Dense(4), Residual { BatchNorm, Tanh }, Add { {}, { Relu }, { Dense(4) } } }",
    );
    let root = "::plywood::__private::";
    let junction = format!(
        "constSTEP_2:{root}Junction={root}Junction{{join:Self::LAYER_3,ends:&[::core::option::Option::None,::core::option::Option::Some(1usize)],}};"
    );
    assert!(text.contains(&junction), "{text}");
    let forward = "run.forward(1usize,&Self::STEP_1,dense_0.value,&mutbatch_norm_1,memory.scratch);run.join(2usize,&Self::STEP_2,&[&*dense_0.value,&*batch_norm_1.value],&mutresidual_3);";
    assert!(text.contains(forward), "{text}");
    let backward = "run.hold(5usize,&mutadd_6,&mutback);run.backward(4usize,&Self::LAYER_5,residual_3.value,&mutdense_5,&mutback);run.collect(5usize,true,&mutadd_6,&mutback);run.enter(5usize,&Self::STEP_5,1usize,&mutadd_6,&mutback);run.backward(3usize,&Self::LAYER_4,residual_3.value,&mutrelu_4,&mutback);run.release(5usize,&Self::STEP_5,true,&mutadd_6,&mutback);run.hold(2usize,&mutresidual_3,&mutback);run.observe_gradient(1usize,";
    assert!(text.contains(backward), "{text}");
}

#[test]
fn a_block_that_reads_the_input_gathers_its_gradient_only_if_asked() {
    let text = text("Net: Vector<4> => Logits<4> { Add { { Dense(4) }, { Relu } } }");
    assert!(
        text.contains("ifINPUT_GRADIENT{run.collect(2usize,true,&mutadd_2,&mutback);}"),
        "{text}"
    );
    assert!(text.contains(
        "run.backward_first(0usize,INPUT_GRADIENT,&Self::LAYER_0,input,&mutdense_0,&mutback);"
    ));
    assert!(text.contains(
        "ifINPUT_GRADIENT{run.backward(1usize,&Self::LAYER_1,input,&mutrelu_1,&mutback);}"
    ));
}
