//! Crates depend downwards only.

use super::Fault;
use serde_json::Value;

/// The sheets, bottom to top; a crate may depend on those before it.
const ORDER: [&str; 11] = [
    "plywood-shape",
    "plywood-kernels",
    "plywood-tensor",
    "plywood-autograd",
    "plywood-nn",
    "plywood-model-compiler",
    "plywood-model",
    "plywood-data",
    "plywood-formats",
    "plywood-train",
    "plywood",
];

/// Pairs that stand in the order but know nothing of each other.
const STRANGERS: [(&str, &str); 5] = [
    ("plywood-model-compiler", "plywood-kernels"),
    ("plywood-model-compiler", "plywood-nn"),
    ("plywood-data", "plywood-nn"),
    ("plywood-formats", "plywood-data"),
    ("plywood-data", "plywood-model"),
];

/// What tests may use although it lies above.
const FOR_TESTS: [(&str, &str); 1] = [("plywood-nn", "plywood-model")];

pub(super) fn check(metadata: &Value) -> Vec<Fault> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.flat_map(check_package).collect()
}

fn check_package(package: &Value) -> Vec<Fault> {
    let name = package["name"].as_str().unwrap_or_default();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let ours = dependencies.filter(|dependency| {
        let name = dependency["name"].as_str().unwrap_or_default();
        name == "plywood" || name.starts_with("plywood-")
    });
    ours.filter_map(|dependency| {
        let on = dependency["name"].as_str().unwrap_or_default();
        let for_tests = dependency["kind"].as_str() == Some("dev");
        (!allowed(name, on, for_tests)).then(|| {
            Fault::new(
                format!("{name}/Cargo.toml"),
                format!("depends on {on}, which does not lie below it"),
            )
        })
    })
    .collect()
}

fn allowed(name: &str, on: &str, for_tests: bool) -> bool {
    if name == "xtask"
        // A crate that depends on itself does so for a feature that its tests turn on.
        || (for_tests && (on == name || on == "plywood-testing" || FOR_TESTS.contains(&(name, on))))
    {
        return true;
    }
    let place = |name: &str| ORDER.iter().position(|known| *known == name);
    match (place(name), place(on)) {
        // The facade's examples want features of what it depends on already.
        (Some(above), Some(below)) => below < above && !STRANGERS.contains(&(name, on)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{allowed, check};
    use serde_json::json;

    #[test]
    fn only_what_lies_below_is_allowed() {
        assert!(allowed("plywood-nn", "plywood-shape", false));
        assert!(!allowed("plywood-shape", "plywood-nn", false));
        assert!(!allowed("plywood-formats", "plywood-data", false));
        assert!(allowed("plywood-nn", "plywood-model", true));
        assert!(!allowed("plywood-nn", "plywood-model", false));
        assert!(allowed("plywood-data", "plywood-data", true));
        assert!(!allowed("plywood-testing", "plywood-shape", false));
    }

    #[test]
    fn a_fault_names_both() {
        let metadata = json!({"packages": [{
            "name": "plywood-shape",
            "dependencies": [{"name": "plywood-nn", "kind": null}, {"name": "syn", "kind": null}],
        }]});
        let faults = check(&metadata);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].place.contains("plywood-shape") && faults[0].what.contains("plywood-nn"));
    }
}
