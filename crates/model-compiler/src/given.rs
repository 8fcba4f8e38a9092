//! The arguments of a built-in layer, matched with what it takes.

use crate::ast::{Argument, Layer};
use crate::builtin::{Builtin, Parameter, REVERSE, find};
use crate::fault::{Faults, Place};
use crate::similar::closest;
use crate::value::{Known, Reading};
use plywood_shape::{Fault, Padding, Size, Window};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Path;

/// The arguments that were given to a built-in layer.
#[derive(Clone, Debug, Default)]
pub struct Given {
    readings: Vec<(&'static str, Reading)>,
    /// Whether some argument could not be used: what was not given is then unknown, not the default.
    spoiled: bool,
    within: Option<(&'static str, Box<Given>)>,
}

impl Given {
    /// Matches the arguments of `layer` with what `builtin` takes.
    pub fn read(builtin: &Builtin, layer: &Layer, library: &Path, faults: &mut Faults) -> Self {
        let mut given = Self {
            spoiled: !layer.is_whole,
            ..Self::default()
        };
        let mut positional = builtin.positional.iter();
        for argument in &layer.arguments {
            let parameter = match &argument.name {
                None => positional.next(),
                Some(name) => builtin.parameter(&name.to_string()),
            };
            let reading = match parameter {
                None => refuse(builtin, argument, faults),
                Some(parameter) => given.take(parameter, argument, builtin, library, faults),
            };
            match reading {
                Some(reading) => given.readings.push(reading),
                None => given.spoiled = true,
            }
        }
        for parameter in builtin.positional {
            let missing = parameter.default.is_none() && given.known(parameter.name).is_none();
            if missing && !given.spoiled {
                let what = format!("`{}` needs `{}`", builtin.name, parameter.name);
                faults.push(layer.place, what, format!("write `{}`", builtin.example));
                given.spoiled = true;
            }
        }
        given
    }

    fn take(
        &self,
        parameter: &'static Parameter,
        argument: &Argument,
        builtin: &Builtin,
        library: &Path,
        faults: &mut Faults,
    ) -> Option<(&'static str, Reading)> {
        let (layer, name) = (builtin.name, parameter.name);
        if self.known(name).is_some() {
            let what = format!("`{name}` of `{layer}` is given twice");
            faults.push(argument.place, what, "leave one of the two out");
            return None;
        }
        let Ok(reading) = parameter.kind.read(&argument.value, library) else {
            let what = format!(
                "`{name}` of `{layer}` cannot be `{}`",
                argument.value.text()
            );
            let help = format!("it takes {}", parameter.kind.expected());
            faults.push(argument.place, what, help);
            return None;
        };
        Some((name, reading))
    }

    /// The layer in the braces of `Bidirectional`, and its arguments.
    #[must_use]
    pub fn within(&self) -> Option<(&'static str, &Self)> {
        self.within.as_ref().map(|(name, given)| (*name, &**given))
    }

    /// Notes the layer in the braces of `Bidirectional`.
    pub fn enclose(&mut self, name: &'static str, within: Self) {
        self.within = Some((name, Box::new(within)));
    }

    /// Turns a recurrent layer round.
    pub fn turn_round(&mut self) {
        let found = self
            .readings
            .iter_mut()
            .find(|reading| reading.0 == REVERSE);
        if let Some((_, Reading { tokens, known })) = found {
            *tokens = quote!(!(#tokens));
            if let Known::Bool(Some(reverse)) = known {
                *reverse = !*reverse;
            }
            return;
        }
        let known = Known::Bool(Some(true));
        let tokens = quote!(true);
        self.readings.push((REVERSE, Reading { tokens, known }));
    }

    /// Whether some argument could not be used.
    #[must_use]
    pub fn is_spoiled(&self) -> bool {
        self.spoiled || self.within().is_some_and(|(_, within)| within.is_spoiled())
    }

    /// Whether nothing about the arguments is left to constant evaluation.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        let own = self
            .readings
            .iter()
            .all(|(_, reading)| reading.known.is_certain());
        own && !self.spoiled && self.within().is_none_or(|(_, within)| within.is_certain())
    }

    /// The declaration of the layer in generated code: `Conv2d::new(32).kernel([3, 3])`.
    #[must_use]
    pub fn declaration(&self, builtin: &Builtin, kind: &syn::Ident, library: &Path) -> TokenStream {
        let span = kind.span();
        let new = match self.within() {
            Some((name, within)) => {
                let name = syn::Ident::new(name, span);
                let builtin = find(&name.to_string());
                let layer = builtin.map(|builtin| within.declaration(builtin, &name, library));
                quote_spanned!(span=> #library::__private::layers::Recurrent::#name(#layer))
            }
            None => {
                let values = builtin.positional.iter().map(|p| self.positional(p));
                quote!(#(#values),*)
            }
        };
        let named = builtin.named.iter().filter_map(|parameter| {
            let method = format_ident!("{}", parameter.name, span = span);
            let tokens = self.tokens(parameter.name)?;
            Some(quote_spanned!(span=> .#method(#tokens)))
        });
        quote_spanned!(span=> #library::__private::layers::#kind::new(#new) #(#named)*)
    }

    fn positional(&self, parameter: &Parameter) -> TokenStream {
        let tokens = self.tokens(parameter.name).cloned();
        tokens.unwrap_or_else(|| {
            let default = parameter.default.unwrap_or("0");
            default.parse().expect("a default is a literal")
        })
    }

    fn tokens(&self, name: &str) -> Option<&TokenStream> {
        let found = self.readings.iter().find(|reading| reading.0 == name);
        found.map(|(_, reading)| &reading.tokens)
    }

    fn known(&self, name: &str) -> Option<Known> {
        let found = self.readings.iter().find(|reading| reading.0 == name);
        found.map(|(_, reading)| reading.known)
    }

    /// A size that must be given.
    #[must_use]
    pub fn size(&self, name: &str) -> Size {
        match self.known(name) {
            Some(Known::Size(size)) => size,
            _ => Size::Unknown,
        }
    }

    /// A size with a default.
    #[must_use]
    pub fn size_or(&self, name: &str, default: usize) -> Size {
        match self.known(name) {
            Some(Known::Size(size)) => size,
            None if !self.spoiled => Size::Known(default),
            _ => Size::Unknown,
        }
    }

    /// A truth value; one that is not known changes no shape.
    #[must_use]
    pub fn bool_or(&self, name: &str, default: bool) -> bool {
        match self.known(name) {
            Some(Known::Bool(Some(bool))) => bool,
            _ => default,
        }
    }

    /// A real number; one that is not known passes for the default, which no rule refuses.
    #[must_use]
    pub fn float_or(&self, name: &str, default: f64) -> f64 {
        match self.known(name) {
            Some(Known::Float(Some(float))) => float,
            _ => default,
        }
    }

    /// A word, if it was given.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&'static str> {
        match self.known(name) {
            Some(Known::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The window of a convolution.
    #[must_use]
    pub fn window(&self, kernel: [usize; 2]) -> Window {
        let kernel = self.pair_or("kernel", kernel.map(Size::Known));
        self.padded(Window {
            kernel,
            stride: self.pair_or("stride", [Size::Known(1); 2]),
            dilation: self.pair_or("dilation", [Size::Known(1); 2]),
            padding: Padding::Valid,
        })
    }

    /// The window of a pool, which moves by its own size unless a stride is given.
    #[must_use]
    pub fn pool_window(&self) -> Window {
        let window = self.pair_or("window", [Size::Unknown; 2]);
        self.padded(Window::new(window, self.pair_or("stride", window)))
    }

    fn pair_or(&self, name: &str, default: [Size; 2]) -> [Size; 2] {
        match self.known(name) {
            Some(Known::Pair(pair)) => pair,
            None if !self.spoiled => default,
            _ => [Size::Unknown; 2],
        }
    }

    /// A padding has no unknown sizes; an unknown stride leaves the output as open.
    fn padded(&self, mut window: Window) -> Window {
        match self.known("padding") {
            Some(Known::Padding(Some(padding))) => window.padding = padding,
            None if !self.spoiled => {}
            _ => window.stride = [Size::Unknown; 2],
        }
        window
    }
}

impl Builtin {
    fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        let mut all = self.positional.iter().chain(self.named);
        all.find(|parameter| parameter.name == name)
    }

    /// Where a shape rule's fault lies: at the argument that breaks the rule, if one was written.
    #[must_use]
    pub fn place(&self, layer: &Layer, fault: &Fault) -> Place {
        let within = layer.block.iter().flatten().flatten().next();
        let other = find(fault.layer).filter(|other| other.name != self.name);
        if let (Some(within), Some(other)) = (within, other) {
            return other.place(within, fault);
        }
        let Some(name) = fault.argument() else {
            return layer.place;
        };
        let (arguments, mut positional) = (layer.arguments.iter(), self.positional.iter());
        let mut names = arguments.map(|argument| match &argument.name {
            Some(name) => (argument, name.to_string()),
            None => (
                argument,
                positional.next().map_or("", |p| p.name).to_owned(),
            ),
        });
        let found = names.find(|(_, written)| written == name);
        found.map_or(layer.place, |(argument, _)| argument.place)
    }

    /// The names of its arguments, in backticks.
    fn names(parameters: &[Parameter]) -> String {
        let names: Vec<_> = parameters.iter().map(|p| format!("`{}`", p.name)).collect();
        names.join(", ")
    }
}

/// Notes that a layer of the user's takes expressions alone.
pub fn refuse_fields(layer: &Layer, argument: &Argument, faults: &mut Faults) {
    let (kind, written) = (layer.kind(), argument.value.text());
    let what = format!("an argument of `{kind}` cannot be `{written}`");
    let alone = written
        .strip_prefix('(')
        .and_then(|fields| fields.strip_suffix(')'));
    let alone = alone.unwrap_or(&written);
    let help = format!(
        "a layer of your own takes Rust expressions: write `{alone}`, each an argument by itself"
    );
    faults.push(argument.place, what, help);
}

/// Notes that there is no such argument.
fn refuse<R>(builtin: &Builtin, argument: &Argument, faults: &mut Faults) -> Option<R> {
    let layer = builtin.name;
    let Some(name) = &argument.name else {
        let what = match builtin.positional.len() {
            0 => format!("`{layer}` takes no argument without a name"),
            _ => format!(
                "`{layer}` takes only {} without a name",
                Builtin::names(builtin.positional)
            ),
        };
        let help = match builtin.named {
            [] => format!("write `{}`", builtin.example),
            named => format!("name this one: {}", Builtin::names(named)),
        };
        faults.push(argument.place, what, help);
        return None;
    };
    let what = format!("`{layer}` has no argument `{name}`");
    let written = name.to_string();
    let names = builtin
        .positional
        .iter()
        .chain(builtin.named)
        .map(|p| p.name);
    let help = match (written.as_str(), closest(&written, names)) {
        ("activation", _) => {
            format!(
                "an activation stands behind the layer: `{}, Relu`",
                builtin.example
            )
        }
        ("name", _) => {
            format!(
                "a name stands before the layer: `first: {}`",
                builtin.example
            )
        }
        (_, Some(name)) => format!("did you mean `{name}`?"),
        _ if builtin.positional.is_empty() && builtin.named.is_empty() => {
            format!("it takes none: write `{}`", builtin.example)
        }
        _ => {
            let mut names = Builtin::names(builtin.positional);
            if !builtin.positional.is_empty() && !builtin.named.is_empty() {
                names.push_str(", ");
            }
            format!("it takes {names}{}", Builtin::names(builtin.named))
        }
    };
    faults.push(argument.place, what, help);
    None
}
