//! What a `main` function returns: any error, shown as its message.

use std::fmt;

/// Any error at all, shown by its message and the messages behind it.
///
/// `fn main() -> plywood::Result<()>` lets `?` take errors of data, training and files alike, and ends the program with
/// a readable line.
pub struct Error(Box<dyn std::error::Error + Send + Sync>);

/// The result of anything that reads data, trains or writes files.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The error itself.
    #[must_use]
    pub fn inner(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = error.to_string();
            // An error whose message already quotes its source does not say it twice.
            if !said.contains(&text) {
                write!(f, "\n  because: {text}")?;
            }
            said = text;
            source = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Error;
    use crate::FitError;

    #[test]
    fn a_main_function_shows_the_message() {
        let error = Error::from(FitError::Zero { argument: "epochs" });
        assert_eq!(format!("{error:?}"), "`epochs` is 0; expected at least 1");
    }
}
