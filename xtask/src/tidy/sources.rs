//! What every source file keeps to.

use super::Fault;

/// Past this many lines a file wants to be two.
const MOST_LINES: usize = 600;
/// An example is read from top to bottom.
const MOST_EXAMPLE_LINES: usize = 100;

type Check = fn(&str, &str) -> Vec<Fault>;

const CHECKS: [Check; 7] = [
    opening,
    length,
    no_unsafe,
    forbids_unsafe,
    left_undone,
    facade,
    machine_paths,
];

/// Checks the file at `path`, relative to the root.
pub(super) fn check(path: &str, text: &str) -> Vec<Fault> {
    // Programs that show a message of the compiler are written for it alone.
    if path.contains("/tests/ui/") {
        return Vec::new();
    }
    CHECKS.iter().flat_map(|check| check(path, text)).collect()
}

fn opening(path: &str, text: &str) -> Vec<Fault> {
    if text.starts_with("//!") {
        return Vec::new();
    }
    vec![Fault::new(
        format!("{path}:1"),
        "a file opens with `//!`: what it is and why",
    )]
}

fn length(path: &str, text: &str) -> Vec<Fault> {
    let most = if path.starts_with("examples/") {
        MOST_EXAMPLE_LINES
    } else {
        MOST_LINES
    };
    let lines = text.lines().count();
    if lines <= most {
        return Vec::new();
    }
    vec![Fault::new(path, format!("{lines} lines, at most {most}"))]
}

/// Files outside of the kernels that cannot be written otherwise: the counting allocator of a test, and the peer whose only interface
/// is a function over raw pointers.
const UNSAFE_FILES: [&str; 2] = [
    "crates/plywood/tests/allocation.rs",
    "benches/peers/candle/src/product.rs",
];

/// Whether `path` belongs to the one crate that may hold unsafe code, or to the few exceptions.
fn may_be_unsafe(path: &str) -> bool {
    path.starts_with("crates/kernels/") || UNSAFE_FILES.contains(&path)
}

fn no_unsafe(path: &str, text: &str) -> Vec<Fault> {
    if may_be_unsafe(path) {
        return Vec::new();
    }
    let word = ["un", "safe"].concat();
    let forms = [" {", " fn", " impl"].map(|form| format!("{word}{form}"));
    let found = |line: &str| forms.iter().any(|form| line.contains(form.as_str()));
    lines(path, text, found, "unsafe code outside of the kernels")
}

fn forbids_unsafe(path: &str, text: &str) -> Vec<Fault> {
    let is_root = path.starts_with("crates/")
        && (path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs"));
    if !is_root || may_be_unsafe(path) || text.contains("#![forbid(unsafe_code)]") {
        return Vec::new();
    }
    vec![Fault::new(path, "`#![forbid(unsafe_code)]` is missing")]
}

fn left_undone(path: &str, text: &str) -> Vec<Fault> {
    let words = [
        ["to", "do!("],
        ["TO", "DO"],
        ["FIX", "ME"],
        ["unimple", "mented!("],
    ]
    .map(|word| word.concat());
    let ignored = ["#[ig", "nore"].concat();
    let found = |line: &str| {
        words.iter().any(|word| line.contains(word.as_str()))
            || (line.contains(&ignored) && !line.contains("exhaustive"))
    };
    lines(
        path,
        text,
        found,
        "left undone, or a test that does not run",
    )
}

/// The facade re-exports and documents.
fn facade(path: &str, text: &str) -> Vec<Fault> {
    if !path.starts_with("crates/plywood/src/") {
        return Vec::new();
    }
    let found = |line: &str| {
        ["fn ", "struct ", "enum ", "trait ", "impl", "macro_rules!"]
            .iter()
            .any(|item| {
                line.trim_start()
                    .trim_start_matches("pub ")
                    .starts_with(item)
            })
    };
    lines(path, text, found, "the facade only re-exports")
}

fn machine_paths(path: &str, text: &str) -> Vec<Fault> {
    let folders = ["ho", "ro", "wo"].iter().zip(["me/", "ot/", "rk/"]);
    let folders: Vec<String> = folders
        .map(|(start, end)| format!("\"/{start}{end}"))
        .collect();
    let found = |line: &str| folders.iter().any(|folder| line.contains(folder.as_str()));
    lines(path, text, found, "a path of somebody's machine")
}

fn lines(path: &str, text: &str, found: impl Fn(&str) -> bool, what: &str) -> Vec<Fault> {
    let numbered = text.lines().enumerate().filter(|(_, line)| found(line));
    numbered
        .map(|(index, _)| Fault::new(format!("{path}:{}", index + 1), what))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;

    /// The faults of a file that is `text` behind a proper opening.
    fn faults(path: &str, text: &str) -> usize {
        check(
            path,
            &format!("//! A file.\n#![forbid(unsafe_code)]\n{text}"),
        )
        .len()
    }

    #[test]
    fn a_proper_file_has_no_faults() {
        assert_eq!(faults("crates/nn/src/lib.rs", "fn f() {}\n"), 0);
        assert_eq!(
            check("crates/plywood/tests/ui/fail/x.rs", "fn main() {}").len(),
            0
        );
    }

    #[test]
    fn every_check_can_fail() {
        assert_eq!(check("crates/nn/src/a.rs", "fn f() {}").len(), 1, "opening");
        assert_eq!(faults("crates/nn/src/a.rs", &"\n".repeat(700)), 1, "length");
        assert_eq!(
            faults("examples/a.rs", &"\n".repeat(100)),
            1,
            "length of an example"
        );
        let block = ["un", "safe { f() }"].concat();
        assert_eq!(faults("crates/nn/src/a.rs", &block), 1, "unsafe");
        assert_eq!(
            faults("crates/kernels/src/a.rs", &block),
            0,
            "unsafe in the kernels"
        );
        assert_eq!(
            check("crates/nn/src/lib.rs", "//! A crate.\n").len(),
            1,
            "forbid"
        );
        let undone = ["to", "do!()"].concat();
        assert_eq!(faults("crates/nn/src/a.rs", &undone), 1, "left undone");
        assert_eq!(
            faults("crates/plywood/src/a.rs", "pub fn f() {}"),
            1,
            "facade"
        );
        let path = ["let p = \"/ho", "me/me\";"].concat();
        assert_eq!(faults("crates/nn/src/a.rs", &path), 1, "paths");
    }
}
