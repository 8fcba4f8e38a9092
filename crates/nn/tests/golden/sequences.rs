//! Recurrent layers, one direction and both, over full and padded sequences.

use plywood_nn::Layer;
use plywood_nn::layers::{Bidirectional, Gru, Lstm, Recurrent, Returns, SimpleRnn};
use plywood_shape::{Plan, Shape};
use plywood_testing::Case;

use crate::each;
use crate::harness::check;

fn returns(case: &Case) -> Returns {
    match case.text("returns") {
        "sequence" => Returns::Sequence,
        _ => Returns::Last,
    }
}

fn sequence(case: &Case) -> Shape {
    Shape::vector(case.shape("x")[2]).in_sequence()
}

fn simple_rnn_of(case: &Case) -> SimpleRnn {
    SimpleRnn::new(case.size("units")).returns(returns(case))
}

fn gru_of(case: &Case) -> Gru {
    Gru::new(case.size("units"))
        .returns(returns(case))
        .reset_after(case.flag("reset_after"))
}

fn lstm_of(case: &Case) -> Lstm {
    Lstm::new(case.size("units")).returns(returns(case))
}

fn one<L: Layer<f64> + Layer<f32>>(case: &Case, layer: &L, plan: fn(&L, Shape) -> Plan) {
    check(case, layer, &plan(layer, sequence(case)));
}

#[test]
fn simple_rnn() {
    each("simple_rnn", |case| {
        one(case, &simple_rnn_of(case), SimpleRnn::plan)
    });
}

#[test]
fn gru() {
    each("gru", |case| one(case, &gru_of(case), Gru::plan));
}

#[test]
fn lstm() {
    each("lstm", |case| one(case, &lstm_of(case), Lstm::plan));
}

fn both(case: &Case, layer: Recurrent) {
    one(case, &Bidirectional::new(layer), Bidirectional::plan);
}

#[test]
fn bidirectional() {
    each("bidirectional_simple_rnn", |case| {
        both(case, Recurrent::SimpleRnn(simple_rnn_of(case)))
    });
    each("bidirectional_gru", |case| {
        both(case, Recurrent::Gru(gru_of(case)))
    });
    each("bidirectional_lstm", |case| {
        both(case, Recurrent::Lstm(lstm_of(case)))
    });
}
