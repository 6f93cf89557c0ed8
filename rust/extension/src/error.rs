//! What can go wrong, and the Python exception that it becomes.

use pyo3::exceptions::{PySyntaxError, PyValueError};
use pyo3::{PyErr, import_exception};
use s6x_core::Error;
use s6x_core::execline::script::{Mistake, ScriptError};
use s6x_core::run::control::Undelivered;

import_exception!(s6x.errors, NotSupervised);
import_exception!(s6x.errors, SupervisionError);

/// Everything a function of this module can fail with.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core's own failures.
    Core(Error),
    /// Control letters that nobody took.
    Undelivered(Undelivered),
    /// A script that has no words.
    Script(ScriptError),
    /// An argument that means nothing.
    Argument(String),
    /// A signal's handler raised.
    Python(PyErr),
}

/// The result of everything in this module that can fail.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> PyErr {
        match failure {
            Failure::Core(error) | Failure::Undelivered(Undelivered::Failed(error)) => {
                SupervisionError::new_err((error.to_string(), error.errno().map(|errno| errno.0)))
            }
            Failure::Undelivered(nobody @ Undelivered::NotListening(_)) => {
                NotSupervised::new_err(nobody.to_string())
            }
            Failure::Script(ScriptError { mistake, place }) => {
                let message = match mistake {
                    Mistake::Syntax(how) => format!("{mistake}: {how}"),
                    Mistake::Open | Mistake::Close | Mistake::TooLong => mistake.to_string(),
                };
                let (file, text) = (None::<String>, None::<String>);
                PySyntaxError::new_err((message, (file, place.line, place.column, text)))
            }
            Failure::Argument(sentence) => PyValueError::new_err(sentence),
            Failure::Python(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Core(error)
    }
}

impl From<ScriptError> for Failure {
    fn from(error: ScriptError) -> Failure {
        Failure::Script(error)
    }
}

impl From<Undelivered> for Failure {
    fn from(error: Undelivered) -> Failure {
        Failure::Undelivered(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Failure {
        Failure::Python(error)
    }
}
