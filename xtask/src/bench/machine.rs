//! What the machine is, how busy it is, and where results go.

use crate::Outcome;
use std::path::Path;

/// How many threads wanted a processor over the last minute, where the system tells it.
pub(super) fn load() -> Option<f64> {
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    load.split(' ').next()?.parse().ok()
}

/// The processor's name, where the system tells it.
pub(super) fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(
        || "an unknown processor".to_owned(),
        |(_, name)| name.to_owned(),
    )
}

pub(super) fn save(root: &Path, name: &str, text: &str) -> Outcome {
    std::fs::write(root.join(name), text).map_err(|error| format!("{name}: {error}"))
}
