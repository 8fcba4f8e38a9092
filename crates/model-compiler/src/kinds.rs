//! The shape that a sample kind's type says, as far as it can be read from its tokens.

use plywood_shape::{Item, Shape, Size};
use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, Type};

/// The shape of a sample kind; `None` for any other type, such as an alias.
#[must_use]
pub fn shape_of(kind: &Type) -> Option<Shape> {
    if let Some(step) = step_of(kind) {
        let shape = shape_of(step)?;
        return (!shape.sequence).then(|| shape.in_sequence());
    }
    let path = match kind {
        Type::Path(path) => path,
        // Kinds side by side are rows of all their numbers.
        Type::Tuple(tuple) if tuple.elems.len() > 1 => {
            let mut row = Size::Known(0);
            for kind in &tuple.elems {
                row = row.plus(shape_of(kind)?.elements());
            }
            return Some(Shape::of(Item::Vector(row)));
        }
        _ => return None,
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let arguments: Vec<_> = arguments.args.iter().collect();
    let name = last.ident.to_string();
    let item = match (name.as_str(), arguments.as_slice()) {
        ("Image", [height, width, channels]) => Item::Image {
            height: size(height),
            width: size(width),
            channels: size(channels),
        },
        ("Vector", [n]) => Item::Vector(size(n)),
        ("Token", [n]) => Item::Token(size(n)),
        ("Logits", [n]) => Item::Logits(size(n)),
        ("Probabilities", [n]) => Item::Probabilities(size(n)),
        ("Class", [n]) => Item::Class(size(n)),
        ("Real", [n]) => Item::Real(size(n)),
        _ => return None,
    };
    Some(Shape::of(item))
}

/// What a sequence consists of; `None` for any other type.
#[must_use]
pub fn step_of(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(step)) if last.ident == "Sequence" => Some(step),
        _ => None,
    }
}

/// Whether every size of the shape is known.
#[must_use]
pub fn is_certain(shape: Shape) -> bool {
    let known = |size| matches!(size, Size::Known(_));
    match shape.item {
        Item::Image {
            height,
            width,
            channels,
        } => known(height) && known(width) && known(channels),
        Item::Vector(n)
        | Item::Token(n)
        | Item::Logits(n)
        | Item::Probabilities(n)
        | Item::Class(n)
        | Item::Real(n) => known(n),
        Item::Unknown => false,
    }
}

fn size(argument: &GenericArgument) -> Size {
    let GenericArgument::Const(Expr::Lit(ExprLit {
        lit: Lit::Int(int), ..
    })) = argument
    else {
        return Size::Unknown;
    };
    int.base10_parse().map_or(Size::Unknown, Size::Known)
}

#[cfg(test)]
mod tests {
    use super::{is_certain, shape_of};
    use plywood_shape::Shape;
    use syn::parse_quote;

    #[test]
    fn kinds_are_read_wherever_they_live() {
        let shape = shape_of(&parse_quote!(Image<28, 28, 1>));
        assert_eq!(shape, Some(Shape::image(28, 28, 1)));
        let shape = shape_of(&parse_quote!(plywood::Sequence<Token<10_000>>));
        assert_eq!(shape, Some(Shape::token(10_000).in_sequence()));
    }

    #[test]
    fn constants_are_unknown_sizes_and_aliases_unknown_shapes() {
        let shape = shape_of(&parse_quote!(Vector<N>)).unwrap();
        assert!(!is_certain(shape));
        assert_eq!(shape_of(&parse_quote!(Input)), None);
        assert_eq!(shape_of(&parse_quote!((Vector<3>, Input))), None);
        let side_by_side = shape_of(&parse_quote!((Image<2, 2, 1>, Vector<3>)));
        assert_eq!(side_by_side, Some(Shape::vector(7)));
        assert_eq!(shape_of(&parse_quote!(Sequence<Sequence<Vector<3>>>)), None);
    }
}
