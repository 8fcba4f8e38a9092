//! A network whose layers are known: what the check finds out, for the stages behind it.

use crate::ast::{Layer, Network};
use crate::builtin::{Builtin, Role};
use crate::function;
use plywood_shape::Shape;
use plywood_shape::layers::Join;
use proc_macro2::TokenStream;
use syn::Ident;
use syn::ext::IdentExt;

/// A network whose layers are known.
#[derive(Debug)]
pub struct Checked<'a> {
    /// As it was written.
    pub network: &'a Network,
    /// The layers and junctions, in the order in which they are computed.
    pub layers: Vec<CheckedLayer<'a>>,
    /// What the list consists of.
    pub list: Vec<Node>,
    /// Whether everything was checked here: nothing is left to constant evaluation.
    pub is_certain: bool,
}

impl Checked<'_> {
    /// The positions of the layers that each layer reads; `None` for the network's input.
    #[must_use]
    pub fn sources(&self) -> Vec<Vec<Option<usize>>> {
        fn list(
            nodes: &[Node],
            mut before: Option<usize>,
            sources: &mut Vec<Vec<Option<usize>>>,
        ) -> Option<usize> {
            for node in nodes {
                match node {
                    Node::Layer(_) => sources.push(vec![before]),
                    Node::Block { lists, .. } => {
                        let ends: Vec<_> = lists
                            .iter()
                            .map(|nodes| list(nodes, before, sources))
                            .collect();
                        sources.push(ends);
                    }
                }
                before = Some(sources.len() - 1);
            }
            before
        }
        let mut sources = Vec::new();
        list(&self.list, None, &mut sources);
        sources
    }
}

/// What a list consists of, by positions among the layers.
#[derive(Clone, Debug)]
pub enum Node {
    /// A layer.
    Layer(usize),
    /// Lists that read the same input, and the junction that they end in.
    Block {
        /// The junction.
        junction: usize,
        /// The lists; an empty one is the input itself.
        lists: Vec<Vec<Node>>,
    },
}

/// A layer whose meaning is known.
#[derive(Debug)]
pub struct CheckedLayer<'a> {
    /// As it was written.
    pub source: &'a Layer,
    /// The name, given or made.
    pub name: Ident,
    /// What it is.
    pub meaning: Meaning,
    /// Its type in generated code.
    pub kind: TokenStream,
    /// The expression that declares it.
    pub declaration: TokenStream,
    /// What comes out, as far as it can be read here.
    pub output: Shape,
    /// Its part in fusing.
    pub role: Role,
    /// Whether nothing about the layer is left to constant evaluation.
    pub is_certain: bool,
    /// Whether it is applied to every step of a sequence alone.
    pub each_step: bool,
}

/// What a layer is.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// A built-in layer.
    Builtin(&'static Builtin),
    /// The junction of a block.
    Junction(Join),
    /// A network within the network.
    Network,
    /// A function of the user's, number by number.
    Function,
    /// One of several inputs.
    Side,
    /// A type of the user's.
    Custom,
}

impl<'a> CheckedLayer<'a> {
    /// A layer that stands for one that could not be identified; nothing is generated from it.
    #[must_use]
    pub fn nothing(source: &'a Layer, name: Ident) -> Self {
        Self {
            source,
            name,
            meaning: Meaning::Custom,
            kind: TokenStream::new(),
            declaration: TokenStream::new(),
            output: Shape::UNKNOWN,
            role: Role::Plain,
            is_certain: false,
            each_step: false,
        }
    }

    /// What it is called in tables: the kind as it was written, or that of the layer that goes around a block.
    #[must_use]
    pub fn title(&self) -> String {
        match self.meaning {
            Meaning::Builtin(builtin) => builtin.name.to_owned(),
            Meaning::Function => function::title(self.source),
            Meaning::Side => "Input".to_owned(),
            _ => self.source.kind().unraw().to_string(),
        }
    }

    /// Whether it is a type of the user's.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        matches!(self.meaning, Meaning::Custom)
    }

    /// Whether it is a network.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self.meaning, Meaning::Network)
    }

    /// Whether training leaves its numbers as they are.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.source.frozen.is_some()
    }

    /// Whether training has numbers to change, as far as that can be read.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        self.owns_numbers() && !self.is_frozen()
    }

    /// Whether it has parameters or running state, as every layer of the user's may.
    #[must_use]
    pub fn owns_numbers(&self) -> bool {
        match self.meaning {
            Meaning::Builtin(builtin) => builtin.owns_numbers,
            Meaning::Junction(_) | Meaning::Function | Meaning::Side => false,
            Meaning::Custom | Meaning::Network => true,
        }
    }
}
