//! The journal: what was read from the pipe lies in a file until it is where it belongs.
//!
//! A logger that reads a pipe into memory loses by its death what it has there, and a logger that looks
//! before it takes does not know afterwards whether it took: lines may be equal. So the bytes are moved
//! from the pipe into a file by one system call, which no kill divides, and read from there. The
//! file also says how far each logdir had come, and how long its `current` was then. Whoever comes
//! after a kill cuts `current` to that length and runs the script on the rest of what was read
//! ([`super::recovery`]).
//!
//! ```text
//! pipe ──splice──▶ journal ──read──▶ lines ──▶ current ──▶ state: all is written
//! ```
//!
//! The state is also written before `current` is renamed, and when there is a new one, so that no rotation
//! lies between two states. Everything is in the kernel's memory as soon as the call returns, which is
//! all it takes to outlive us; nothing is synced, and after another boot a journal counts for nothing.
//!
//! Where a file cannot be had, the pipe is read into memory, and all this does nothing.

use crate::error::Errno;
use crate::sys::dir::{Dir, Open};
use crate::sys::{fd, file};
use crate::wire::log_journal::{self, Outlet, State};
use std::os::fd::OwnedFd;

/// Its name in the first logdir.
pub(super) const NAME: &str = ".s6x-journal";
const NEW: &str = ".s6x-journal.new";

/// A journal with so many bytes in it that nobody needs is begun anew when there is nothing else to do ...
const TIDY: u64 = 1 << 14;

/// ... and with so many, even if there is.
const LONG: u64 = 1 << 18;

/// A journal does not get longer, or one outlet that cannot be written to would fill the disk.
const LONGEST: u64 = 1 << 25;

/// What was read and is not everywhere yet, and how far everything has come.
#[derive(Debug)]
pub(super) struct Journal {
    /// Where its file lies: the first logdir, if there is one.
    home: Option<Dir>,
    /// Whether it is to be kept.
    wanted: bool,
    file: Option<OwnedFd>,
    state: State,
    changed: bool,
    /// How much was read, in bytes.
    read: u64,
    /// The offset of the first byte whose line has not gone through the script.
    done: u64,
    packed: Vec<u8>,
}

impl Journal {
    /// A journal that is not kept yet. `home`: the first logdir.
    pub(super) fn new(home: Option<Dir>, state: State, wanted: bool) -> Journal {
        let wanted = wanted && home.is_some();
        Journal {
            home,
            wanted,
            file: None,
            state,
            changed: false,
            read: 0,
            done: 0,
            packed: Vec::new(),
        }
    }

    /// Whether it is kept.
    pub(super) fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Begins a file that holds these bytes, in the place of any other; offsets in the state are those in
    /// them. Nothing has gone through the script.
    pub(super) fn begin(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let Some(home) = &self.home else { return Ok(()) };
        let count = self.state.outlets.len();
        let file = home.file(NEW, Open::Scratch(0o600))?;
        self.state.sequence = 0;
        self.state.pack(&mut self.packed);
        let begin = log_journal::prologue(count);
        let write = |bytes: &[u8], offset: usize| file::write_all_at(&file, bytes, offset as u64);
        let written = write(&begin, 0)
            .and_then(|()| write(&self.packed, self.state.offset()))
            .and_then(|()| file::set_size(&file, log_journal::data_offset(count) as u64))
            .and_then(|()| write(bytes, log_journal::data_offset(count)))
            .and_then(|()| home.rename(NEW, NAME));
        if let Err(errno) = written {
            let _ = home.unlink(NEW); // the first failure is the one to tell
            return Err(errno);
        }
        self.file = Some(file);
        self.changed = false;
        (self.read, self.done) = (bytes.len() as u64, 0);
        Ok(())
    }

    /// Tries to keep a journal again: everything is written, but for these last bytes, which end no line.
    pub(super) fn begin_again(&mut self, partial: &[u8]) {
        for outlet in &mut self.state.outlets {
            (outlet.from, outlet.lines) = (0, 0);
        }
        let _ = self.begin(partial); // else later, perhaps
    }

    /// Whether it could be kept, and is not.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted && self.file.is_none()
    }

    /// Gives it up for good.
    pub(super) fn forget(&mut self) -> bool {
        self.wanted = false;
        self.give_up()
    }

    /// How far the outlets have come.
    pub(super) fn outlets(&self) -> &[Outlet] {
        &self.state.outlets
    }

    /// Moves what standard input holds into the file, and reads it from there. `EAGAIN`: there is
    /// nothing; 0: the end. Any other error: nothing was taken.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let Some(file) = &self.file else { return Err(Errno::INVALID) };
        let offset = self.data() + self.read;
        let got = file::take_from_pipe(fd::standard(0), file, offset, buffer.len())?;
        self.read += got as u64; // it is there, whether we can read it or not
        let taken = buffer.get_mut(..got).unwrap_or(&mut []);
        read_all(file, taken, offset).map(|()| got)
    }

    /// Every line before the last `left` bytes read has gone through the script.
    pub(super) fn passed(&mut self, left: usize) {
        self.done = self.read.saturating_sub(left as u64);
    }

    /// An outlet has written everything that has gone through the script; the size of its file.
    pub(super) fn all_written(&mut self, nth: usize, size: u64) {
        let done = self.done;
        self.change(nth, |outlet| Outlet { size, from: done, lines: 0, ..outlet });
    }

    /// An outlet has written so many lines since the last time this was said, and is about to rename its
    /// file, which has that size.
    pub(super) fn partly_written(&mut self, nth: usize, size: u64, more: u64) {
        self.change(nth, |outlet| Outlet { size, lines: outlet.lines + more, ..outlet });
    }

    /// An outlet has another file from now on.
    pub(super) fn other_file(&mut self, nth: usize, (inode, born): (u64, u64), size: u64) {
        self.change(nth, |outlet| Outlet { inode, born, size, ..outlet });
    }

    fn change(&mut self, nth: usize, with: impl Fn(Outlet) -> Outlet) {
        if let Some(outlet) = self.state.outlets.get_mut(nth) {
            let new = with(*outlet);
            self.changed |= new != *outlet;
            *outlet = new;
        }
    }

    /// Writes the state, if it has changed. Where that fails, the journal is given up.
    pub(super) fn commit(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| self.changed) else { return };
        self.changed = false;
        self.state.sequence += 1;
        self.state.pack(&mut self.packed);
        if file::write_all_at(file, &self.packed, self.state.offset() as u64).is_err() {
            self.give_up();
        }
    }

    /// Forgets what nobody needs any more, if that is worth it. `busy`: there is something else to do.
    pub(super) fn tidy(&mut self, busy: bool) {
        if self.read < if busy { LONG } else { TIDY } || self.file.is_none() {
            return;
        }
        let needed = self.state.outlets.iter().map(|outlet| outlet.from).min().unwrap_or(0);
        let tidied = if needed == self.read {
            self.empty()
        } else if self.read >= LONG && needed >= self.read / 2 {
            self.shorten(needed)
        } else if self.read > LONGEST {
            Err(Errno::NO_SPACE)
        } else {
            Ok(())
        };
        if tidied.is_err() {
            self.give_up();
        }
    }

    /// Everything is written. First the bytes go, then the state: one that says that more is written than
    /// was read says that all is.
    fn empty(&mut self) -> Result<(), Errno> {
        let Some(file) = &self.file else { return Ok(()) };
        file::set_size(file, self.data())?;
        self.move_offsets(self.read);
        (self.read, self.done) = (0, 0);
        self.commit();
        Ok(())
    }

    /// The bytes before `needed` go, by way of a new file.
    fn shorten(&mut self, needed: u64) -> Result<(), Errno> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut bytes = vec![0; (self.read - needed) as usize];
        read_all(file, &mut bytes, self.data() + needed)?;
        let done = self.done - needed;
        self.move_offsets(needed);
        self.begin(&bytes)?;
        self.done = done;
        Ok(())
    }

    fn move_offsets(&mut self, by: u64) {
        for outlet in &mut self.state.outlets {
            outlet.from = outlet.from.saturating_sub(by);
        }
        self.changed = true;
    }

    /// Keeps none from here on. `false`: it cannot be removed, so nothing may
    /// be written that is not in it.
    pub(super) fn give_up(&mut self) -> bool {
        let gone = self
            .home
            .as_ref()
            .is_none_or(|home| matches!(home.unlink(NAME), Ok(()) | Err(Errno::NOT_FOUND)));
        if gone {
            self.file = None;
        }
        gone
    }

    /// Where what was read begins.
    fn data(&self) -> u64 {
        log_journal::data_offset(self.state.outlets.len()) as u64
    }
}

/// Fills the buffer; a file that is shorter is an error.
pub(super) fn read_all(
    file: &OwnedFd,
    mut buffer: &mut [u8],
    mut offset: u64,
) -> Result<(), Errno> {
    while !buffer.is_empty() {
        match file::read_at(file, buffer, offset)? {
            0 => return Err(Errno::INVALID),
            count => {
                buffer = buffer.get_mut(count..).unwrap_or(&mut []);
                offset += count as u64;
            }
        }
    }
    Ok(())
}
