//! Finding the files of a data set: a folder the user names, the system's place, the user's cache, or fetched into it.
//!
//! A folder that the user names is the only place looked at. Otherwise each file is taken from the first place that
//! has it. What is missing is fetched into the cache, from upstream (checked by hash) or out of the Debian package
//! (without root); a file appears there whole or not at all. Fetching is behind the feature `download`.

#[cfg(feature = "download")]
mod debian;
#[cfg(feature = "download")]
mod fetch;
#[cfg(test)]
mod tests;

use crate::DataError;
use crate::error::{Attempt, Missing};
use std::path::{Path, PathBuf};

/// The variable that says where the cache is, if it is not to be the user's own.
const CACHE_VARIABLE: &str = "PLYWOOD_CACHE";

/// The files of a data set and where they may come from.
pub(crate) struct Collection {
    /// The data set, for reading.
    pub(crate) name: &'static str,
    /// Its folder within the cache.
    pub(crate) folder: &'static str,
    /// Where its packages put the files.
    pub(crate) system: &'static str,
    /// The files.
    pub(crate) files: &'static [Item],
    /// Addresses of folders that have the files, if there are any.
    pub(crate) upstream: &'static [&'static str],
}

/// A file of a data set.
#[cfg_attr(
    not(feature = "download"),
    expect(dead_code, reason = "only fetching checks the hash")
)]
pub(crate) struct Item {
    /// Its name; where that ends in `.gz`, the unpacked file without the ending serves as well.
    pub(crate) name: &'static str,
    /// Upstream's MD5 of it.
    pub(crate) md5: Option<&'static str>,
    /// The Debian package that has it.
    pub(crate) package: &'static str,
}

/// Where to look, and whom to ask.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "download"),
    expect(dead_code, reason = "only fetching asks anyone")
)]
pub(crate) struct Places {
    /// The only place, if the user named one.
    pub(crate) explicit: Option<PathBuf>,
    /// The system's place.
    pub(crate) system: PathBuf,
    /// The data set's folder in the cache.
    pub(crate) cache: Option<PathBuf>,
    /// Addresses of folders that have the files.
    pub(crate) upstream: Vec<String>,
    /// The command `apt-get` with what comes before its own arguments.
    pub(crate) apt_get: Vec<String>,
    /// Likewise `dpkg-deb`.
    pub(crate) dpkg_deb: Vec<String>,
}

impl Places {
    /// The places of this machine for `collection`, or `explicit` alone.
    pub(crate) fn of(collection: &Collection, explicit: Option<&Path>) -> Self {
        let cache = std::env::var_os(CACHE_VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
            .or_else(|| dirs::cache_dir().map(|folder| folder.join("plywood")));
        Self {
            explicit: explicit.map(Path::to_owned),
            system: PathBuf::from(collection.system),
            cache: cache.map(|folder| folder.join(collection.folder)),
            upstream: collection
                .upstream
                .iter()
                .map(ToString::to_string)
                .collect(),
            apt_get: vec!["apt-get".into()],
            dpkg_deb: vec!["dpkg-deb".into()],
        }
    }
}

/// The path of every file of `collection`, in order.
///
/// # Errors
/// If a file is nowhere and could not be fetched.
pub(crate) fn locate(
    collection: &'static Collection,
    places: &Places,
) -> Result<Vec<PathBuf>, DataError> {
    let mut search = Search {
        collection,
        found: vec![None; collection.files.len()],
        attempts: Vec::new(),
    };
    if let Some(folder) = &places.explicit {
        search.look(folder);
        return search.result();
    }
    search.look(&places.system);
    match &places.cache {
        Some(cache) => {
            search.look(cache);
            search.fetch(places, cache);
        }
        None => search.note(
            "looked for the user's cache",
            format!("there is none; {CACHE_VARIABLE}=FOLDER names one"),
        ),
    }
    search.result()
}

/// A search under way.
struct Search {
    collection: &'static Collection,
    found: Vec<Option<PathBuf>>,
    attempts: Vec<Attempt>,
}

impl Search {
    /// The files that no place has had so far.
    fn missing(&self) -> impl Iterator<Item = (usize, &'static Item)> {
        let found = self.found.iter().map(Option::is_some);
        let items = self.collection.files.iter().enumerate().zip(found);
        items.filter(|(_, found)| !found).map(|(item, _)| item)
    }

    fn missing_names(&self) -> Vec<String> {
        self.missing()
            .map(|(_, item)| item.name.to_owned())
            .collect()
    }

    fn note(&mut self, what: impl Into<String>, result: impl Into<String>) {
        self.attempts.push(Attempt {
            what: what.into(),
            result: result.into(),
        });
    }

    /// Takes what `folder` has of what is missing.
    fn look(&mut self, folder: &Path) {
        let wanted: Vec<_> = self.missing().collect();
        if wanted.is_empty() {
            return;
        }
        for (index, item) in wanted {
            let unpacked = item.name.strip_suffix(".gz").unwrap_or(item.name);
            let candidates = [item.name, unpacked].map(|name| folder.join(name));
            self.found[index] = candidates.into_iter().find(|path| path.is_file());
        }
        let missing = self.missing_names();
        let result = if !folder.exists() {
            "there is no such folder".to_owned()
        } else if !folder.is_dir() {
            "it is not a folder".to_owned()
        } else if missing.len() == self.found.len() {
            "it has none of the files".to_owned()
        } else {
            format!("it lacks {}", missing.join(", "))
        };
        self.note(format!("looked in {}", folder.display()), result);
    }

    #[cfg(feature = "download")]
    fn fetch(&mut self, places: &Places, cache: &Path) {
        if self.missing().next().is_none() {
            return;
        }
        eprintln!(
            "{} is not on this machine; fetching it into {} …",
            self.collection.name,
            cache.display()
        );
        if let Err(error) = std::fs::create_dir_all(cache) {
            self.note(
                format!("tried to make {}", cache.display()),
                error.to_string(),
            );
            return;
        }
        fetch::fetch(self, places, cache);
        if self.missing().next().is_some() {
            debian::fetch(self, places, cache);
        }
    }

    #[cfg(not(feature = "download"))]
    fn fetch(&mut self, _places: &Places, _cache: &Path) {
        if self.missing().next().is_some() {
            self.note(
                "asked the network",
                "this program was built without the feature `download`",
            );
        }
    }

    fn result(self) -> Result<Vec<PathBuf>, DataError> {
        let files = self.missing_names();
        if files.is_empty() {
            return Ok(self.found.into_iter().flatten().collect());
        }
        let mut packages: Vec<_> = self.missing().map(|(_, item)| item.package).collect();
        packages.dedup();
        let packages = packages.join(" ");
        Err(DataError::NotFound(Box::new(Missing {
            name: self.collection.name,
            files,
            attempts: self.attempts,
            help: format!(
                "`sudo apt-get install {packages}` puts them into {}; \
                 or name the folder that has them (the examples take `--data DIR`)",
                self.collection.system
            ),
        })))
    }
}

/// Writes `bytes` to `path` so that the file is there whole or not at all.
#[cfg(feature = "download")]
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As any file of the user: the umask takes away what it should.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
