//! s6-cat: standard input to standard output.

use super::output;
use crate::{Applet, Exit, Failure, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::fd;

/// s6-cat.
pub static APPLET: Applet = Applet {
    name: "s6-cat",
    section: Section::Utilities,
    about: "Copy standard input to standard output; arguments are ignored",
    options: &[],
    arguments: "",
    syntax: Syntax::Raw,
    exit_codes: &[],
    run: |_| copy().map(|()| Exit::SUCCESS),
};

/// Copies what remains of standard input.
pub(super) fn copy() -> Result<(), Failure> {
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let got = fd::read(fd::standard(0), &mut buffer)
            .map_err(|errno| Error::system("read from stdin", errno))?;
        if got == 0 {
            return Ok(());
        }
        output::write(buffer.get(..got).unwrap_or(&[]))?;
    }
}
