//! s6-dumpenv: the environment as files.

use super::modes;
use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::sys::dir::{self, Dir};
use s6x_core::sys::{fd, inode, process};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-dumpenv.
pub static APPLET: Applet = Applet {
    name: "s6-dumpenv",
    section: Section::Utilities,
    about: "Write the environment to a directory, each variable to a file of its name",
    options: &[
        flag('n', "the files hold the values and nothing else, as without options"),
        flag('N', "a newline behind each value"),
        value('m', "mode", "the mode of the directory if it is made, octal (0755 less the umask)"),
    ],
    arguments: "envdir",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mode = modes::option(call)?.unwrap_or(0o755);
    let path = Path::new(call.only_argument("directory")?);
    let failed = |errno| Error::on("mkdir", path, errno);
    match dir::mkdir(path, mode) {
        Ok(()) | Err(Errno::EXISTS) => {}
        Err(errno) => return Err(failed(errno).into()),
    }
    let dir = Dir::open(path).map_err(failed)?;
    let newline: &[u8] = if call.last_of("nN") == Some('N') { b"\n" } else { b"" };
    // No variable has a name with an equals sign.
    let temporary = format!("=.tmp:{}", process::own_pid());
    for (name, value) in call.environment.variables() {
        if !is_file_name(name) {
            call.warning(format!("no file can have the name of the variable {}", quoted(name)));
            continue;
        }
        let content = [value.as_bytes(), newline].concat();
        if let Err(errno) = write(&dir, OsStr::new(&temporary), name, &content) {
            let _ = dir.unlink(&temporary); // it may not be there
            return Err(Error::on("write", path.join(name), errno).into());
        }
    }
    Ok(Exit::SUCCESS)
}

fn is_file_name(name: &OsStr) -> bool {
    !matches!(name.as_bytes(), b"" | b"." | b"..") && !name.as_bytes().contains(&b'/')
}

/// Writes a file whole.
fn write(dir: &Dir, temporary: &OsStr, name: &OsStr, content: &[u8]) -> Result<(), Errno> {
    match dir.unlink(temporary) {
        Ok(()) | Err(Errno::NOT_FOUND) => {}
        Err(errno) => return Err(errno),
    }
    let file = inode::create(dir, temporary, 0o666)?;
    fd::write_all(&file, content)?;
    dir.rename(temporary, name)
}
