//! Control bytes of supervisors and scanners (contract s6 §4.2, §2.4).

use super::signal::Signal;

macro_rules! letters {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $letter:literal $variant:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every one, in the order of the table.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The byte on the FIFO.
            pub fn letter(self) -> u8 {
                match self { $($name::$variant => $letter,)* }
            }

            /// The control that a byte stands for, if any.
            pub fn from_letter(letter: u8) -> Option<$name> {
                match letter { $($letter => Some($name::$variant),)* _ => None }
            }
        }
    };
}

letters! {
    /// What can be asked of a supervisor through `supervise/control`.
    Control {
        /// SIGALRM to the service.
        b'a' Alarm,
        /// SIGABRT to the service.
        b'b' Abort,
        /// SIGQUIT to the service.
        b'q' Quit,
        /// SIGHUP to the service.
        b'h' Hangup,
        /// SIGKILL to the service.
        b'k' Kill,
        /// SIGTERM to the service.
        b't' Term,
        /// SIGINT to the service.
        b'i' Interrupt,
        /// SIGUSR1 to the service.
        b'1' User1,
        /// SIGUSR2 to the service.
        b'2' User2,
        /// SIGWINCH to the service.
        b'y' Winch,
        /// SIGSTOP to the service.
        b'p' Pause,
        /// SIGCONT to the service.
        b'c' Continue,
        /// The down-signal; the service is started again if it is wanted up.
        b'r' Restart,
        /// The reload-signal.
        b'l' Reload,
        /// SIGSTOP to the service's process group.
        b'P' PauseGroup,
        /// SIGCONT to the service's process group.
        b'C' ContinueGroup,
        /// SIGKILL to the service's process group.
        b'K' KillGroup,
        /// Run once.
        b'o' Once,
        /// Run at most once: do not restart it.
        b'O' OnceAtMost,
        /// Bring it down.
        b'd' Down,
        /// Bring it down and keep it down when supervision starts again.
        b'D' DownForGood,
        /// Bring it up.
        b'u' Up,
        /// Bring it up, also when supervision starts again.
        b'U' UpForGood,
        /// Do not restart it, and keep it down when supervision starts again.
        b'Q' OnceAtMostForGood,
        /// Exit once the service is down.
        b'x' Exit,
    }
}

impl Control {
    /// The control that sends this signal to the service's process, if there is one.
    pub fn of_signal(signal: Signal) -> Option<Control> {
        let groups = [Control::PauseGroup, Control::ContinueGroup, Control::KillGroup];
        let to_process = |control: &&Control| !groups.contains(control);
        Control::ALL.iter().filter(to_process).copied().find(|c| c.signal() == Some(signal))
    }

    /// The signal for the letters that only send one to the service's process.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Control::Alarm => Some(Signal::SIGALRM),
            Control::Abort => Some(Signal::SIGABRT),
            Control::Quit => Some(Signal::SIGQUIT),
            Control::Hangup => Some(Signal::SIGHUP),
            Control::Kill => Some(Signal::SIGKILL),
            Control::Term => Some(Signal::SIGTERM),
            Control::Interrupt => Some(Signal::SIGINT),
            Control::User1 => Some(Signal::SIGUSR1),
            Control::User2 => Some(Signal::SIGUSR2),
            Control::Winch => Some(Signal::SIGWINCH),
            Control::Pause | Control::PauseGroup => Some(Signal::SIGSTOP),
            Control::Continue | Control::ContinueGroup => Some(Signal::SIGCONT),
            Control::KillGroup => Some(Signal::SIGKILL),
            Control::Restart
            | Control::Reload
            | Control::Once
            | Control::OnceAtMost
            | Control::Down
            | Control::DownForGood
            | Control::Up
            | Control::UpForGood
            | Control::OnceAtMostForGood
            | Control::Exit => None,
        }
    }
}

letters! {
    /// What can be asked of a scanner through `.s6-svscan/control`.
    ScanControl {
        /// Reap every dead child.
        b'z' Zap,
        /// Scan again.
        b'a' Rescan,
        /// Scan again, then end what has gone from the scan directory.
        b'h' RescanAndPrune,
        /// End what has gone from the scan directory.
        b'n' Nuke,
        /// The same, loggers included.
        b'N' ReallyNuke,
        /// Stop: supervisors get SIGTERM, loggers end by end-of-file.
        b't' Terminate,
        /// The same as `t`.
        b'i' Interrupt,
        /// Stop: SIGTERM to loggers too.
        b'q' Quit,
        /// Leave at once, supervisors untouched.
        b'b' Abort,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_unique_and_round_trip() {
        for byte in 0..=u8::MAX {
            let same = Control::ALL.iter().filter(|c| c.letter() == byte).count();
            assert_eq!(same, usize::from(Control::from_letter(byte).is_some()), "byte {byte}");
            let same = ScanControl::ALL.iter().filter(|c| c.letter() == byte).count();
            assert_eq!(same, usize::from(ScanControl::from_letter(byte).is_some()), "byte {byte}");
        }
    }

    #[test]
    fn the_alphabets_are_the_contracts() {
        let letters: Vec<u8> = Control::ALL.iter().map(|c| c.letter()).collect();
        for letter in b"abqhkti12pcyroduDUxOQPCKl" {
            assert!(letters.contains(letter), "{}", char::from(*letter));
        }
        assert_eq!(letters.len(), 25);
    }
}
