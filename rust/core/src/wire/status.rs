//! `supervise/status` (contract s6 §5.1).

use super::tai64::Tai;
use super::wait_status::WaitStatus;

/// Bytes we write and read: the layout of s6 2.11 to 2.12 and from 2.14 on.
pub const SIZE: usize = 35;
/// Bytes of the layout of s6 2.13, which we only read.
const SIZE_2_13: usize = 43;

const PAUSED: u8 = 0x01;
const FINISHING: u8 = 0x02;
const WANTED_UP: u8 = 0x04;
const READY: u8 = 0x08;

/// What a supervisor publishes of its service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// Last time `run` was started or died; before that, when the supervisor started.
    pub stamp: Tai,
    /// Last time the service became ready, or was ready to be started again.
    pub ready_stamp: Tai,
    /// The process of `run`, or of `finish` while finishing; 0 for none.
    pub pid: u64,
    /// Process group of `run`; only the 2.13 layout stores it, elsewhere it is the pid.
    pub pgid: u64,
    /// How the last `run` ended; zero before the first death.
    pub wait_status: WaitStatus,
    /// Stopped by `p`. With pid 0: not started yet (2.13.2 and later).
    pub paused: bool,
    /// `finish` is running.
    pub finishing: bool,
    /// The supervisor means to keep it up.
    pub wanted_up: bool,
    /// Up and ready, or down and ready to be started.
    pub ready: bool,
}

impl Status {
    /// A service is up while `run` runs: there is a process and it is not `finish`.
    pub fn is_up(&self) -> bool {
        self.pid != 0 && !self.finishing
    }

    /// Supervised, but `run` was never started.
    pub fn is_not_started_yet(&self) -> bool {
        self.pid == 0 && self.paused
    }

    /// The 35 bytes on disk.
    pub fn pack(&self) -> [u8; SIZE] {
        let flags = [
            (self.paused, PAUSED),
            (self.finishing, FINISHING),
            (self.wanted_up, WANTED_UP),
            (self.ready, READY),
        ];
        let flags = flags.iter().filter(|(set, _)| *set).fold(0, |all, (_, flag)| all | flag);
        let mut bytes = Vec::with_capacity(SIZE);
        bytes.extend(self.stamp.pack());
        bytes.extend(self.ready_stamp.pack());
        bytes.extend(self.pid.to_be_bytes());
        bytes.extend(self.wait_status.0.to_be_bytes());
        bytes.push(flags);
        let mut packed = [0; SIZE];
        packed.copy_from_slice(&bytes);
        packed
    }

    /// Reads either layout; `None` for any other size.
    pub fn unpack(bytes: &[u8]) -> Option<Status> {
        let (pgid, tail) = match bytes.len() {
            SIZE => (None, bytes.get(32..)?),
            SIZE_2_13 => (Some(u64::from_be_bytes(field(bytes, 32)?)), bytes.get(40..)?),
            _ => return None,
        };
        let pid = u64::from_be_bytes(field(bytes, 24)?);
        let &[high, low, flags] = tail else { return None };
        Some(Status {
            stamp: Tai::unpack(field(bytes, 0)?),
            ready_stamp: Tai::unpack(field(bytes, 12)?),
            pid,
            pgid: pgid.unwrap_or(pid),
            wait_status: WaitStatus(u16::from_be_bytes([high, low])),
            paused: flags & PAUSED != 0,
            finishing: flags & FINISHING != 0,
            wanted_up: flags & WANTED_UP != 0,
            ready: flags & READY != 0,
        })
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status() -> impl Strategy<Value = Status> {
        (any::<([u8; 12], [u8; 12], u64, u16)>(), any::<[bool; 4]>()).prop_map(
            |((stamp, ready_stamp, pid, wait), [paused, finishing, wanted_up, ready])| Status {
                stamp: Tai::unpack(stamp),
                ready_stamp: Tai::unpack(ready_stamp),
                pid,
                pgid: pid,
                wait_status: WaitStatus(wait),
                paused,
                finishing,
                wanted_up,
                ready,
            },
        )
    }

    proptest! {
        #[test]
        fn round_trips(status in status()) {
            prop_assert_eq!(Status::unpack(&status.pack()), Some(status));
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let decoded = Status::unpack(&bytes);
            prop_assert_eq!(decoded.is_some(), bytes.len() == 35 || bytes.len() == 43);
        }
    }

    #[test]
    fn typical_flags_are_the_originals() {
        let zero = Tai::from_unix(0, 0);
        let up = Status {
            stamp: zero,
            ready_stamp: zero,
            pid: 300,
            pgid: 300,
            wait_status: WaitStatus(0),
            paused: false,
            finishing: false,
            wanted_up: true,
            ready: true,
        };
        assert_eq!(up.pack()[34], 0x0c);
        assert_eq!(Status { ready: false, finishing: true, ..up }.pack()[34], 0x06);
        assert_eq!(up.pack()[24..32], [0, 0, 0, 0, 0, 0, 1, 44]);
    }

    #[test]
    fn reads_the_layout_of_2_13() {
        let mut bytes = [0_u8; 43];
        bytes[31] = 9;
        bytes[39] = 7;
        bytes[40] = 3;
        bytes[42] = 0x0c;
        let status = Status::unpack(&bytes).expect("43 bytes are a layout");
        assert_eq!((status.pid, status.pgid, status.wait_status), (9, 7, WaitStatus::exited(3)));
        assert!(status.wanted_up && status.ready && !status.paused);
    }
}
