//! Resource limits of this process, which programs that it becomes or starts inherit.

use super::cerr;
use crate::error::Errno;

/// No limit.
pub const UNLIMITED: u64 = libc::RLIM_INFINITY;

/// What can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Bytes of address space.
    AddressSpace,
    /// Bytes of a core file.
    Core,
    /// Seconds of processor time.
    Cpu,
    /// Bytes of data.
    Data,
    /// Bytes of a file that is written.
    FileSize,
    /// Bytes of memory locked in place.
    LockedMemory,
    /// One more than the largest descriptor.
    OpenFiles,
    /// Processes of the user.
    Processes,
    /// Priority in real-time scheduling.
    RealtimePriority,
    /// Bytes in memory; Linux takes note of it, no more.
    Resident,
    /// Bytes of the main thread's stack.
    Stack,
}

/// A limit: `soft` is in force, `hard` is how far it may be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// In force.
    pub soft: u64,
    /// The most that `soft` may be.
    pub hard: u64,
}

impl Resource {
    /// What messages call it.
    pub fn title(self) -> &'static str {
        match self {
            Resource::AddressSpace => "address space",
            Resource::Core => "core files",
            Resource::Cpu => "processor time",
            Resource::Data => "data",
            Resource::FileSize => "file size",
            Resource::LockedMemory => "locked memory",
            Resource::OpenFiles => "open files",
            Resource::Processes => "processes",
            Resource::RealtimePriority => "real-time priority",
            Resource::Resident => "resident memory",
            Resource::Stack => "stack",
        }
    }

    /// The limit in force.
    pub fn limit(self) -> Result<Limit, Errno> {
        let mut raw = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `raw` has room for one rlimit.
        cerr(unsafe { libc::getrlimit(self.number(), &raw mut raw) })?;
        Ok(Limit { soft: raw.rlim_cur, hard: raw.rlim_max })
    }

    /// Sets it. `EPERM`: only root may raise `hard`; `EINVAL`: `soft` is above `hard`.
    pub fn set_limit(self, limit: Limit) -> Result<(), Errno> {
        let raw = libc::rlimit { rlim_cur: limit.soft, rlim_max: limit.hard };
        // SAFETY: the call reads one rlimit.
        cerr(unsafe { libc::setrlimit(self.number(), &raw const raw) }).map(drop)
    }

    fn number(self) -> libc::__rlimit_resource_t {
        match self {
            Resource::AddressSpace => libc::RLIMIT_AS,
            Resource::Core => libc::RLIMIT_CORE,
            Resource::Cpu => libc::RLIMIT_CPU,
            Resource::Data => libc::RLIMIT_DATA,
            Resource::FileSize => libc::RLIMIT_FSIZE,
            Resource::LockedMemory => libc::RLIMIT_MEMLOCK,
            Resource::OpenFiles => libc::RLIMIT_NOFILE,
            Resource::Processes => libc::RLIMIT_NPROC,
            Resource::RealtimePriority => libc::RLIMIT_RTPRIO,
            Resource::Resident => libc::RLIMIT_RSS,
            Resource::Stack => libc::RLIMIT_STACK,
        }
    }
}
