//! What `/proc/PID/stat` says about a process (proc(5)).

/// The line of `/proc/PID/stat`, as far as it is shown to people. Times are in ticks of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessStat {
    /// The name that the kernel knows it by.
    pub name: Vec<u8>,
    /// Running, sleeping and so on, as a letter.
    pub state: u8,
    /// Its parent.
    pub parent: u64,
    /// Its process group.
    pub group: u64,
    /// Its session.
    pub session: u64,
    /// Its terminal: a device number; 0 is none.
    pub terminal: u64,
    /// The process group in the foreground of that terminal; -1 is none.
    pub foreground: i64,
    /// Page faults without reading from disk.
    pub minor_faults: u64,
    /// The same of its children that it has waited for.
    pub children_minor_faults: u64,
    /// Page faults with reading from disk.
    pub major_faults: u64,
    /// The same of its children that it has waited for.
    pub children_major_faults: u64,
    /// Time in its own code.
    pub user_time: u64,
    /// Time in the kernel.
    pub system_time: u64,
    /// Time in their own code of its children that it has waited for.
    pub children_user_time: u64,
    /// Time in the kernel of those.
    pub children_system_time: u64,
    /// How the kernel plans it.
    pub priority: i64,
    /// Its nice value.
    pub nice: i64,
    /// How many threads it has.
    pub threads: u64,
    /// When it was started, after the boot.
    pub started: u64,
    /// Bytes of its address space.
    pub virtual_size: u64,
    /// Pages of it in memory.
    pub resident_pages: u64,
    /// How many bytes of it may be in memory.
    pub resident_limit: u64,
    /// The address in the kernel at which it waits; 0 is none, or a secret.
    pub waits_at: u64,
    /// The processor it last ran on.
    pub processor: u64,
    /// Its real-time priority.
    pub realtime_priority: u64,
    /// Its scheduling policy.
    pub policy: u64,
}

impl ProcessStat {
    /// Reads the line. `None`: it is none. The name may hold anything, blanks and parentheses too, so
    /// it ends at the last parenthesis.
    pub fn parse(line: &[u8]) -> Option<ProcessStat> {
        let begin = line.iter().position(|&byte| byte == b'(')?;
        let end = line.iter().rposition(|&byte| byte == b')')?;
        let name = line.get(begin + 1..end)?.to_vec();
        let rest = std::str::from_utf8(line.get(end + 1..)?).ok()?;
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        // proc(5) counts from 1, and state is its number 3.
        let word = |number: usize| words.get(number.checked_sub(3)?);
        let unsigned = |number| word(number).and_then(|word| word.parse::<u64>().ok());
        let signed = |number| word(number).and_then(|word| word.parse::<i64>().ok());
        Some(ProcessStat {
            name,
            state: *word(3)?.as_bytes().first()?,
            parent: unsigned(4)?,
            group: unsigned(5)?,
            session: unsigned(6)?,
            terminal: u64::from(signed(7)? as u32), // shown as signed by some kernels
            foreground: signed(8)?,
            minor_faults: unsigned(10)?,
            children_minor_faults: unsigned(11)?,
            major_faults: unsigned(12)?,
            children_major_faults: unsigned(13)?,
            user_time: unsigned(14)?,
            system_time: unsigned(15)?,
            children_user_time: unsigned(16)?,
            children_system_time: unsigned(17)?,
            priority: signed(18)?,
            nice: signed(19)?,
            threads: unsigned(20)?,
            started: unsigned(22)?,
            virtual_size: unsigned(23)?,
            resident_pages: unsigned(24)?,
            resident_limit: unsigned(25)?,
            waits_at: unsigned(35)?,
            processor: unsigned(39)?,
            realtime_priority: unsigned(40)?,
            policy: unsigned(41)?,
        })
    }

    /// Its terminal's device number, major and minor. `None`: it has no terminal.
    pub fn terminal_device(&self) -> Option<(u64, u64)> {
        let number = self.terminal;
        let minor = number & 0xff | number >> 12 & 0xf_ff00;
        (number != 0).then_some((number >> 8 & 0xfff, minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = "42 (a) (b\n) S 1 42 42 34818 43 4194560 5 6 7 8 9 10 11 12 20 -5 2 0 99 4096 3 \
                        18446744073709551615 1 1 0 0 0 0 0 0 0 77 0 0 17 3 1 2 0 0 0 0 0 0 0 0 0 0 0";

    #[test]
    fn names_may_hold_anything() {
        let stat = ProcessStat::parse(LINE.as_bytes()).expect("a line");
        assert_eq!(stat.name, b"a) (b\n");
        assert_eq!((stat.state, stat.parent, stat.foreground), (b'S', 1, 43));
        assert_eq!((stat.nice, stat.threads, stat.started), (-5, 2, 99));
        assert_eq!((stat.resident_limit, stat.waits_at), (u64::MAX, 77));
        assert_eq!((stat.processor, stat.realtime_priority, stat.policy), (3, 1, 2));
        assert_eq!(stat.terminal_device(), Some((136, 2)));
    }

    #[test]
    fn short_lines_are_none() {
        for length in 0..LINE.len() - 25 {
            assert_eq!(ProcessStat::parse(LINE.get(..length).expect("ASCII").as_bytes()), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode(line in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = ProcessStat::parse(&line);
            let with_name = [b"1 (", line.as_slice(), LINE.split_at(9).1.as_bytes()].concat();
            if let Some(stat) = ProcessStat::parse(&with_name) {
                prop_assert!(stat.terminal_device().is_some());
            }
        }
    }
}
