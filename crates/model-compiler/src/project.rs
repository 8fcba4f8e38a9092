//! `Residual(project: true)`: the layer on the way around, made of the two shapes that it goes between.
//!
//! ```text
//! Image<H, W, C> → Image<H', W', C'>     Conv2d(C', kernel: 1, stride: (s, t), bias: false)     H' = ⌈H / s⌉, W' = ⌈W / t⌉
//! Vector<N> → Vector<N'>                 Dense(N', bias: false)
//! ```
//!
//! He et al., *Deep Residual Learning for Image Recognition* (2015), option B.

use crate::builtin::{self, Builtin};
use plywood_shape::{Item, Shape, Size};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Path;

/// A layer that takes one shape to another.
#[derive(Debug)]
pub struct Projection {
    /// What it is.
    pub builtin: &'static Builtin,
    /// Its type in generated code.
    pub kind: TokenStream,
    /// The expression that declares it.
    pub declaration: TokenStream,
}

/// The layer that takes `from` to `to`, both of known sizes, if there is one.
#[must_use]
pub fn between(from: Shape, to: Shape, library: &Path, span: Span) -> Option<Projection> {
    if from.sequence != to.sequence {
        return None;
    }
    let root = quote_spanned!(span=> #library::__private::layers);
    let (name, kind, declaration) = match (from.item, to.item) {
        (
            Item::Image { height, width, .. },
            Item::Image {
                height: rows,
                width: columns,
                channels,
            },
        ) => {
            let (rows, columns) = (stride(height, rows)?, stride(width, columns)?);
            let (channels, kind) = (channels.get(), quote_spanned!(span=> #root::Conv2d));
            let declaration = quote_spanned! {span=>
                #kind::new(#channels).kernel([1, 1]).stride([#rows, #columns]).bias(false)
            };
            ("Conv2d", kind, declaration)
        }
        _ if from.is_vector_like() && to.is_vector_like() => {
            let (features, kind) = (to.features().get(), quote_spanned!(span=> #root::Dense));
            let declaration = quote_spanned!(span=> #kind::new(#features).bias(false));
            ("Dense", kind, declaration)
        }
        _ => return None,
    };
    Some(Projection {
        builtin: builtin::find(name)?,
        kind,
        declaration,
    })
}

/// By how much windows of one place move so that they make `to` of `from` places.
fn stride(from: Size, to: Size) -> Option<usize> {
    let (from, to) = (from.get(), to.get());
    let stride = from.checked_div(to)?.max(1);
    // Of several strides that do, the smallest, which reaches furthest to the end, is at most one from here.
    (stride..=stride + 1).find(|stride| from.div_ceil(*stride) == to)
}

#[cfg(test)]
mod tests {
    use super::{between, stride};
    use plywood_shape::{Shape, Size};
    use proc_macro2::Span;
    use syn::parse_quote;

    #[test]
    fn a_stride_divides_and_rounds_up() {
        let found = |from, to| stride(Size::Known(from), Size::Known(to));
        assert_eq!(found(28, 28), Some(1));
        assert_eq!(found(28, 14), Some(2));
        assert_eq!(found(7, 4), Some(2));
        assert_eq!(found(13, 5), Some(3));
        assert_eq!(found(28, 13), None);
        assert_eq!(found(7, 9), None);
        assert_eq!(found(3, 0), None);
    }

    #[test]
    fn sequences_stay_sequences_and_images_images() {
        let library = parse_quote!(::plywood);
        let is_there = |from, to| between(from, to, &library, Span::call_site()).is_some();
        let (image, vector) = (Shape::image(4, 4, 2), Shape::vector(3));
        assert!(is_there(image, Shape::image(2, 4, 9)));
        assert!(is_there(
            vector.in_sequence(),
            Shape::vector(8).in_sequence()
        ));
        assert!(!is_there(vector.in_sequence(), vector));
        assert!(!is_there(image, vector));
    }
}
