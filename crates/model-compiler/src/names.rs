//! The names of the layers: given ones are checked, missing ones made of kind and position.

use crate::builtin;
use crate::fault::{Faults, Place};
use crate::unroll::Instance;
use proc_macro2::Span;
use quote::format_ident;
use std::collections::HashSet;
use syn::Ident;
use syn::ext::IdentExt;

/// Methods that every network has, from the macro or from a trait of the prelude.
const TAKEN: [&str; 19] = [
    "backward",
    "cast",
    "clone",
    "evaluate",
    "forward",
    "graph",
    "load",
    "new",
    "of_numbers",
    "parameters",
    "parameters_mut",
    "predict",
    "save",
    "scatter",
    "seeded",
    "state",
    "state_mut",
    "summary",
    "visit",
];

/// Constants that every network has.
const CONSTANTS: [&str; 16] = [
    "ACTIVATION_BYTES",
    "CHAIN",
    "CHECKED",
    "FLOPS",
    "LAYERS",
    "LAYER_AT",
    "NAME",
    "OFFSETS",
    "PARAMETERS",
    "PLANS",
    "SEGMENTS",
    "SEGMENT_AT",
    "STATE_OFFSETS",
    "STEPS",
    "STEP_AT",
    "TRAINING_FLOPS",
];

/// One name a layer.
#[derive(Debug)]
pub struct Names(Vec<Ident>);

impl Names {
    /// Names for all layers; clashes are noted in `faults`, once for a layer that clashes in every turn.
    pub fn of(layers: &[Instance<'_>], faults: &mut Faults) -> Self {
        // What puts the numbers of a part back is called like it.
        let is_built_in =
            |kind: &str| builtin::find(kind).is_some() || builtin::find_block(kind).is_some();
        let parts = layers.iter().filter(|layer| {
            layer.source.is_network() && !is_built_in(&layer.source.kind().to_string())
        });
        let parts =
            parts.filter_map(|layer| Some((in_turn(layer.source.name.as_ref()?, layer), layer)));
        let mut used: HashSet<String> = HashSet::new();
        let setters: HashSet<String> = parts
            .map(|(name, _)| format!("set_{}", name.unraw()))
            .collect();
        let mut clashing = HashSet::new();
        let mut names: Vec<Option<Ident>> = Vec::new();
        for layer in layers {
            let name = layer.source.name.as_ref().map(|name| in_turn(name, layer));
            let known = faults.iter().len();
            let name = name.filter(|name| is_free(name, &mut used, &setters, faults));
            if faults.iter().len() > known && !clashing.insert(std::ptr::from_ref(layer.source)) {
                faults.truncate(known);
            }
            names.push(name);
        }
        let name = |(index, name): (usize, Option<Ident>)| {
            name.unwrap_or_else(|| made(&layers[index], index, &used))
        };
        Self(names.into_iter().enumerate().map(name).collect())
    }

    /// The name of layer `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Ident {
        self.0[index].clone()
    }
}

/// The name that was given, with the turn behind it where the layer is repeated: `conv_0`, `conv_1`; and what it is where it goes around a
/// block of this name: `body_projection`; which input it is: `both_0`; and which way
/// it goes: `read_ahead`, `read_back`.
fn in_turn(name: &Ident, layer: &Instance<'_>) -> Ident {
    let turns = layer.turns.iter().map(ToString::to_string);
    let projection = layer.projects.then(|| "projection".to_owned());
    let side = layer.side.map(|side| side.to_string());
    let way = layer.way.map(|way| way.name().to_owned());
    turns
        .chain(way)
        .chain(projection)
        .chain(side)
        .fold(name.clone(), |name, more| {
            format_ident!("{}_{more}", name, span = name.span())
        })
}

fn is_free(
    name: &Ident,
    used: &mut HashSet<String>,
    setters: &HashSet<String>,
    faults: &mut Faults,
) -> bool {
    let plain = name.unraw().to_string();
    let (what, help) = if TAKEN.contains(&plain.as_str())
        || is_pass(&plain)
        || setters.contains(&plain)
    {
        let what =
            format!("a layer cannot be called `{plain}`: the network has a method of this name");
        (what, "choose another name")
    } else if CONSTANTS.contains(&plain.as_str()) {
        let what =
            format!("a layer cannot be called `{plain}`: the network has a constant of this name");
        (what, "choose another name")
    } else if used.insert(plain.clone()) {
        return true;
    } else {
        let what = format!("two layers are called `{plain}`");
        (
            what,
            "a name is a method and a key in the saved weights: choose another one",
        )
    };
    faults.push(Place::of(name), what, help);
    false
}

/// Whether this is what the expansion calls a pass or a step: `forward_0`, `step_3`.
fn is_pass(name: &str) -> bool {
    let number = name
        .strip_prefix("forward_")
        .or_else(|| name.strip_prefix("backward_"))
        .or_else(|| name.strip_prefix("step_"));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `max_pool2d_2`, with underscores behind it where a layer has been given that very name.
fn made(layer: &Instance<'_>, index: usize, used: &HashSet<String>) -> Ident {
    let kind = if layer.projects {
        "Projection".to_owned()
    } else if layer.side.is_some() {
        "Input".to_owned()
    } else {
        layer.source.kind().unraw().to_string()
    };
    let layer = layer.source;
    let mut name = format_ident!("{}_{index}", snake_case(&kind), span = Span::call_site());
    while used.contains(&name.to_string()) || is_pass(&name.to_string()) {
        name = format_ident!("{name}_");
    }
    name.set_span(layer.kind().span());
    name
}

fn snake_case(kind: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in kind.char_indices() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::{is_pass, snake_case};

    #[test]
    fn kinds_become_snakes() {
        assert_eq!(snake_case("GlobalAvgPool2d"), "global_avg_pool2d");
        assert_eq!(snake_case("Gru"), "gru");
    }

    #[test]
    fn passes_are_recognised() {
        assert!(is_pass("forward_0") && is_pass("backward_12"));
        assert!(!is_pass("forward_gate"));
    }
}
