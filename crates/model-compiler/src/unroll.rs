//! Blocks: which lists they hold, the lists that stand for others several times over, and those that see one step at a time.
//!
//! What comes out is a tree of single layers and of junctions, in the order in which everything is computed: the lists of a
//! junction before the junction itself.

use crate::ast::Layer;
use crate::builtin::{self, Builtin, Role};
use crate::fault::{Fault, Faults, Place};
use crate::given::Given;
use crate::sides;
use plywood_shape::Size;
use plywood_shape::layers::{Axis, Join};
use syn::Path;

/// The most times that a list is repeated.
const MOST_TIMES: usize = 1000;

/// A layer in its place.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    /// As it was written.
    pub source: &'a Layer,
    /// Which of several repetitions it belongs to, outermost first; empty outside of a `Repeat`.
    pub turns: Vec<usize>,
    /// Whether it is the layer on the way around a block that asks for one.
    pub projects: bool,
    /// Whether it is applied to every step of a sequence alone.
    pub each_step: bool,
    /// Which of several inputs it takes out of them all.
    pub side: Option<usize>,
    /// Which way it goes through a sequence, within a `Bidirectional` that holds a list.
    pub way: Option<Way>,
}

/// A way through a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the first step to the last.
    Ahead,
    /// From the last valid step to the first.
    Back,
}

impl Way {
    /// What it is called in the names of layers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Back => "back",
        }
    }
}

impl Instance<'_> {
    /// Whether the layer was not met before.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.turns.iter().all(|turn| *turn == 0) && self.way != Some(Way::Back)
    }
}

/// What a list consists of.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// A layer.
    Layer(Instance<'a>),
    /// Lists that read the same input, and how their outputs are joined.
    Block(Instance<'a>, Join, Vec<Vec<Item<'a>>>),
    /// The layer on the way around a block, which follows from the shapes at both ends of the list before it.
    Projection(Instance<'a>),
    /// One of the network's several inputs.
    Side(Instance<'a>),
    /// What is wrong with the block that stood here.
    Fault(Fault),
}

impl<'a> Item<'a> {
    /// All layers and junctions of some items, in order.
    pub fn flat(items: &[Self], into: &mut Vec<Instance<'a>>) {
        for item in items {
            match item {
                Item::Layer(instance) | Item::Projection(instance) | Item::Side(instance) => {
                    into.push(instance.clone())
                }
                Item::Block(instance, _, lists) => {
                    lists.iter().for_each(|list| Self::flat(list, into));
                    into.push(instance.clone());
                }
                Item::Fault(_) => {}
            }
        }
    }
}

/// The items of a list.
#[must_use]
pub fn unroll<'a>(layers: &'a [Layer], library: &Path) -> Vec<Item<'a>> {
    let whole = Within {
        library,
        turns: Vec::new(),
        each_step: false,
        way: None,
    };
    list(layers, &whole)
}

/// What a list lies in.
#[derive(Clone)]
struct Within<'l> {
    library: &'l Path,
    turns: Vec<usize>,
    each_step: bool,
    way: Option<Way>,
}

fn list<'a>(layers: &'a [Layer], within: &Within<'_>) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    let library = within.library;
    for layer in layers {
        let instance = Instance {
            source: layer,
            turns: within.turns.clone(),
            projects: false,
            each_step: within.each_step,
            side: None,
            way: within.way,
        };
        if let Some(item) = both_ways(&instance, within) {
            items.extend(item);
            continue;
        }
        if within.way == Some(Way::Ahead) {
            items.extend(reads_one_way(layer).map(Item::Fault));
        }
        let block = builtin::find_block(&layer.kind().to_string());
        let Some(block) = block.filter(|_| layer.is_bare()) else {
            items.push(Item::Layer(instance));
            continue;
        };
        let mut faults = Faults::default();
        let given = Given::read(block, layer, library, &mut faults);
        let written = layer.block.as_deref().unwrap_or_default();
        let mut inner = Vec::new();
        refuse_frozen(layer, &mut faults);
        if block.role == Role::Repeat {
            for turn in 0..times(block, layer, &given, &mut faults) {
                let mut within = within.clone();
                within.turns.push(turn);
                let items = written.iter().map(|layers| list(layers, &within));
                inner.extend(items.flatten());
            }
        } else if block.role == Role::EachStep {
            step_by_step(block, layer, within, &mut faults);
            let within = Within {
                each_step: true,
                ..within.clone()
            };
            inner.extend(written.iter().flat_map(|layers| list(layers, &within)));
        } else {
            let join = join(block, layer, &given, &mut faults);
            let lists = written.iter().map(|layers| list(layers, within));
            let mut lists: Vec<_> = lists.collect();
            let mut how = join;
            if block.name == sides::INPUTS {
                for (number, list) in lists.iter_mut().enumerate() {
                    let side = Some(number);
                    let instance = instance.clone();
                    list.insert(0, Item::Side(Instance { side, ..instance }));
                }
            }
            if given.bool_or("project", false) && !lists.is_empty() {
                how = Join::Add;
                lists.push(vec![Item::Projection(Instance {
                    projects: true,
                    ..instance.clone()
                })]);
            } else if join == Join::Residual {
                lists.insert(0, Vec::new());
            }
            inner.push(Item::Block(instance.clone(), how, lists));
        }
        if instance.is_first() {
            items.extend(faults.iter().cloned().map(Item::Fault));
        }
        items.append(&mut inner);
    }
    items
}

/// A `Bidirectional` that holds more than one recurrent layer: the list twice, the second time with its recurrent layers turned round.
fn both_ways<'a>(instance: &Instance<'a>, within: &Within<'_>) -> Option<Vec<Item<'a>>> {
    let layer = instance.source;
    let builtin = builtin::find(&layer.kind().to_string()).filter(|_| layer.is_bare())?;
    let [written] = layer.block.as_deref()? else {
        return None;
    };
    if builtin.role != Role::Bidirectional || written.len() < 2 || !written.iter().any(recurs) {
        return None;
    }
    let mut faults = Faults::default();
    let given = Given::read(builtin, layer, within.library, &mut faults);
    refuse_frozen(layer, &mut faults);
    let lists = [Way::Ahead, Way::Back].map(|way| {
        let way = match (within.way, way) {
            // Turned round twice.
            (Some(Way::Back), Way::Back) => Way::Ahead,
            (Some(Way::Back), Way::Ahead) => Way::Back,
            (_, way) => way,
        };
        list(
            written,
            &Within {
                way: Some(way),
                ..within.clone()
            },
        )
    });
    let join = match given.word("merge") {
        Some("sum") => Join::Add,
        _ => Join::Concat(Axis::Features),
    };
    let faults = faults.iter().filter(|_| instance.is_first()).cloned();
    let block = Item::Block(instance.clone(), join, lists.into());
    Some(faults.map(Item::Fault).chain([block]).collect())
}

/// Whether there is a recurrent layer in it.
fn recurs(layer: &Layer) -> bool {
    let builtin = builtin::find(&layer.kind().to_string()).filter(|_| layer.is_bare());
    let is_recurrent =
        builtin.is_some_and(|b| matches!(b.role, Role::Recurrent | Role::Bidirectional));
    is_recurrent || layer.block.iter().flatten().flatten().any(recurs)
}

/// What cannot be turned round: how types of the user's read a sequence is unknown.
fn reads_one_way(layer: &Layer) -> Option<Fault> {
    let name = layer.kind().to_string();
    let is_known = builtin::find(&name).is_some() || builtin::find_block(&name).is_some();
    if layer.is_bare() && (is_known || name == crate::function::NAME) {
        return None;
    }
    Some(Fault {
        place: layer.place,
        what: format!("`Bidirectional` cannot turn `{name}` round"),
        help: "write the layers of a network out; a layer of your own stands before or behind"
            .to_owned(),
    })
}

/// Looks at a list that is applied to every step alone.
fn step_by_step(block: &Builtin, layer: &Layer, within: &Within<'_>, faults: &mut Faults) {
    let lists = layer.block.as_deref().unwrap_or_default();
    let is_one = lists.len() == 1 && !lists[0].is_empty();
    let (what, help) = if within.each_step {
        (
            "a step of a sequence is no sequence",
            "leave the inner `TimeDistributed` out".to_owned(),
        )
    } else if !is_one {
        (
            "`TimeDistributed` holds one list of layers in braces",
            format!("write `{}`", block.example),
        )
    } else {
        return;
    };
    faults.push(Place::of(&layer.path), what, help);
}

fn refuse_frozen(layer: &Layer, faults: &mut Faults) {
    if let Some(frozen) = &layer.frozen {
        let help = "write it before each layer in the block, or make the list a network of its own";
        let what = "`frozen` stands before a layer or a network";
        faults.push(Place::of(frozen), what, help);
    }
}

/// How often a list is repeated; once where that cannot be read, so that the list is looked at.
fn times(block: &Builtin, layer: &Layer, given: &Given, faults: &mut Faults) -> usize {
    let (what, help) = match given.size("times") {
        _ if layer.block.as_ref().is_none_or(|lists| lists.len() != 1) => (
            "`Repeat` holds one list of layers in braces",
            format!("write `{}`", block.example),
        ),
        Size::Known(times @ 1..=MOST_TIMES) => return times,
        Size::Known(_) => (
            "`times` of `Repeat` is out of range",
            format!("it takes a number from 1 to {MOST_TIMES}"),
        ),
        _ if given.is_spoiled() => return 1,
        _ => (
            "`Repeat` needs a number that can be read here",
            "write it as a literal: the list is written out while the macro expands".to_owned(),
        ),
    };
    faults.push(Place::of(&layer.path), what, help);
    1
}

fn join(block: &Builtin, layer: &Layer, given: &Given, faults: &mut Faults) -> Join {
    let lists = layer.block.as_deref().unwrap_or_default();
    let is_empty = lists.iter().all(Vec::is_empty);
    let join = match block.name {
        "Residual" => Join::Residual,
        "Add" => Join::Add,
        sides::INPUTS => Join::Inputs,
        sides::OUTPUTS => Join::Outputs,
        _ => Join::Concat(match given.word("axis") {
            Some("height") => Axis::Height,
            Some("width") => Axis::Width,
            _ => Axis::Features,
        }),
    };
    if !given.is_certain() && !given.is_spoiled() {
        let what = format!("an argument of `{}` cannot be read here", block.name);
        let help = "write it as a literal: what the block consists of depends on it";
        faults.push(layer.place, what, help);
    }
    let what = match (join, lists.len()) {
        (Join::Residual, 1) if !is_empty => return join,
        (Join::Residual, _) => "`Residual` holds one list of layers in braces".to_owned(),
        (_, 0 | 1) => format!("`{}` holds several lists in braces", block.name),
        _ if !is_empty || matches!(join, Join::Inputs | Join::Outputs) => return join,
        _ => format!("all lists of this `{}` are empty", block.name),
    };
    let write = format!("write `{}`", block.example);
    faults.push(Place::of(&layer.path), what, write);
    join
}
