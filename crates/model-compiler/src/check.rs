//! From syntax to meaning: every layer is identified, its arguments are read and its shape rule is asked.
//!
//! The rules are those of `plywood-shape`, the very functions that generated code evaluates again. Here they report
//! earlier and better; what cannot be read here is left to them.

use crate::ast::{Layer, Network};
use crate::builtin::Role;
use crate::checked::{Checked, CheckedLayer, Meaning, Node};
use crate::fault::{Faults, Place};
use crate::kinds::{is_certain, shape_of};
use crate::meaning;
use crate::names::Names;
use crate::project;
use crate::reach::Reach;
use crate::sides::{self, Sides};
use crate::unroll::{Instance, Item, Way, unroll};
use plywood_shape::layers::Join;
use plywood_shape::{Shape, chain};
use quote::{quote, quote_spanned};
use syn::{GenericParam, Ident, Type};

/// Checks a whole network; what is wrong is noted in `faults`.
pub fn check<'a>(network: &'a Network, faults: &mut Faults) -> Checked<'a> {
    generics(network, faults);
    sides::check(network, faults);
    let items = unroll(&network.layers, &network.library);
    let mut instances = Vec::new();
    Item::flat(&items, &mut instances);
    let mut reach = Reach::of(shape_of(&network.input));
    let names = Names::of(&instances, faults);
    reach.refuse_empty(&network.input, faults);
    let mut checker = Checker {
        network,
        names,
        layers: Vec::new(),
        is_certain: reach.is_certain(),
        outputs: Vec::new(),
        faults,
    };
    let list = checker.list(&items, &mut reach);
    let Checker {
        layers,
        mut is_certain,
        faults,
        outputs,
        ..
    } = checker;
    match network.layers.last() {
        Some(_) if Sides::of(&network.output).is_some() => {
            outputs_of(network, &outputs, faults);
        }
        Some(last) => output(network, last, reach, faults),
        None => {
            let what = format!("the network `{}` has no layers", network.name);
            let help = "write them in the braces: `{ Dense(64), Relu, Dense(10) }`";
            faults.push(Place::of(&network.name), what, help);
        }
    }
    is_certain &= shape_of(&network.output).is_some_and(self::is_certain);
    Checked {
        network,
        layers,
        list,
        is_certain,
    }
}

/// On the way through the lists.
struct Checker<'a, 'f> {
    network: &'a Network,
    names: Names,
    layers: Vec<CheckedLayer<'a>>,
    is_certain: bool,
    /// What comes out of the lists of `Outputs`, and where they end.
    outputs: Vec<(Reach, Place)>,
    faults: &'f mut Faults,
}

impl<'a> Checker<'a, '_> {
    fn list(&mut self, items: &[Item<'a>], reach: &mut Reach) -> Vec<Node> {
        let nodes = items.iter().filter_map(|item| match item {
            Item::Layer(instance) => Some(self.layer(instance, reach)),
            Item::Block(instance, join, lists) => Some(self.block(instance, *join, lists, reach)),
            Item::Fault(fault) => {
                self.faults.push(fault.place, &*fault.what, &*fault.help);
                None
            }
            Item::Side(instance) => Some(self.side(instance, reach)),
            Item::Projection(_) => unreachable!("a projection is a list of its own"),
        });
        nodes.collect()
    }

    /// The layer on the way around a block, from what reaches the block to what its list yields.
    fn projection(&mut self, instance: &Instance<'a>, from: Reach, to: Reach) -> (Node, Reach) {
        let source = instance.source;
        let name = self.names.get(self.layers.len());
        let is_known = from.is_certain() && to.is_certain();
        let span = source.kind().span();
        let made = is_known
            .then(|| project::between(from.shape(), to.shape(), &self.network.library, span))
            .flatten();
        let Some(made) = made else {
            if is_known || self.faults.is_empty() {
                let (what, help) = no_projection(is_known, from.shape(), to.shape());
                self.faults.push(Place::of(&source.path), what, help);
            }
            return (
                Node::Layer(self.push(CheckedLayer::nothing(source, name))),
                Reach::UNKNOWN,
            );
        };
        let layer = CheckedLayer {
            source,
            name,
            meaning: Meaning::Builtin(made.builtin),
            kind: made.kind,
            declaration: made.declaration,
            output: to.shape(),
            role: made.builtin.role,
            is_certain: true,
            each_step: false,
        };
        (Node::Layer(self.push(layer)), to)
    }

    /// One of the network's inputs.
    fn side(&mut self, instance: &Instance<'a>, reach: &mut Reach) -> Node {
        let number = instance.side.unwrap_or(0);
        let (source, network) = (instance.source, self.network);
        let name = self.names.get(self.layers.len());
        let Some(sides) = Sides::of(&network.input) else {
            *reach = Reach::UNKNOWN;
            return Node::Layer(self.push(CheckedLayer::nothing(source, name)));
        };
        *reach = Reach::of(sides.shape(number));
        let (library, tuple) = (&network.library, sides.tuple);
        let lib = quote!(#library::__private);
        let layer = CheckedLayer {
            meaning: Meaning::Side,
            kind: quote!(#lib::layers::Side),
            declaration: quote!(#lib::layers::Side::of(<#tuple as #lib::Sides>::SIDES, #number)),
            output: reach.shape(),
            is_certain: reach.is_certain(),
            ..CheckedLayer::nothing(source, name)
        };
        Node::Layer(self.push(layer))
    }

    fn layer(&mut self, instance: &Instance<'a>, reach: &mut Reach) -> Node {
        let name = self.names.get(self.layers.len());
        let known = self.faults.iter().len();
        let layer = if instance.each_step {
            self.step(instance.source, name, reach)
        } else {
            let turned = instance.way == Some(Way::Back);
            let to = (turned, &mut *self.faults);
            meaning::of(instance.source, name, self.network, reach, to)
        };
        // What is wrong with a layer that is repeated was said the first time, or comes of the shape that reaches it now.
        if !instance.is_first() && self.is_said(known) {
            self.faults.truncate(known);
        }
        Node::Layer(self.push(layer))
    }

    /// A layer that is applied to every step of a sequence alone.
    fn step(&mut self, source: &'a Layer, name: Ident, reach: &mut Reach) -> CheckedLayer<'a> {
        let (mut step, fault) = reach.step();
        let is_certain = reach.is_certain();
        if let Some(fault) = &fault {
            self.faults.rule(source.place, fault);
            step = Reach::UNKNOWN;
        }
        let to = (false, &mut *self.faults);
        let layer = meaning::of(source, name, self.network, &mut step, to);
        *reach = match fault {
            Some(_) => Reach::UNKNOWN,
            None => step.in_sequence(),
        };
        CheckedLayer {
            output: reach.shape(),
            is_certain: layer.is_certain && is_certain,
            each_step: true,
            ..layer
        }
    }

    /// Whether the faults from number `known` on repeat others.
    fn is_said(&self, known: usize) -> bool {
        let mut faults = self.faults.iter();
        let before: Vec<_> = faults
            .by_ref()
            .take(known)
            .map(|fault| &fault.what)
            .collect();
        faults.all(|fault| before.contains(&&fault.what))
    }

    fn block(
        &mut self,
        instance: &Instance<'a>,
        join: Join,
        lists: &[Vec<Item<'a>>],
        reach: &mut Reach,
    ) -> Node {
        let source = instance.source;
        let (mut nodes, mut outputs) = (Vec::new(), Vec::new());
        for list in lists {
            let mut output = *reach;
            if let ([Item::Projection(around)], Some(target)) = (&list[..], outputs.last()) {
                let (node, projected) = self.projection(around, *reach, *target);
                nodes.push(vec![node]);
                output = projected;
            } else {
                nodes.push(self.list(list, &mut output));
            }
            outputs.push(output);
        }
        if join == Join::Outputs {
            let written = source.block.iter().flatten();
            let ends = written.map(|list| {
                list.last()
                    .map_or(Place::of(&source.path), |last| last.place)
            });
            self.outputs = outputs.iter().copied().zip(ends).collect();
        }
        let (output, fault) = reach.join(&outputs, join);
        if let Some(fault) = fault {
            let place = Place::of(&source.path);
            self.faults.rule(place, &fault);
        }
        let is_certain = reach.is_certain() && outputs.iter().all(|output| output.is_certain());
        *reach = output;
        let library = &self.network.library;
        let span = source.kind().span();
        let root = quote_spanned!(span=> #library::__private::layers);
        let declaration = match join {
            Join::Residual => quote_spanned!(span=> #root::Join::Residual),
            Join::Add => quote_spanned!(span=> #root::Join::Add),
            Join::Inputs => quote_spanned!(span=> #root::Join::Inputs),
            Join::Outputs => quote_spanned!(span=> #root::Join::Outputs),
            Join::Concat(axis) => {
                let axis = Ident::new(&format!("{axis:?}"), span);
                quote_spanned!(span=> #root::Join::Concat(#root::Axis::#axis))
            }
        };
        let layer = CheckedLayer {
            source,
            name: self.names.get(self.layers.len()),
            meaning: Meaning::Junction(join),
            kind: quote_spanned!(span=> #root::Join),
            declaration,
            output: reach.shape(),
            role: Role::Junction,
            is_certain,
            each_step: false,
        };
        Node::Block {
            junction: self.push(layer),
            lists: nodes,
        }
    }

    /// The position of a layer that is added.
    fn push(&mut self, layer: CheckedLayer<'a>) -> usize {
        self.is_certain &= layer.is_certain;
        self.layers.push(layer);
        self.layers.len() - 1
    }
}

fn generics(network: &Network, faults: &mut Faults) {
    for parameter in &network.generics.params {
        let place = Place::of(parameter);
        match parameter {
            GenericParam::Const(size) if size.ident == "T" => {
                faults.push(
                    place,
                    "`T` is the type a network computes in",
                    "give the size another name, such as `N`",
                );
            }
            GenericParam::Const(size) if is_usize(&size.ty) => {}
            _ => {
                let help = "write `<const N: usize>`";
                faults.push(place, "a network leaves nothing open but sizes", help);
            }
        }
    }
}

fn is_usize(kind: &Type) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "usize"))
}

/// Why there is no layer on the way around a block.
fn no_projection(is_known: bool, from: Shape, to: Shape) -> (String, &'static str) {
    if is_known {
        let what = format!("Residual has no projection that makes {to} of {from}");
        let help = "a projection changes the features, and divides the sides of an image";
        return (what, help);
    }
    let what = "`project: true` needs sizes that can be read here".to_owned();
    let help = "write the way around as a list: `Add { { … }, { Dense(SIZE) } }`";
    (what, help)
}

/// Compares what the list yields with what the network declares.
fn output(network: &Network, last: &Layer, reach: Reach, faults: &mut Faults) {
    let Some(declared) = shape_of(&network.output) else {
        return;
    };
    if let Some(fault) = reach.fault(|shape| chain::output_fault(shape, declared)) {
        faults.rule(last.place, &fault);
    }
}

/// Compares what the lists of `Outputs` yield with the outputs that the network declares.
fn outputs_of(network: &Network, outputs: &[(Reach, Place)], faults: &mut Faults) {
    let Some(sides) = Sides::of(&network.output) else {
        return;
    };
    for (number, (reach, place)) in outputs.iter().enumerate() {
        let Some(declared) = sides.shape(number) else {
            continue;
        };
        if let Some(fault) = reach.fault(|shape| chain::output_fault(shape, declared)) {
            faults.rule(*place, &fault);
        }
    }
}

#[cfg(test)]
mod tests;
