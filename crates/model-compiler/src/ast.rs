//! A network as it was written, before anything is known about its meaning.

use crate::fault::Place;
use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Attribute, Expr, Generics, Path, Type, Visibility};

/// `#[attributes] pub Name<const N: usize>: Input => Output { layers }`
#[derive(Clone, Debug)]
pub struct Network {
    /// Documentation and whatever else is passed on to the struct.
    pub attributes: Vec<Attribute>,
    /// Where generated code finds the library: `::plywood`, unless `#[plywood(crate = …)]` says otherwise.
    pub library: Path,
    /// How far the network is seen.
    pub visibility: Visibility,
    /// Its name.
    pub name: Ident,
    /// Sizes left open.
    pub generics: Generics,
    /// The kind of sample it takes.
    pub input: Type,
    /// The kind it yields.
    pub output: Type,
    /// Its layers.
    pub layers: Vec<Layer>,
}

/// `frozen name: Kind(arguments) { block }`
#[derive(Clone, Debug)]
pub struct Layer {
    /// Documentation, passed on to the method that shows the layer.
    pub docs: Vec<Attribute>,
    /// The word that keeps training from its numbers.
    pub frozen: Option<Ident>,
    /// Its own name, if it has one.
    pub name: Option<Ident>,
    /// A built-in layer, or a type.
    pub path: Path,
    /// Whether there are parentheses: a layer of the user's is made by its `new`, a network stands by its name alone.
    pub is_called: bool,
    /// What stands in them.
    pub arguments: Vec<Argument>,
    /// Whether all arguments could be read.
    pub is_whole: bool,
    /// What stands in braces: one list, or several side by side.
    pub block: Option<Vec<Vec<Layer>>>,
    /// From the kind to the last parenthesis or brace.
    pub place: Place,
}

/// `value` or `name: value`
#[derive(Clone, Debug)]
pub struct Argument {
    /// The name, if one is given.
    pub name: Option<Ident>,
    /// The value.
    pub value: Value,
    /// Name and value.
    pub place: Place,
}

/// The value of an argument.
#[derive(Clone, Debug)]
pub enum Value {
    /// Whatever Rust can read; what it means depends on the argument.
    Expression(Box<Expr>),
    /// `(top: 0, bottom: 1)`
    Fields(Vec<Argument>),
}

impl Argument {
    /// As it was written, but for spaces.
    #[must_use]
    pub fn text(&self) -> String {
        let value = self.value.text();
        let named = self.name.as_ref().map(|name| format!("{name}: {value}"));
        named.unwrap_or(value)
    }
}

impl Value {
    /// As it was written, but for spaces.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Expression(expression) => expression.to_token_stream().to_string(),
            Self::Fields(fields) => {
                let texts: Vec<_> = fields.iter().map(Argument::text).collect();
                format!("({})", texts.join(", "))
            }
        }
    }
}

impl Layer {
    /// The last segment of the path: `Conv2d`.
    #[must_use]
    pub fn kind(&self) -> &Ident {
        let last = self.path.segments.last();
        &last.expect("the parser reads at least one segment").ident
    }

    /// Whether it stands for a network, if it is nothing of the library's.
    #[must_use]
    pub fn is_network(&self) -> bool {
        !self.is_called && self.block.is_none()
    }

    /// Whether the layer is written as one name without type arguments, as the built-in layers are.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.path.get_ident().is_some()
    }
}
