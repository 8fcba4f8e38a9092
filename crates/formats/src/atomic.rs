//! Replacing a file whole or not at all.
//!
//! The new content goes to a temporary file in the same folder, is forced to the disk, and takes the old file's name in
//! one step. Whatever fails before that leaves the old file as it was and the temporary one gone.

use crate::FormatError;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file with what `content` writes.
///
/// # Errors
/// If `content` fails or the folder cannot be written to; then what was at `path` is untouched.
pub(crate) fn replace(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FormatError> {
    write(path, content).map_err(|source| FormatError::Write {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As any file of the user: the umask takes away what it should.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    let mut buffer = BufWriter::new(file.as_file_mut());
    content(&mut buffer)?;
    buffer.flush()?;
    drop(buffer);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The new name, too, should outlast a power failure; not every file system lets a folder be forced to the disk.
    #[cfg(unix)]
    drop(File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::replace;
    use std::fs;
    use std::io;
    use tempfile::TempDir;

    fn names(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn replaces_a_file() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file");
        for content in ["old and long", "new"] {
            replace(&path, |file| file.write_all(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(&folder), ["file"]);
    }

    #[test]
    fn a_failure_half_way_leaves_the_old_file_and_nothing_else() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let error = replace(&path, |file| {
            file.write_all(&[0; 100_000])?;
            Err(io::Error::other("the disk is full"))
        })
        .unwrap_err();
        let text = error.to_string();
        assert!(
            text.ends_with("file: not written: the disk is full"),
            "{text}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(&folder), ["file"]);
    }

    #[test]
    fn a_folder_in_the_way_stays() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("folder");
        fs::create_dir(&path).unwrap();
        assert!(replace(&path, |file| file.write_all(b"x")).is_err());
        assert!(path.is_dir());
        assert_eq!(names(&folder), ["folder"]);
        assert!(replace(&folder.path().join("no/file"), |_| Ok(())).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn the_file_has_the_mode_of_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = TempDir::new().unwrap();
        let (ours, other) = (folder.path().join("ours"), folder.path().join("other"));
        replace(&ours, |_| Ok(())).unwrap();
        fs::write(&other, "").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(ours), mode(other));
    }
}
