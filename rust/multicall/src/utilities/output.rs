//! Standard output in large pieces.

use crate::Failure;
use s6x_core::error::Error;
use s6x_core::sys::fd;

/// How much is gathered before it is written.
const ROOM: usize = 64 * 1024;

/// What is to be written; nothing is, until there is enough of it or [`Output::finish`].
#[derive(Debug, Default)]
pub(super) struct Output(Vec<u8>);

impl Output {
    /// Adds to it.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.0.len() + bytes.len() > ROOM {
            self.finish()?;
        }
        if bytes.len() > ROOM {
            return write(bytes);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes what there is.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        write(&self.0)?;
        self.0.clear();
        Ok(())
    }
}

/// Writes all of this to standard output, now.
pub(super) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let failed = |errno| Failure::from(Error::system("write to stdout", errno));
    fd::write_out(bytes).map_err(failed)
}
