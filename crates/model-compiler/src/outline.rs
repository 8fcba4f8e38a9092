//! Types that cannot stand in the head of a network: what is said of them, and what stands for them in the outline of a faulty
//! network, so that rustc does not say the same again in its own words.

use crate::ast::Network;
use crate::fault::{Faults, Place};
use crate::kinds::{shape_of, step_of};
use plywood_shape::{Item, Shape};
use quote::ToTokens;
use syn::{GenericParam, Type, parse_quote};

/// Types that somebody might take for a kind of sample.
const OTHERS: [&str; 19] = [
    "bool", "char", "str", "f16", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8",
    "u16", "u32", "u64", "u128", "usize", "String",
];

/// Notes an input or output that is certainly no kind of sample; of most types, only rustc knows what they are.
pub fn refuse(network: &Network, faults: &mut Faults) {
    for kind in [&network.input, &network.output] {
        let (what, help) = match (flaw(kind), step_of(kind)) {
            (None, _) => continue,
            (Some(help), Some(step)) => (
                format!("a `Sequence` does not consist of `{}`", text(step)),
                help,
            ),
            (Some(help), None) => (format!("`{}` is not a kind of sample", text(kind)), help),
        };
        faults.push(Place::of(kind), what, help);
    }
}

/// The network with an input and an output that hold in its outline, whatever is wrong with its own.
#[must_use]
pub fn of(network: &Network) -> Network {
    let mut outline = network.clone();
    let library = &network.library;
    let any: Type = parse_quote!(#library::__private::Vector<1>);
    let yields_indices = shape_of(&network.output).is_some_and(Shape::is_index);
    if flaw(&network.input).is_some() || lacks_size(&network.input, network) {
        outline.input = any.clone();
    }
    if yields_indices || flaw(&network.output).is_some() || lacks_size(&network.output, network) {
        outline.output = any;
    }
    outline
}

/// Whether a type is of the size that is called like the type networks compute in: the outline has no such size.
fn lacks_size(kind: &Type, network: &Network) -> bool {
    let mut open = network.generics.params.iter();
    let is_size =
        |open: &GenericParam| matches!(open, GenericParam::Const(size) if size.ident == "T");
    open.any(is_size)
        && text(kind)
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word == "T")
}

/// What would help a type that is certainly no kind of sample.
fn flaw(kind: &Type) -> Option<&'static str> {
    if let Type::Tuple(tuple) = kind {
        let fits = |kind: &Type| {
            let shape = shape_of(kind);
            !is_other(kind)
                && shape
                    .is_none_or(|shape| !shape.sequence && !matches!(shape.item, Item::Token(_)))
        };
        let holds = (2..=4).contains(&tuple.elems.len()) && tuple.elems.iter().all(fits);
        return (!holds).then_some(
            "a tuple is of two to four kinds of numbers: `(Image<28, 28, 1>, Vector<4>)`; what every step has several of is a `Sequence<(…, …)>`, and tokens stand alone",
        );
    }
    if let Some(step) = step_of(kind) {
        let is_flawed = step_of(step).is_some() || is_other(step);
        if let Type::Tuple(_) = step {
            return flaw(step);
        }
        return is_flawed
            .then_some("write `Sequence<Vector<8>>`, `Sequence<Token<10_000>>`, …; a sequence of sequences is none");
    }
    is_other(kind).then_some(
        "kinds are `Image<H, W, C>`, `Vector<N>`, `Token<V>`, `Logits<N>`, `Probabilities<N>`, `Real<N>`, and a `Sequence<…>` of one",
    )
}

fn is_other(kind: &Type) -> bool {
    match kind {
        Type::Path(path) => {
            let name = path.path.get_ident();
            name.is_some_and(|name| OTHERS.iter().any(|other| name == other))
        }
        Type::Array(_) | Type::Slice(_) | Type::Reference(_) | Type::Infer(_) => true,
        _ => false,
    }
}

fn text(kind: &Type) -> String {
    let text = kind.to_token_stream().to_string();
    match kind {
        Type::Path(_) | Type::Tuple(_) => {
            let text = text.replace(' ', "").replace(',', ", ");
            text.replace(", )", ",)")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{flaw, of, refuse};
    use crate::fault::Faults;
    use crate::parse::parse;
    use quote::ToTokens;
    use syn::parse_quote;

    #[test]
    fn kinds_and_what_may_be_one_pass() {
        assert!(flaw(&parse_quote!(Image<28, 28, 1>)).is_none());
        assert!(flaw(&parse_quote!(Sequence<Words>)).is_none());
        assert!(flaw(&parse_quote!((Logits<10>, Vector<4>))).is_none());
        assert!(flaw(&parse_quote!(Sequence<Sequence<Words>>)).is_some());
        assert!(flaw(&parse_quote!([f32; 4])).is_some());
    }

    #[test]
    fn other_types_are_refused_and_leave_no_trace_in_the_outline() {
        let mut faults = Faults::default();
        let source = "Net: u32 => Sequence<f32> { Dense(10) }";
        let network = parse(source.parse().unwrap(), &mut faults).unwrap();
        refuse(&network, &mut faults);
        let whats: Vec<_> = faults.iter().map(|fault| fault.what.as_str()).collect();
        assert_eq!(
            whats,
            [
                "`u32` is not a kind of sample",
                "a `Sequence` does not consist of `f32`"
            ]
        );
        let outline = of(&network);
        for kind in [outline.input, outline.output] {
            let written = kind.to_token_stream().to_string();
            assert!(written.ends_with(":: Vector < 1 >"), "{written}");
        }
    }
}
