//! Why a layer cannot take its input, with the numbers that show it, and what would help.

use crate::{Item, Shape, Size, Text};

/// Why a layer cannot take its input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// The layer at fault, as it is written in a list.
    pub layer: &'static str,
    /// The rule that it breaks.
    pub rule: Rule,
    /// What reaches the layer.
    pub input: Shape,
}

/// A rule about shapes, with the values that break it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// The layer takes another kind of sample.
    Kind {
        /// What it takes, with its article: `a Vector`.
        takes: &'static str,
    },
    /// The network within the network takes another sample.
    Takes {
        /// What it takes.
        takes: Shape,
    },
    /// The layer makes an image of as many numbers as it has.
    Reshape {
        /// What it makes.
        to: Shape,
    },
    /// The layer reads a sequence.
    NeedsSequence,
    /// A kernel or window reaches past its padded input.
    Window {
        /// `height` or `width`.
        axis: &'static str,
        /// Places of the kernel along the axis.
        kernel: usize,
        /// The distance between two of them.
        dilation: usize,
        /// Places of the input along the axis, padding included.
        padded: usize,
    },
    /// A dilated kernel spans more places than can be counted.
    Span {
        /// Places of the kernel.
        kernel: usize,
        /// The distance between two of them.
        dilation: usize,
    },
    /// An argument that must be at least one is zero.
    Zero {
        /// The argument.
        argument: &'static str,
    },
    /// What reaches the layer, or the network itself, has no numbers.
    Empty,
    /// The padding is at least as wide as the kernel, so that some outputs see padding alone.
    Padding {
        /// `height` or `width`.
        axis: &'static str,
        /// Places padded on one side.
        padding: usize,
        /// Places the dilated kernel spans.
        span: usize,
    },
    /// Nothing is left of the output when the padding is cut off.
    Cut {
        /// `height` or `width`.
        axis: &'static str,
        /// Places cut off on both sides together.
        padding: usize,
        /// Places of the output before.
        output: usize,
    },
    /// Channels do not divide into groups.
    Groups {
        /// What does not divide: `channels in` or `filters`.
        of: &'static str,
        /// How many there are.
        count: usize,
        /// How many groups were asked for.
        groups: usize,
    },
    /// A number is out of its range.
    Range {
        /// The argument.
        argument: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// A size leaves the range of `usize`.
    Overflow,
    /// The list ends in another shape than the network declares.
    Output {
        /// What the network declares.
        declared: Shape,
    },
    /// Lists of a block end in shapes that do not go together. What reaches the end is the input of the fault.
    Branch {
        /// What the lists before yield together; the input of the block for a `Residual`.
        first: Shape,
        /// The number of the list, from 1.
        number: usize,
    },
    /// In the words of whoever wrote the layer.
    Custom(&'static str),
}

/// What stands for the layer where the network as a whole is at fault.
pub(crate) const NETWORK: &str = "the network";

/// What recurrent layers take.
pub(crate) const STEPS: &str = "a Sequence of Vectors";

impl Fault {
    /// The fault of `layer`, reached by `input`.
    #[must_use]
    pub const fn new(layer: &'static str, rule: Rule, input: Shape) -> Self {
        Self { layer, rule, input }
    }

    /// What is wrong, in one sentence with both shapes or both numbers.
    #[must_use]
    pub const fn what(&self) -> Text {
        let text = Text::new().text(self.layer);
        match self.rule {
            Rule::Kind { takes } => text
                .text(" takes ")
                .text(takes)
                .text(", but ")
                .shape(self.input)
                .text(" reaches it"),
            Rule::Takes { takes } => text
                .text(" takes ")
                .shape(takes)
                .text(", but ")
                .shape(self.input)
                .text(" reaches it"),
            Rule::Reshape { to } => text
                .text(" makes ")
                .shape(to)
                .text(" of ")
                .size(to.elements())
                .text(" numbers, but ")
                .shape(self.input)
                .text(" reaches it"),
            Rule::NeedsSequence => text
                .text(" takes a Sequence, but ")
                .shape(self.input)
                .text(" reaches it"),
            Rule::Window {
                axis,
                kernel,
                dilation,
                padded,
            } => {
                let text = span(text.text(": a ").text(self.window()), kernel, dilation);
                text.text(" does not fit the ")
                    .text(axis)
                    .text(" of ")
                    .number(padded)
                    .text(" (")
                    .shape(self.input)
                    .text(" reaches it)")
            }
            Rule::Span { kernel, dilation } => text
                .text(": a ")
                .text(self.window())
                .text(" of ")
                .number(kernel)
                .text(" dilated by ")
                .number(dilation)
                .text(" spans more places than can be counted"),
            Rule::Zero { argument } => text.text(": `").text(self.written(argument)).text("` is 0"),
            Rule::Empty if str_eq(self.layer, NETWORK) => text
                .text(" takes ")
                .shape(self.input)
                .text(", which is empty"),
            Rule::Empty => text
                .text(": ")
                .shape(self.input)
                .text(" reaches it, which is empty"),
            Rule::Padding {
                axis,
                padding,
                span,
            } => text
                .text(": a padding of ")
                .number(padding)
                .text(" along the ")
                .text(axis)
                .text(" is as wide as the span of the ")
                .text(self.window())
                .text(", ")
                .number(span),
            Rule::Cut {
                axis,
                padding,
                output,
            } => text
                .text(": a padding of ")
                .number(padding)
                .text(" places leaves nothing of the ")
                .text(axis)
                .text(" of ")
                .number(output)
                .text(" that it is cut from (")
                .shape(self.input)
                .text(" reaches it)"),
            Rule::Groups { of, count, groups } => text
                .text(": ")
                .number(count)
                .text(" ")
                .text(of)
                .text(" do not divide into ")
                .number(groups)
                .text(" groups"),
            Rule::Range { argument, .. } => {
                text.text(": `").text(argument).text("` is out of range")
            }
            Rule::Overflow => text
                .text(" makes a size past usize out of ")
                .shape(self.input),
            Rule::Output { declared } => Text::new()
                .text("the list yields ")
                .shape(self.input)
                .text(", but the network declares ")
                .shape(declared),
            Rule::Branch { first, .. } if str_eq(self.layer, "Residual") => text
                .text(" adds what its list yields to what reaches it, but the list makes ")
                .shape(self.input)
                .text(" of ")
                .shape(first),
            Rule::Branch { first, number } => text
                .text(": list ")
                .number(number)
                .text(" yields ")
                .shape(self.input)
                .text(", which does not go with the ")
                .shape(first)
                .text(" before it"),
            Rule::Custom(why) => text
                .text(": ")
                .text(why)
                .text(" (")
                .shape(self.input)
                .text(" reaches it)"),
        }
    }

    /// What would help, or the empty text.
    #[must_use]
    pub const fn help(&self) -> Text {
        let text = Text::new();
        match self.rule {
            Rule::Kind { takes } if str_eq(takes, STEPS) && !self.input.sequence && self.input.is_index() => {
                text.text("declare the input as `Sequence<Token<…>>`, and put `Embedding(…)` before it")
            }
            Rule::Kind { takes } if str_eq(takes, STEPS) && !self.input.sequence => text.text(
                "a recurrent layer reads steps: declare the input as `Sequence<Vector<…>>`",
            ),
            Rule::Kind { .. } => self.kind_help(),
            Rule::Reshape { .. } if self.input.is_index() => text.text("put `Embedding(…)` before it"),
            Rule::Reshape { to } => text
                .text("let what stands before it end in `Dense(")
                .size(to.elements())
                .text(")`, or choose other sizes"),
            Rule::Takes { takes } => takes_help(self.layer, takes, self.input),
            Rule::NeedsSequence => text.text(
                "let a recurrent layer before this one pass every step on with `returns: sequence`, or declare the input as `Sequence<…>`",
            ),
            Rule::Window {
                dilation, padded, ..
            } => text
                .text("the largest ")
                .text(self.window())
                .text(" that fits is ")
                .number((padded.saturating_sub(1)) / if dilation == 0 { 1 } else { dilation } + 1)
                .text("; or pad with `padding: same`"),
            Rule::Span { .. } => text.text("choose a smaller dilation"),
            Rule::Zero { .. } => text.text("it must be at least 1"),
            Rule::Empty => text.text("every size is at least 1"),
            Rule::Padding { .. } => text
                .text("pad by less than the span of the ")
                .text(self.window())
                .text(", or use `padding: same`"),
            Rule::Cut { .. } => {
                text.text("pad by less: in this layer the padding of both sides is cut off the output")
            }
            Rule::Groups { .. } => text.text("choose a number of groups that divides both"),
            Rule::Branch { first, .. } => branch_help(self.layer, first, self.input),
            Rule::Range { expected, .. } => text.text("it takes ").text(expected),
            Rule::Custom(_) => text,
            Rule::Overflow => text.text("choose smaller sizes"),
            Rule::Output { declared } => output_help(self.input, declared),
        }
    }

    const fn kind_help(&self) -> Text {
        let text = Text::new();
        match self.input.item {
            Item::Image { .. } if str_eq(self.layer, "Embedding") => {
                text.text("an Embedding reads tokens; leave it out")
            }
            Item::Image { .. } if str_eq(self.layer, "Softmax") => {
                text.text("put `Flatten` or `GlobalAvgPool2d` before it, and a `Dense` with as many units as classes")
            }
            Item::Image { .. } => text.text("put `Flatten` or `GlobalAvgPool2d` before it"),
            Item::Token(_) | Item::Class(_) => text.text("put `Embedding(…)` before it"),
            _ if str_eq(self.layer, "Embedding") => text.text(
                "an Embedding reads tokens: declare the input as `Token<…>`, or leave it out",
            ),
            _ => text.text("the layer belongs where an Image is: before `Flatten` and `Dense`"),
        }
    }

    /// The name of the argument at fault, if it is one.
    #[must_use]
    pub const fn argument(&self) -> Option<&'static str> {
        match self.rule {
            Rule::Window { .. } => Some(self.window()),
            Rule::Span { .. } => Some("dilation"),
            Rule::Padding { .. } | Rule::Cut { .. } => Some("padding"),
            Rule::Groups { .. } => Some("groups"),
            Rule::Zero { argument } | Rule::Range { argument, .. } => Some(self.written(argument)),
            _ => None,
        }
    }

    /// What the layer calls what it slides over an image.
    const fn window(&self) -> &'static str {
        if str_eq(self.layer, "MaxPool2d") || str_eq(self.layer, "AvgPool2d") {
            "window"
        } else {
            "kernel"
        }
    }

    /// An argument by the name that the layer has for it.
    const fn written(&self, argument: &'static str) -> &'static str {
        if str_eq(argument, "kernel") {
            self.window()
        } else {
            argument
        }
    }

    /// What is wrong and what would help.
    #[must_use]
    pub const fn message(&self) -> Text {
        let what = self.what();
        let help = self.help();
        if help.as_str().is_empty() {
            what
        } else {
            what.text("\nhelp: ").text(help.as_str())
        }
    }
}

/// ` of 3`, or ` of 3 dilated by 2 spans (3 - 1)*2 + 1 = 5 places, which`.
const fn span(text: Text, kernel: usize, dilation: usize) -> Text {
    let text = text.text(" of ").number(kernel);
    if dilation <= 1 {
        return text;
    }
    text.text(" dilated by ")
        .number(dilation)
        .text(" spans (")
        .number(kernel)
        .text(" - 1)*")
        .number(dilation)
        .text(" + 1 = ")
        .number((kernel - 1) * dilation + 1)
        .text(" places, which")
}

const fn takes_help(layer: &'static str, takes: Shape, found: Shape) -> Text {
    let text = Text::new();
    if found.sequence && !takes.sequence {
        return text
            .text("apply it step by step: `TimeDistributed { ")
            .text(layer)
            .text(" }`");
    }
    if found.is_index() || takes.is_index() {
        return text
            .text("a network that reads tokens stands first, and takes what the whole takes");
    }
    text.text("let what stands before it end in ").shape(takes)
}

const fn output_help(produced: Shape, declared: Shape) -> Text {
    let text = Text::new();
    if produced.sequence && !declared.sequence {
        return text.text("let the last recurrent layer return its last step: `returns: last`");
    }
    if declared.sequence && !produced.sequence {
        return text.text("let the recurrent layers return every step: `returns: sequence`");
    }
    match (produced.item, declared.item) {
        (_, Item::Class(n)) => text
            .text("classes are what a cross-entropy compares with `Logits<")
            .size(n)
            .text(">`: declare these"),
        (_, Item::Token(_)) => text.text("a network yields numbers: declare what the list yields"),
        (Item::Probabilities(_), Item::Logits(_)) => {
            text.text("leave the last Softmax or Sigmoid out: the loss applies it to the logits")
        }
        (Item::Vector(n), Item::Probabilities(m)) if n.fits(m) => {
            text.text("end the list with `Softmax` (or `Sigmoid`), or declare Logits")
        }
        (Item::Image { .. }, Item::Image { .. }) => {
            text.text("change the last layer, or declare what the list yields")
        }
        (
            _,
            Item::Image {
                height,
                width,
                channels,
            },
        ) => text
            .text("end the list with `Reshape(")
            .size(height)
            .text(", ")
            .size(width)
            .text(", ")
            .size(channels)
            .text(")`"),
        (Item::Image { .. }, _) => text
            .text("end the list with `Flatten, Dense(")
            .size(declared.elements())
            .text(")`"),
        (_, Item::Logits(n) | Item::Vector(n) | Item::Real(n)) => last_dense(text, n),
        (_, Item::Probabilities(n)) => last_dense(text, n).text(" and `Softmax`"),
        _ => text.text("declare what the list yields"),
    }
}

const fn branch_help(layer: &'static str, first: Shape, found: Shape) -> Text {
    let text = Text::new();
    if first.sequence != found.sequence {
        return text.text("let the recurrent layers of all lists return the same: `returns: sequence` or `returns: last`");
    }
    if str_eq(layer, "Inputs") {
        return text.text("what lies side by side is of one kind: end every list in a vector, with `Flatten` or `Dense`");
    }
    if str_eq(layer, "Concat") && (!first.is_vector_like() || !found.is_vector_like()) {
        return text.text("lists side by side differ along one axis alone: `Concat(axis: height)`, `width` or `features`");
    }
    if str_eq(layer, "Concat") {
        return text.text("only images have a height and a width: leave `axis` out");
    }
    if !str_eq(layer, "Residual") {
        return text.text("let all lists end in one shape");
    }
    let text = match first.item {
        Item::Image { .. } => {
            text.text("keep the shape with `padding: same` and as many filters as channels")
        }
        _ => text.text("end the list with as many features as reach it"),
    };
    text.text(", or project what goes around it: `Residual(project: true) { … }`")
}

const fn last_dense(text: Text, n: Size) -> Text {
    text.text("end the list with `Dense(").size(n).text(")`")
}

const fn str_eq(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message().as_str())
    }
}
