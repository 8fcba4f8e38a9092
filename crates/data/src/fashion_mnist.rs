//! Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017, arXiv:1708.07747): 70,000 grey images of articles of clothing.

use crate::idx::Idx;
use crate::locate::{Collection, Item, Places, locate};
use crate::{DataError, Dataset};
use plywood_shape::{Class, Image};
use std::path::{Path, PathBuf};

/// Rows and columns of an image.
const SIDE: usize = 28;
/// How many classes there are.
const CLASSES: usize = 10;

static COLLECTION: Collection = Collection {
    name: "Fashion-MNIST",
    folder: "fashion-mnist",
    system: "/usr/share/datasets/fashion-mnist",
    files: &[
        Item {
            name: "train-images-idx3-ubyte.gz",
            md5: Some("8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            package: "dataset-fashion-mnist",
        },
        Item {
            name: "train-labels-idx1-ubyte.gz",
            md5: Some("25c81989df183df01b3e8a0aad5dffbe"),
            package: "dataset-fashion-mnist",
        },
        Item {
            name: "t10k-images-idx3-ubyte.gz",
            md5: Some("bef4ecab320f06d8554ea6380940ec79"),
            package: "dataset-fashion-mnist",
        },
        Item {
            name: "t10k-labels-idx1-ubyte.gz",
            md5: Some("bb300cfdad3c16e7a12a480ee83cd310"),
            package: "dataset-fashion-mnist",
        },
    ],
    // The bucket of the data set's own page, by its address with TLS, and the repository of its authors.
    upstream: &[
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    ],
};

/// 60,000 images to learn from and 10,000 to be tested on, 28 × 28 grey pixels from 0 (empty) to 1, of ten classes.
///
/// [`FashionMnist::load`] looks in `/usr/share/datasets/fashion-mnist`, where the Debian package
/// `dataset-fashion-mnist` puts the four files, then in the user's cache (`~/.cache/plywood/fashion-mnist`; the variable
/// `PLYWOOD_CACHE` names another folder than `~/.cache/plywood`). With the feature `download` it then fetches them into
/// the cache, from upstream or out of the Debian package.
#[derive(Clone, Debug)]
pub struct FashionMnist {
    /// The 60,000.
    pub train: Dataset<Image<SIDE, SIDE, 1>, Class<CLASSES>>,
    /// The 10,000.
    pub test: Dataset<Image<SIDE, SIDE, 1>, Class<CLASSES>>,
}

impl FashionMnist {
    /// What the classes are, in order.
    pub const CLASSES: [&'static str; CLASSES] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ];

    /// Finds and reads the data set.
    ///
    /// # Errors
    /// If a file is nowhere ([`DataError::NotFound`] says where it was looked for and what mends it), or is damaged.
    pub fn load() -> Result<Self, DataError> {
        Self::from(&Places::of(&COLLECTION, None))
    }

    /// Reads the data set from `folder`: the four IDX files, unpacked or `.gz`.
    ///
    /// # Errors
    /// If a file is not there or damaged.
    pub fn at(folder: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::from(&Places::of(&COLLECTION, Some(folder.as_ref())))
    }

    /// The folder that [`FashionMnist::load`] reads from, for programs that read the files themselves.
    ///
    /// # Errors
    /// As [`FashionMnist::load`], for files that are nowhere.
    pub fn folder() -> Result<PathBuf, DataError> {
        let paths = locate(&COLLECTION, &Places::of(&COLLECTION, None))?;
        let folder = paths[0].parent().expect("a file lies in a folder");
        Ok(folder.to_owned())
    }

    fn from(places: &Places) -> Result<Self, DataError> {
        let paths = locate(&COLLECTION, places)?;
        Ok(Self {
            train: read(&paths[..2])?,
            test: read(&paths[2..])?,
        })
    }
}

/// Reads a file of images and one of labels.
fn read(paths: &[PathBuf]) -> Result<Dataset<Image<SIDE, SIDE, 1>, Class<CLASSES>>, DataError> {
    let (image_path, label_path) = (&paths[0], &paths[1]);
    let images = Idx::read(image_path, 3)?;
    let labels = Idx::read(label_path, 1)?;
    for axis in [1, 2] {
        let found = images.dimensions[axis];
        if found != SIDE {
            return Err(DataError::Dimension {
                path: image_path.clone(),
                axis,
                expected: SIDE,
                found,
            });
        }
    }
    if images.dimensions[0] != labels.dimensions[0] {
        return Err(DataError::Count {
            image_path: image_path.clone(),
            images: images.dimensions[0],
            label_path: label_path.clone(),
            labels: labels.dimensions[0],
        });
    }
    let beyond = |&value: &u8| usize::from(value) >= CLASSES;
    if let Some(index) = labels.values.iter().position(beyond) {
        return Err(DataError::Label {
            path: label_path.clone(),
            index,
            value: labels.values[index],
            classes: CLASSES,
        });
    }
    Dataset::new(images.values, labels.values)
}

#[cfg(test)]
mod tests {
    use super::FashionMnist;
    use crate::Source;
    use crate::testing::{gzip, idx, write};
    use plywood_tensor::Examples;
    use tempfile::TempDir;

    /// A folder with `train` and `test` labels and as many images.
    fn folder(train: &[u8], test: &[u8]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, labels) in [("train", train), ("t10k", test)] {
            let n = labels.len() as u32;
            let pixels: Vec<u8> = (0..n * 784).map(|i| (i % 256) as u8).collect();
            let images = gzip(&idx(&[n, 28, 28], &pixels));
            write(&folder, &format!("{name}-images-idx3-ubyte.gz"), &images);
            let labels = gzip(&idx(&[n], labels));
            write(&folder, &format!("{name}-labels-idx1-ubyte.gz"), &labels);
        }
        folder
    }

    fn message(folder: &TempDir) -> String {
        FashionMnist::at(folder).unwrap_err().to_string()
    }

    #[test]
    fn reads_four_files() {
        let folder = folder(&[3, 9], &[0]);
        let data = FashionMnist::at(&folder).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (2, 1));
        let mut examples = Examples::default();
        data.train.fill::<f32>(&[1], &mut examples);
        assert_eq!(examples.targets.data(), [9]);
        assert_eq!(examples.inputs.data()[1], ((784 + 1) % 256) as f32 / 255.0);
    }

    #[test]
    fn names_a_label_that_is_no_class() {
        let text = message(&folder(&[3, 9], &[0, 1, 10]));
        let expected =
            "t10k-labels-idx1-ubyte.gz: label 2 (byte 10) is 10, expected a class below 10";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn names_files_that_do_not_belong_together() {
        let folder = folder(&[3, 9], &[0]);
        write(
            &folder,
            "train-labels-idx1-ubyte.gz",
            &gzip(&idx(&[1], &[0])),
        );
        let text = message(&folder);
        assert!(
            text.contains("train-images-idx3-ubyte.gz has 2 images, but "),
            "{text}"
        );
        assert!(
            text.ends_with("train-labels-idx1-ubyte.gz has 1 labels"),
            "{text}"
        );
    }

    #[test]
    fn names_images_of_another_size() {
        let folder = folder(&[3], &[0]);
        let wide = gzip(&idx(&[1, 28, 32], &[0; 28 * 32]));
        write(&folder, "t10k-images-idx3-ubyte.gz", &wide);
        let text = message(&folder);
        assert!(
            text.ends_with("dimension 2 (bytes 12 to 15) is 32, expected 28"),
            "{text}"
        );
    }

    #[test]
    fn names_a_folder_that_is_not_there() {
        let text = FashionMnist::at("/nonexistent/folder")
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("looked in /nonexistent/folder: there is no such folder"),
            "{text}"
        );
        assert!(
            text.contains("sudo apt-get install dataset-fashion-mnist"),
            "{text}"
        );
    }
}
