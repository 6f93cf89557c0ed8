//! What a killed logger had read and not written everywhere, found in its journal.

use super::journal;
use crate::error::{Errno, Error, Result};
use crate::sys::dir::{self, Dir, Open};
use crate::sys::file;
use crate::wire::log_journal::{self, Outlet, State};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// More than this is not believed, and not read into memory.
const MOST: u64 = 1 << 27;

/// The state of a journal, and the bytes that are to go through the script again.
#[derive(Debug)]
pub(super) struct Leftover {
    /// Offsets are those in `bytes`.
    pub(super) state: State,
    pub(super) bytes: Vec<u8>,
}

impl Leftover {
    /// Looks for a journal of this boot. What is no journal is none.
    pub(super) fn find(home: &Dir, boot: u64) -> Option<Leftover> {
        let file = home.file(journal::NAME, Open::ReadNow).ok()?;
        let stat = dir::stat(&file).ok().filter(|stat| stat.is_file() && stat.size < MOST)?;
        let count = log_journal::read_prologue(&piece(&file, 0, log_journal::PROLOGUE)?)?;
        let slots = piece(&file, log_journal::PROLOGUE, 2 * log_journal::slot_size(count))?;
        let mut state = State::latest(&slots).filter(|state| state.boot == boot)?;
        let data = log_journal::data_offset(count);
        let length = (stat.size as usize).checked_sub(data)?;
        // A journal that was emptied, and whose state was not written since: everything is written.
        for outlet in &mut state.outlets {
            outlet.from = outlet.from.min(length as u64);
        }
        let first = state.outlets.iter().map(|outlet| outlet.from).min()?;
        for outlet in &mut state.outlets {
            outlet.from -= first;
        }
        let bytes = piece(&file, data + first as usize, length - first as usize)?;
        Some(Leftover { state, bytes })
    }

    /// How far an outlet had come. One that is new has nothing.
    pub(super) fn outlet(&self, name: u64) -> Outlet {
        let found = self.state.outlets.iter().find(|outlet| outlet.name == name);
        found.copied().unwrap_or(Outlet { name, ..Outlet::default() })
    }
}

/// So many bytes, no fewer.
fn piece(file: &OwnedFd, offset: usize, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    journal::read_all(file, &mut bytes, offset as u64).ok().map(|()| bytes)
}

/// Takes from `current` what will be written again: what was appended to it after the state was
/// written. Another file under that name is left alone: nothing of ours is in it.
pub(super) fn cut(dir: &Dir, path: &Path, outlet: Outlet) -> Result<()> {
    let failed = |errno| Error::on("cut what is written again from", path.join("current"), errno);
    if outlet.inode == 0 || !dir.lstat("current").is_ok_and(|stat| stat.is_file()) {
        return Ok(());
    }
    let current = dir.file("current", Open::Update(0o666)).map_err(failed)?;
    let (size, identity) = identity(&current).map_err(failed)?;
    if identity == (outlet.inode, outlet.born) && size > outlet.size {
        file::set_size(&current, outlet.size).map_err(failed)?;
    }
    Ok(())
}

/// What a file is, under whatever name: size, and inode and time of birth.
pub(super) fn identity(file: impl AsFd) -> std::result::Result<(u64, (u64, u64)), Errno> {
    let stat = dir::stat(file.as_fd())?;
    Ok((stat.size, (stat.identity.1, file::born(file))))
}
