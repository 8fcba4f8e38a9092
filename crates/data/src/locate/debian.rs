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
    download(places, folder.path(), packages).map_err(|why| explain(&why))?;
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

/// What keeps `apt-get` short where there is no network.
const OPTIONS: [&str; 7] = [
    "-q",
    "-o",
    "Acquire::Retries=0",
    "-o",
    "Acquire::http::Timeout=10",
    "-o",
    "Acquire::https::Timeout=10",
];

/// Downloads `packages` into `folder`; where the system has no lists of packages, with lists of its own, which need no
/// root.
fn download(places: &Places, folder: &Path, packages: &[&str]) -> Result<(), String> {
    let mut plain = command(&places.apt_get, folder);
    let Err(why) = run(plain.args(OPTIONS).arg("download").args(packages)) else {
        return Ok(());
    };
    if !why.contains(NO_LISTS) {
        return Err(why);
    }
    let lists = folder.join("lists");
    if fs::create_dir_all(lists.join("partial")).is_err() {
        return Err(why);
    }
    let own = [
        "-o".to_owned(),
        format!("Dir::State::Lists={}", lists.display()),
        "-o".to_owned(),
        format!("Dir::Cache={}", folder.display()),
    ];
    let mut update = command(&places.apt_get, folder);
    let updated = run(update.args(OPTIONS).args(&own).arg("update"));
    let mut again = command(&places.apt_get, folder);
    again
        .args(OPTIONS)
        .args(&own)
        .arg("download")
        .args(packages);
    updated.and_then(|()| run(&mut again)).map_err(|_| why)
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

/// What `apt-get` says of a package that its lists do not have.
const NO_LISTS: &str = "Unable to locate package";

/// `apt-get`'s words, and what they mean where it has no list of packages.
fn explain(why: &str) -> String {
    if why.contains(NO_LISTS) {
        format!("{why}; apt's package lists are missing or old, `sudo apt-get update` fetches them")
    } else {
        why.to_owned()
    }
}
