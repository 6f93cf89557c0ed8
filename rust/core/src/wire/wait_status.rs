//! How a process ended: the 16 bits of wait(2).

use super::signal::Signal;

/// The raw wait status, as the originals store it (contract s6 §5.1.1, offset 32).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct WaitStatus(pub u16);

/// What a wait status means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It exited with this code.
    Exited(u8),
    /// This signal killed it.
    Killed(Signal),
}

impl WaitStatus {
    /// The status of a process that exited with `code`.
    pub fn exited(code: u8) -> WaitStatus {
        WaitStatus(u16::from(code) << 8)
    }

    /// The status of a process that `signal` killed.
    pub fn killed(signal: Signal) -> WaitStatus {
        WaitStatus(u16::from(signal.number()))
    }

    /// Exit code, or the signal; the core-dump bit is dropped, and an impossible signal counts
    /// as an exit so that every file decodes.
    pub fn ending(self) -> Ending {
        match Signal::new((self.0 & 0x7f) as u8) {
            Some(signal) => Ending::Killed(signal),
            None => Ending::Exited((self.0 >> 8) as u8),
        }
    }

    /// One code for both endings, as the originals' `wait_estatus`: 128 + signal, 128 for exit
    /// codes from 128 up, else the exit code (contract s6 §0).
    pub fn folded(self) -> u8 {
        match self.ending() {
            Ending::Killed(signal) => 128 + signal.number(),
            Ending::Exited(code) => code.min(128),
        }
    }

    /// The exit code, or 256 + signal: nothing is lost (contract execline §0.4).
    pub fn raw(self) -> u16 {
        match self.ending() {
            Ending::Killed(signal) => 256 + u16::from(signal.number()),
            Ending::Exited(code) => code.into(),
        }
    }

    /// One code as shells report it: 128 + signal, else the exit code.
    pub fn shell_code(self) -> u8 {
        match self.ending() {
            Ending::Killed(signal) => 128 + signal.number(),
            Ending::Exited(code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_signals() {
        assert_eq!(WaitStatus::exited(7).ending(), Ending::Exited(7));
        assert_eq!(WaitStatus::killed(Signal::SIGKILL).ending(), Ending::Killed(Signal::SIGKILL));
        assert_eq!(WaitStatus(0x008b).ending(), Ending::Killed(Signal::SIGSEGV));
        assert_eq!(WaitStatus::exited(200).folded(), 128);
        assert_eq!(WaitStatus::exited(200).shell_code(), 200);
        assert_eq!(WaitStatus::killed(Signal::SIGTERM).folded(), 143);
        assert_eq!(WaitStatus::killed(Signal::SIGTERM).raw(), 271);
        assert_eq!(WaitStatus::exited(200).raw(), 200);
    }

    #[test]
    fn every_status_has_an_ending() {
        for raw in 0..=u16::MAX {
            let _ = WaitStatus(raw).ending();
        }
    }
}
