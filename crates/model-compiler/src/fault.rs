//! What is wrong with a network, where, and what would help; and how it reaches the user.
//!
//! Faults are collected, never returned early: a user sees all of them at once.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// A stretch of the source, from its first to its last token.
///
/// Stable Rust joins no spans, so both ends are kept and handed to rustc on different tokens.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The first token.
    pub start: Span,
    /// The last token.
    pub end: Span,
}

/// A fault of a network, for its author.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What is underlined.
    pub place: Place,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What would help; empty where nothing can be said.
    pub help: String,
}

/// All faults found so far.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Place {
    /// The place of a single span.
    #[must_use]
    pub fn at(span: Span) -> Self {
        Self {
            start: span,
            end: span,
        }
    }

    /// The place of some tokens; the whole macro call if there are none.
    #[must_use]
    pub fn of(tokens: &impl ToTokens) -> Self {
        let mut spans = tokens
            .to_token_stream()
            .into_iter()
            .map(|token| token.span());
        let start = spans.next().unwrap_or_else(Span::call_site);
        Self {
            start,
            end: spans.last().unwrap_or(start),
        }
    }

    /// From the start of this place to the end of another.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start,
            end: other.end,
        }
    }
}

/// What the parser of Rust says; that the input ends is seen from the place.
impl From<syn::Error> for Fault {
    fn from(error: syn::Error) -> Self {
        let what = error.to_string();
        let what = what
            .strip_prefix("unexpected end of input, ")
            .unwrap_or(&what);
        Self {
            place: Place::at(error.span()),
            what: what.to_owned(),
            help: String::new(),
        }
    }
}

impl Fault {
    /// The message as rustc prints it.
    #[must_use]
    pub fn message(&self) -> String {
        if self.help.is_empty() {
            self.what.clone()
        } else {
            format!("{}\nhelp: {}", self.what, self.help)
        }
    }

    /// `::core::compile_error! { "…" }`, its tokens placed so that rustc underlines the whole place.
    fn to_compile_error(&self) -> TokenStream {
        let Place { start, end } = self.place;
        let punct = |c, spacing| {
            let mut punct = Punct::new(c, spacing);
            punct.set_span(start);
            TokenTree::Punct(punct)
        };
        let ident = |name| TokenTree::Ident(Ident::new(name, start));
        let mut message = Literal::string(&self.message());
        message.set_span(end);
        let mut group = Group::new(Delimiter::Brace, TokenTree::Literal(message).into());
        group.set_span(end);
        TokenStream::from_iter([
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            ident("core"),
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            ident("compile_error"),
            punct('!', Spacing::Alone),
            TokenTree::Group(group),
        ])
    }
}

impl Faults {
    /// Notes a fault.
    pub fn push(&mut self, place: Place, what: impl Into<String>, help: impl Into<String>) {
        self.add(Fault {
            place,
            what: what.into(),
            help: help.into(),
        });
    }

    /// Notes a fault that was found elsewhere.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Notes that a shape rule is broken.
    pub fn rule(&mut self, place: Place, fault: &plywood_shape::Fault) {
        let (what, help) = (fault.what(), fault.help());
        self.push(place, what.as_str(), help.as_str());
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }

    /// Forgets all but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        self.0.truncate(count);
    }

    /// One `compile_error!` a fault.
    #[must_use]
    pub fn to_compile_errors(&self) -> TokenStream {
        self.0.iter().map(Fault::to_compile_error).collect()
    }
}
