//! Names that were probably meant.

use strsim::damerau_levenshtein;

/// The candidate that `written` is a misspelling of: equal but for case, or within two edits (one, for names of up to
/// four letters).
pub fn closest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let most = if written.len() <= 4 { 1 } else { 2 };
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn distance(written: &str, candidate: &str) -> usize {
    if written.eq_ignore_ascii_case(candidate) {
        return 0;
    }
    damerau_levenshtein(written, candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    const NAMES: [&str; 4] = ["Conv2d", "Dense", "Gru", "Relu"];

    #[test]
    fn two_edits_or_another_case_are_a_misspelling() {
        assert_eq!(closest("Conv2D", NAMES), Some("Conv2d"));
        assert_eq!(closest("Denes", NAMES), Some("Dense"));
        assert_eq!(closest("RELU", NAMES), Some("Relu"));
        assert_eq!(closest("GRU", NAMES), Some("Gru"));
    }

    #[test]
    fn other_names_are_names_of_their_own() {
        assert_eq!(closest("Attention", NAMES), None);
        assert_eq!(closest("Elu", NAMES), None);
        assert_eq!(closest("Mish", NAMES), None);
        assert_eq!(closest("Rule", NAMES), None);
        assert_eq!(closest("Reul", NAMES), Some("Relu"));
    }
}
