//! Every way a file can be found or not, against folders, a server on this machine, and scripts in apt's place.

use super::{Collection, Item, Places, locate};
use crate::DataError;
use crate::error::Missing;
use crate::testing::{Server, write};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

static PAIR: Collection = Collection {
    name: "Pair",
    folder: "pair",
    system: "/usr/share/pair",
    files: &[
        Item {
            name: "one.gz",
            // The MD5 of `1`.
            md5: Some("c4ca4238a0b923820dcc509a6f75849b"),
            package: "pair-one",
        },
        Item {
            name: "two",
            // The MD5 of `2`.
            md5: Some("c81e728d9d4c2f636f067f89cc14862c"),
            package: "pair-two",
        },
    ],
    upstream: &[],
};

/// Places of which none has anything yet; the programs do not exist.
struct Machine {
    system: TempDir,
    cache: TempDir,
    places: Places,
}

fn machine() -> Machine {
    let (system, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let places = Places {
        explicit: None,
        system: system.path().to_owned(),
        cache: Some(cache.path().join("pair")),
        upstream: Vec::new(),
        apt_get: vec!["/nonexistent/apt-get".into()],
        dpkg_deb: vec!["/nonexistent/dpkg-deb".into()],
    };
    Machine {
        system,
        cache,
        places,
    }
}

fn missing(places: &Places) -> Missing {
    match locate(&PAIR, places) {
        Err(DataError::NotFound(missing)) => *missing,
        other => panic!("{other:?}"),
    }
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn takes_each_file_from_the_first_place_that_has_it() {
    let machine = machine();
    let cache = machine.places.cache.clone().unwrap();
    fs::create_dir(&cache).unwrap();
    // Unpacked, it serves as well.
    let one = write(&machine.system, "one", b"1");
    fs::write(cache.join("one.gz"), b"1").unwrap();
    fs::write(cache.join("two"), b"2").unwrap();
    assert_eq!(
        locate(&PAIR, &machine.places).unwrap(),
        [one, cache.join("two")]
    );
}

#[test]
fn a_named_folder_is_the_only_place() {
    let mut machine = machine();
    write(&machine.system, "one", b"1");
    write(&machine.system, "two", b"2");
    let named = TempDir::new().unwrap();
    let two = write(&named, "two", b"2");
    machine.places.explicit = Some(named.path().to_owned());
    let error = missing(&machine.places);
    assert_eq!(error.files, ["one.gz"]);
    assert_eq!(error.attempts.len(), 1);
    assert_eq!(error.attempts[0].result, "it lacks one.gz");
    machine.places.explicit = Some(two);
    assert_eq!(
        missing(&machine.places).attempts[0].result,
        "it is not a folder"
    );
    machine.places.explicit = Some(named.path().join("nothing"));
    assert_eq!(
        missing(&machine.places).attempts[0].result,
        "there is no such folder"
    );
}

#[test]
fn says_every_place_and_the_command_that_mends_it() {
    let machine = machine();
    let error = missing(&machine.places);
    let text = error.to_string();
    assert!(
        text.starts_with("Pair was not found; missing: one.gz, two\n"),
        "{text}"
    );
    for place in [machine.system.path(), &machine.cache.path().join("pair")] {
        assert!(
            text.contains(&format!("looked in {}", place.display())),
            "{text}"
        );
    }
    assert!(
        text.contains("`sudo apt-get install pair-one pair-two`"),
        "{text}"
    );
}

#[cfg(feature = "download")]
mod downloads {
    use super::*;

    #[test]
    fn fetches_what_is_missing_and_finds_it_again() {
        let server = Server::new(&[("/data/one.gz", b"1"), ("/data/two", b"2")]);
        let mut machine = machine();
        machine.places.upstream = vec![format!("{}/data/", server.address)];
        let cache = machine.places.cache.clone().unwrap();
        let expected = [cache.join("one.gz"), cache.join("two")];
        assert_eq!(locate(&PAIR, &machine.places).unwrap(), expected);
        assert_eq!(fs::read(&expected[1]).unwrap(), b"2");
        drop(server);
        assert_eq!(locate(&PAIR, &machine.places).unwrap(), expected);
    }

    #[test]
    fn refuses_a_corrupted_file_and_leaves_nothing_of_it() {
        let bad = Server::new(&[("/one.gz", b"1"), ("/two", b"3")]);
        let mut machine = machine();
        machine.places.upstream = vec![bad.address.clone()];
        let error = missing(&machine.places);
        assert_eq!(error.files, ["two"]);
        let attempt = error
            .attempts
            .iter()
            .find(|a| a.what.ends_with("/two"))
            .unwrap();
        assert_eq!(
            attempt.result,
            "refused: its MD5 is eccbc87e4b5ce2fe28308fd9f2a7baf3, \
             expected c81e728d9d4c2f636f067f89cc14862c"
        );
        assert_eq!(names(&machine.cache.path().join("pair")), ["one.gz"]);
    }

    #[test]
    fn asks_the_next_address_when_one_fails() {
        let empty = Server::new(&[]);
        let good = Server::new(&[("/one.gz", b"1"), ("/two", b"2")]);
        let mut machine = machine();
        machine.places.upstream = vec![empty.address.clone(), good.address.clone()];
        assert_eq!(locate(&PAIR, &machine.places).unwrap().len(), 2);
        machine.places.upstream.pop();
        machine.places.cache = Some(machine.cache.path().join("other"));
        let error = missing(&machine.places);
        let asked: Vec<_> = error
            .attempts
            .iter()
            .filter(|a| a.what.starts_with("asked http"))
            .collect();
        assert_eq!(asked.len(), 1, "an address that fails is asked once");
        assert!(asked[0].result.contains("404"), "{asked:?}");
    }

    /// A shell script in place of a program.
    #[cfg(unix)]
    fn script(folder: &TempDir, name: &str, text: &str) -> Vec<String> {
        let path = write(folder, name, text.as_bytes());
        vec!["sh".into(), path.display().to_string()]
    }

    #[test]
    #[cfg(unix)]
    fn takes_files_out_of_debian_packages() {
        let programs = TempDir::new().unwrap();
        let mut machine = machine();
        machine.places.apt_get = script(&programs, "apt", "touch pair-one.deb pair-two.deb");
        machine.places.dpkg_deb = script(
            &programs,
            "dpkg",
            r#"[ "$1" = -x ] && mkdir -p "$3/usr/share/pair" && cd "$3/usr/share/pair" && echo 1 > one.gz && echo 2 > two"#,
        );
        let cache = machine.places.cache.clone().unwrap();
        let found = locate(&PAIR, &machine.places).unwrap();
        assert_eq!(found, [cache.join("one.gz"), cache.join("two")]);
        assert_eq!(
            names(&cache),
            ["one.gz", "two"],
            "the unpacked rest is gone"
        );
    }

    #[test]
    #[cfg(unix)]
    fn explains_missing_package_lists_and_programs() {
        let programs = TempDir::new().unwrap();
        let mut machine = machine();
        let text = missing(&machine.places).to_string();
        assert!(
            text.contains("/nonexistent/apt-get: No such file"),
            "{text}"
        );
        let complaint =
            "echo 'W: noise' >&2; echo 'E: Unable to locate package pair-one' >&2; exit 100";
        machine.places.apt_get = script(&programs, "apt", complaint);
        let text = missing(&machine.places).to_string();
        assert!(
            text.contains("E: Unable to locate package pair-one"),
            "{text}"
        );
        assert!(
            text.contains("`sudo apt-get update` fetches them"),
            "{text}"
        );
        assert!(!text.contains("noise"), "{text}");
    }

    #[test]
    fn says_when_the_cache_cannot_be_made() {
        let mut machine = machine();
        let file = write(&machine.system, "file", b"");
        machine.places.cache = Some(file.join("cache"));
        assert!(
            missing(&machine.places)
                .to_string()
                .contains("tried to make ")
        );
    }
}
