//! Taking files out of Debian packages: `apt-get download` and `dpkg-deb -x` need no root and install nothing.

use super::{Places, Search};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Downloads the packages of what is missing into a folder of the cache, unpacks them there, and moves the files in.
pub(super) fn fetch(search: &mut Search, places: &Places, cache: &Path) {
    let mut packages: Vec<_> = search.missing().map(|(_, item)| item.package).collect();
    packages.dedup();
    let what = format!(
        "ran `{} download {}`",
        places.apt_get.join(" "),
        packages.join(" ")
    );
    match unpack(places, cache, &packages) {
        Err(why) => search.note(what, why),
        Ok((_folder, root)) => {
            let within = search.collection.system.trim_start_matches('/');
            let missing: Vec<_> = search.missing().collect();
            for (index, item) in missing {
                let path = cache.join(item.name);
                match fs::rename(root.join(within).join(item.name), &path) {
                    Ok(()) => search.found[index] = Some(path),
                    Err(error) => search.note(
                        format!("unpacked {}", item.package),
                        format!("{within}/{}: {error}", item.name),
                    ),
                }
            }
        }
    }
}

/// The packages unpacked: a folder that vanishes when dropped, and the root within it.
fn unpack(places: &Places, cache: &Path, packages: &[&str]) -> Result<(TempDir, PathBuf), String> {
    let folder = TempDir::new_in(cache).map_err(|error| error.to_string())?;
    let root = folder.path().join("root");
    let options = [
        "-q",
        "-o",
        "Acquire::Retries=0",
        "-o",
        "Acquire::http::Timeout=10",
        "-o",
        "Acquire::https::Timeout=10",
        "download",
    ];
    let mut download = command(&places.apt_get, folder.path());
    run(download.args(options).args(packages)).map_err(|why| explain(&why))?;
    let entries = fs::read_dir(folder.path()).map_err(|error| error.to_string())?;
    for entry in entries {
        let package = entry.map_err(|error| error.to_string())?.path();
        if package
            .extension()
            .is_some_and(|extension| extension == "deb")
        {
            let mut extract = command(&places.dpkg_deb, folder.path());
            run(extract.arg("-x").arg(&package).arg(&root))?;
        }
    }
    Ok((folder, root))
}

fn command(words: &[String], folder: &Path) -> Command {
    let mut command = Command::new(&words[0]);
    // Its messages are read below.
    command
        .args(&words[1..])
        .current_dir(folder)
        .env("LC_ALL", "C");
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end; a failure comes with the errors it printed.
fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<_> = printed
        .lines()
        .filter(|line| !line.starts_with("W:"))
        .collect();
    Err(format!("{} ({})", errors.join("; "), output.status))
}

/// `apt-get`'s words, and what they mean where it has no list of packages.
fn explain(why: &str) -> String {
    if why.contains("Unable to locate package") {
        format!("{why}; apt's package lists are missing or old, `sudo apt-get update` fetches them")
    } else {
        why.to_owned()
    }
}
