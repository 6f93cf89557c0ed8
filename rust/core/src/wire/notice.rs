//! Notices: the bytes a supervisor writes to the subscribers of its `event` directory, and the
//! names of their FIFOs (contract s6 §4.5, §5.6).

/// One thing that happened to a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Notice {
    /// The supervisor started.
    Start,
    /// `run` was spawned.
    Up,
    /// The service says that it is ready.
    Ready,
    /// `run` died.
    Down,
    /// `finish` said that it must not be started again.
    Once,
    /// Down, and ready to be started again.
    DownReady,
    /// The supervisor exits.
    Exit,
}

impl Notice {
    /// Every notice.
    pub const ALL: [Notice; 7] = [
        Notice::Start,
        Notice::Up,
        Notice::Ready,
        Notice::Down,
        Notice::Once,
        Notice::DownReady,
        Notice::Exit,
    ];

    /// The byte on the wire.
    pub fn letter(self) -> u8 {
        match self {
            Notice::Start => b's',
            Notice::Up => b'u',
            Notice::Ready => b'U',
            Notice::Down => b'd',
            Notice::Once => b'O',
            Notice::DownReady => b'D',
            Notice::Exit => b'x',
        }
    }

    /// The notice that a byte stands for, if any.
    pub fn from_letter(letter: u8) -> Option<Notice> {
        Notice::ALL.into_iter().find(|notice| notice.letter() == letter)
    }
}

/// What the name of every subscriber's FIFO begins with.
pub const FIFO_PREFIX: &[u8] = b"ftrig1:@";
/// How long the name of a subscriber's FIFO is.
pub const FIFO_NAME: usize = 39;

/// Whether a name in an event directory is that of a subscriber's FIFO.
pub fn is_subscriber(name: &[u8]) -> bool {
    name.len() == FIFO_NAME && name.starts_with(FIFO_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_round_trip() {
        for byte in 0..=u8::MAX {
            if let Some(notice) = Notice::from_letter(byte) {
                assert_eq!(notice.letter(), byte);
            }
        }
        assert_eq!(Notice::ALL.map(Notice::letter), *b"suUdODx");
    }

    #[test]
    fn only_whole_names_subscribe() {
        assert!(is_subscriber(b"ftrig1:@40000000655400b500000000:AbCd-_"));
        assert!(!is_subscriber(b".ftrig1:@40000000655400b500000000:AbCd-"));
        assert!(!is_subscriber(b"ftrig1:@4000"));
    }
}
