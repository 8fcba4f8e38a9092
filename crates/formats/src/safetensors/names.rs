//! The names in a header as they stand there: a JSON parser that builds a map keeps only one of two equal keys.

use std::collections::BTreeSet;

/// The first key that the outermost object of a valid JSON text has twice.
pub(super) fn first_duplicate(header: &[u8]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut depth = 0;
    let mut at = 0;
    while at < header.len() {
        match header[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let end = string_end(header, at);
                // Within the outermost object every value is itself an object, so a string there is a key.
                if depth == 1 {
                    let name = serde_json::from_slice::<String>(&header[at..end]).ok()?;
                    if !seen.insert(name.clone()) {
                        return Some(name);
                    }
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// One past the closing quote of the string that opens at `start`.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::first_duplicate;

    #[test]
    fn finds_equal_keys_of_the_outermost_object_alone() {
        let of = |text: &str| first_duplicate(text.as_bytes());
        assert_eq!(of(r#"{"a":{"x":[1]},"b":{"x":[1]},"c":{"a":"a"}}"#), None);
        assert_eq!(of(r#"{"a":{},"b":{},"a":{}}"#), Some("a".into()));
        assert_eq!(
            of(r#"{"a\"b":{},"b":{},"a\u0022b":{}}"#),
            Some("a\"b".into())
        );
        assert_eq!(of(r#"{"{":{"k":"}"},"}":{}}"#), None);
        assert_eq!(of("{}   "), None);
    }
}
