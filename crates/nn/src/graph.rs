//! A network as a drawing: what flows from which layer into which.

use crate::network::Network;
use plywood_shape::{LayerInfo, Sample, Shape};
use std::fmt::{self, Write as _};
use std::ops::Range;

/// The layers of a network and what flows between them: Mermaid as it is printed, or [`dot`](Self::dot).
///
/// Layers that are computed as one share a frame.
#[derive(Clone, Copy, Debug)]
pub struct Graph {
    name: &'static str,
    input: Shape,
    layers: &'static [LayerInfo],
}

/// What a node is called: a layer by its place, the input by none.
struct Node(Option<usize>);

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(layer) => write!(f, "layer{layer}"),
            None => f.write_str("input"),
        }
    }
}

impl Graph {
    /// That of a network.
    #[must_use]
    pub fn of<N: Network>() -> Self {
        Self {
            name: N::NAME,
            input: N::Input::SHAPE,
            layers: N::LAYERS,
        }
    }

    /// For Graphviz: `dot -Tsvg`.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut dot = String::new();
        self.write_dot(&mut dot)
            .expect("a string takes whatever is written");
        dot
    }

    fn write_dot(&self, f: &mut String) -> fmt::Result {
        writeln!(f, "digraph {} {{", self.name)?;
        writeln!(f, "    node [shape=box, fontname=\"sans-serif\"];")?;
        writeln!(f, "    input [label=\"{}\", shape=oval];", self.input)?;
        for frame in self.frames() {
            if frame.len() > 1 {
                writeln!(f, "    subgraph cluster_{} {{", frame.start)?;
            }
            for layer in frame.clone() {
                let LayerInfo {
                    name, kind, plan, ..
                } = &self.layers[layer];
                let output = plan.output;
                writeln!(f, "    layer{layer} [label=\"{name}: {kind}\\n{output}\"];")?;
            }
            if frame.len() > 1 {
                writeln!(f, "    }}")?;
            }
        }
        for (from, to) in self.edges() {
            writeln!(f, "    {from} -> {to};")?;
        }
        writeln!(f, "}}")
    }

    /// Layers that are computed as one, in order.
    fn frames(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = (0..self.layers.len()).filter(|&layer| self.layers[layer].fused_into == layer);
        starts.map(|start| {
            let rest = &self.layers[start..];
            let len = rest.iter().take_while(|layer| layer.fused_into == start);
            start..start + len.count()
        })
    }

    /// What flows where.
    fn edges(&self) -> impl Iterator<Item = (Node, Node)> {
        self.layers.iter().enumerate().flat_map(|(index, layer)| {
            let inputs = layer.inputs.iter();
            inputs.map(move |input| (Node(input), Node(Some(index))))
        })
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "flowchart TD")?;
        writeln!(f, "    input([\"{}\"])", escaped(self.input))?;
        for frame in self.frames() {
            if frame.len() > 1 {
                writeln!(f, "    subgraph frame{}[\" \"]", frame.start)?;
            }
            for layer in frame.clone() {
                let LayerInfo {
                    name, kind, plan, ..
                } = &self.layers[layer];
                let output = escaped(plan.output);
                writeln!(f, "    layer{layer}[\"{name}: {kind}<br/>{output}\"]")?;
            }
            if frame.len() > 1 {
                writeln!(f, "    end")?;
            }
        }
        for (from, to) in self.edges() {
            writeln!(f, "    {from} --> {to}")?;
        }
        Ok(())
    }
}

/// A shape as HTML wants it.
fn escaped(shape: Shape) -> String {
    shape.to_string().replace('<', "&lt;").replace('>', "&gt;")
}
