//! What an argument says: the tokens that generated code passes on, and as much of the meaning as can be read here.
//!
//! A path or a computation is passed on unread: its size is [`Size::Unknown`], and constant evaluation decides.

use crate::ast::{Argument, Value};
use plywood_shape::{Padding, Size};
use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, ExprLit, ExprUnary, Lit, Path, UnOp};

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Size,
    /// A whole number for rows and columns, or one for each.
    Pair,
    /// What surrounds an image.
    Padding,
    /// A real number.
    Float,
    /// `true` or `false`.
    Bool,
    /// One of some words, which stand for the variants of an enum of the library.
    Word(&'static Words),
}

/// The words of an argument.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// The enum among the layers of the library.
    pub of: &'static str,
    /// Word and variant.
    pub variants: &'static [(&'static str, &'static str)],
}

/// What was read of an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    /// Of a size.
    Size(Size),
    /// Of a pair.
    Pair([Size; 2]),
    /// Of a padding; `None` where one of its sizes cannot be read.
    Padding(Option<Padding>),
    /// Of a real number.
    Float(Option<f64>),
    /// Of a truth value.
    Bool(Option<bool>),
    /// The word itself.
    Word(&'static str),
}

/// An argument that was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What generated code passes to the layer.
    pub tokens: TokenStream,
    /// What is known of it.
    pub known: Known,
}

/// The value is of another type than the argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

type Read<T> = Result<T, WrongType>;

impl Kind {
    /// What it takes, in words.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Size => "a whole number".into(),
            Self::Pair => "a whole number, or a pair `(rows, columns)`".into(),
            Self::Padding => {
                "`valid`, `same`, a whole number, `(rows, columns)` or `(top: 0, bottom: 1, left: 0, right: 1)`"
                    .into()
            }
            Self::Float => "a number such as `0.1`".into(),
            Self::Bool => "`true` or `false`".into(),
            Self::Word(words) => {
                let variants: Vec<_> = words.variants.iter().map(|v| format!("`{}`", v.0)).collect();
                variants.join(" or ")
            }
        }
    }

    /// Reads a value; generated code finds the library's enums under `library`.
    ///
    /// # Errors
    /// If the value is of another type.
    pub fn read(self, value: &Value, library: &Path) -> Read<Reading> {
        let expression = match value {
            Value::Fields(fields) if self == Self::Padding => return sides(fields, library),
            Value::Fields(_) => return Err(WrongType),
            Value::Expression(expression) => bare(expression),
        };
        match self {
            Self::Size => {
                let (tokens, size) = size(expression)?;
                Ok(Reading::new(tokens, Known::Size(size)))
            }
            Self::Pair => {
                let ([rows, columns], sizes) = pair(expression)?;
                Ok(Reading::new(quote!([#rows, #columns]), Known::Pair(sizes)))
            }
            Self::Padding => padding(expression, library),
            Self::Float => float(expression),
            Self::Bool => bool(expression),
            Self::Word(words) => word(expression, words, library),
        }
    }
}

impl Reading {
    fn new(tokens: TokenStream, known: Known) -> Self {
        Self { tokens, known }
    }
}

impl Known {
    /// Whether nothing about the value is left to constant evaluation.
    #[must_use]
    pub fn is_certain(self) -> bool {
        let known = |size| matches!(size, Size::Known(_));
        match self {
            Self::Size(size) => known(size),
            Self::Pair(sizes) => sizes.into_iter().all(known),
            Self::Padding(padding) => padding.is_some(),
            Self::Float(float) => float.is_some(),
            Self::Bool(bool) => bool.is_some(),
            Self::Word(_) => true,
        }
    }
}

/// The expression without parentheses around it.
fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Paren(paren) => bare(&paren.expr),
        Expr::Group(group) => bare(&group.expr),
        other => other,
    }
}

/// Whether an expression is certainly no number: a text, a tuple, a closure.
fn is_no_number(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::Lit(_)
            | Expr::Tuple(_)
            | Expr::Array(_)
            | Expr::Closure(_)
            | Expr::Range(_)
            | Expr::Reference(_)
            | Expr::Struct(_)
            | Expr::Unary(ExprUnary {
                op: UnOp::Neg(_),
                ..
            })
    )
}

fn size(expression: &Expr) -> Read<(TokenStream, Size)> {
    if let Expr::Lit(ExprLit {
        lit: Lit::Int(int), ..
    }) = expression
    {
        let size: usize = int.base10_parse().map_err(|_| WrongType)?;
        let mut literal = Literal::usize_unsuffixed(size);
        literal.set_span(int.span());
        return Ok((quote!(#literal), Size::Known(size)));
    }
    if is_no_number(expression) {
        return Err(WrongType);
    }
    Ok((quote!(#expression), Size::Unknown))
}

fn pair(expression: &Expr) -> Read<([TokenStream; 2], [Size; 2])> {
    if let Expr::Tuple(tuple) = expression {
        if tuple.elems.len() != 2 {
            return Err(WrongType);
        }
        let (rows, columns) = (size(bare(&tuple.elems[0]))?, size(bare(&tuple.elems[1]))?);
        return Ok(([rows.0, columns.0], [rows.1, columns.1]));
    }
    let (tokens, size) = size(expression)?;
    Ok(([tokens.clone(), tokens], [size; 2]))
}

/// The word that an expression consists of, if it is one in lower case.
fn as_word(expression: &Expr) -> Option<(String, Span)> {
    let Expr::Path(path) = expression else {
        return None;
    };
    let ident = path.path.get_ident()?;
    let word = ident.to_string();
    let lower = word.starts_with(|c: char| c.is_ascii_lowercase());
    lower.then(|| (word, ident.span()))
}

fn padding(expression: &Expr, library: &Path) -> Read<Reading> {
    if let Some((word, span)) = as_word(expression) {
        let (variant, padding) = match word.as_str() {
            "valid" => (quote!(Valid), Padding::Valid),
            "same" => (quote!(Same), Padding::Same),
            _ => return Err(WrongType),
        };
        let tokens = quote_spanned!(span=> #library::__private::Padding::#variant);
        return Ok(Reading::new(tokens, Known::Padding(Some(padding))));
    }
    let ([rows, columns], sizes) = pair(expression)?;
    let known = match sizes {
        [Size::Known(rows), Size::Known(columns)] => Some(Padding::symmetric(rows, columns)),
        _ => None,
    };
    let tokens = quote!(#library::__private::Padding::symmetric(#rows, #columns));
    Ok(Reading::new(tokens, Known::Padding(known)))
}

/// `(top: 0, bottom: 1, left: 0, right: 1)`; a side left out is not padded.
fn sides(fields: &[Argument], library: &Path) -> Read<Reading> {
    const SIDES: [&str; 4] = ["top", "bottom", "left", "right"];
    let mut tokens = [const { None }; 4];
    let mut sizes = [Size::Known(0); 4];
    for field in fields {
        let (Some(name), Value::Expression(value)) = (&field.name, &field.value) else {
            return Err(WrongType);
        };
        let side = SIDES.iter().position(|side| name == side);
        let side = side.ok_or(WrongType)?;
        if tokens[side].is_some() {
            return Err(WrongType);
        }
        let (token, size) = size(bare(value))?;
        tokens[side] = Some(token);
        sizes[side] = size;
    }
    let [top, bottom, left, right] = tokens.map(|token| token.unwrap_or_else(|| quote!(0)));
    let known = match sizes {
        [
            Size::Known(top),
            Size::Known(bottom),
            Size::Known(left),
            Size::Known(right),
        ] => Some(Padding::Explicit {
            top,
            bottom,
            left,
            right,
        }),
        _ => None,
    };
    let tokens = quote! {
        #library::__private::Padding::Explicit { top: #top, bottom: #bottom, left: #left, right: #right }
    };
    Ok(Reading::new(tokens, Known::Padding(known)))
}

fn float(expression: &Expr) -> Read<Reading> {
    let (negative, number) = match expression {
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => (true, bare(expr)),
        other => (false, other),
    };
    let magnitude: f64 = match number {
        Expr::Lit(ExprLit {
            lit: Lit::Float(float),
            ..
        }) => float.base10_parse(),
        Expr::Lit(ExprLit {
            lit: Lit::Int(int), ..
        }) => int.base10_parse(),
        other if is_no_number(other) => return Err(WrongType),
        _ => return Ok(Reading::new(quote!(#expression), Known::Float(None))),
    }
    .map_err(|_| WrongType)?;
    let mut literal = Literal::f64_unsuffixed(magnitude);
    literal.set_span(syn::spanned::Spanned::span(number));
    let (tokens, value) = if negative {
        (quote!(-#literal), -magnitude)
    } else {
        (quote!(#literal), magnitude)
    };
    Ok(Reading::new(tokens, Known::Float(Some(value))))
}

fn bool(expression: &Expr) -> Read<Reading> {
    let known = match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(bool),
            ..
        }) => Some(bool.value),
        other if is_no_number(other) => return Err(WrongType),
        _ => None,
    };
    Ok(Reading::new(quote!(#expression), Known::Bool(known)))
}

fn word(expression: &Expr, words: &'static Words, library: &Path) -> Read<Reading> {
    let (word, span) = as_word(expression).ok_or(WrongType)?;
    let found = words.variants.iter().find(|variant| variant.0 == word);
    let (word, variant) = found.ok_or(WrongType)?;
    let of = syn::Ident::new(words.of, span);
    let variant = syn::Ident::new(variant, span);
    let tokens = quote_spanned!(span=> #library::__private::layers::#of::#variant);
    Ok(Reading::new(tokens, Known::Word(word)))
}

#[cfg(test)]
mod tests {
    use super::{Kind, Known};
    use crate::ast::Value;
    use plywood_shape::{Padding, Size};
    use syn::{Expr, parse_quote};

    fn read(kind: Kind, expression: Expr) -> Option<Known> {
        let library = parse_quote!(::plywood);
        let reading = kind.read(&Value::Expression(Box::new(expression)), &library);
        reading.ok().map(|reading| reading.known)
    }

    #[test]
    fn literals_are_read_and_paths_are_passed_on() {
        let size = |expression| read(Kind::Size, expression);
        assert_eq!(
            size(parse_quote!(10_000)),
            Some(Known::Size(Size::Known(10_000)))
        );
        assert_eq!(size(parse_quote!(WIDTH)), Some(Known::Size(Size::Unknown)));
        assert_eq!(
            size(parse_quote!(2 * WIDTH)),
            Some(Known::Size(Size::Unknown))
        );
        assert_eq!(size(parse_quote!("3")), None);
        assert_eq!(size(parse_quote!(-3)), None);
        assert_eq!(size(parse_quote!(3.0)), None);
        assert_eq!(size(parse_quote!(99999999999999999999)), None);
    }

    #[test]
    fn one_number_is_a_pair_of_equals() {
        let pair = |expression| read(Kind::Pair, expression);
        let known = |rows, columns| Some(Known::Pair([Size::Known(rows), Size::Known(columns)]));
        assert_eq!(pair(parse_quote!(3)), known(3, 3));
        assert_eq!(pair(parse_quote!((3, 5))), known(3, 5));
        assert_eq!(pair(parse_quote!((3, 5, 7))), None);
    }

    #[test]
    fn paddings_are_words_sizes_or_pairs() {
        let padding = |expression| read(Kind::Padding, expression);
        let known = |padding| Some(Known::Padding(Some(padding)));
        assert_eq!(padding(parse_quote!(same)), known(Padding::Same));
        assert_eq!(padding(parse_quote!(2)), known(Padding::uniform(2)));
        assert_eq!(
            padding(parse_quote!((1, 2))),
            known(Padding::symmetric(1, 2))
        );
        assert_eq!(padding(parse_quote!(full)), None);
        assert_eq!(padding(parse_quote!(MARGIN)), Some(Known::Padding(None)));
    }

    #[test]
    fn numbers_may_be_whole_and_negative() {
        let float = |expression| read(Kind::Float, expression);
        assert_eq!(float(parse_quote!(1)), Some(Known::Float(Some(1.0))));
        assert_eq!(float(parse_quote!(-0.5)), Some(Known::Float(Some(-0.5))));
        assert_eq!(float(parse_quote!("half")), None);
    }
}
