//! Which code an input reaches, and how often: the counters of `-C instrument-coverage`, as
//! `make fuzz` builds with. Otherwise nothing is known, and inputs are mutated blindly.

/// What has been reached so far: for each counter a set of magnitudes.
pub(crate) struct Coverage {
    counts: Vec<u64>,
    seen: Vec<u8>,
}

impl Coverage {
    pub(crate) fn new() -> Coverage {
        let size = counters().len();
        Coverage { counts: vec![0; size], seen: vec![0; size] }
    }

    /// Whether there are counters at all.
    pub(crate) fn is_known(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Begins to count.
    pub(crate) fn reset(&mut self) {
        self.counts.fill(0);
        counters().copy_from_slice(&self.counts);
    }

    /// Ends counting: how much was done, and whether something new was among it.
    pub(crate) fn reached(&mut self) -> (u64, bool) {
        // First of all a copy in one piece: reading is counted, too.
        self.counts.copy_from_slice(counters());
        let (mut work, mut new) = (0_u64, false);
        for (&count, seen) in self.counts.iter().zip(&mut self.seen) {
            if count == 0 {
                continue;
            }
            work = work.saturating_add(count);
            let magnitude = match count {
                1 => 1,
                2 => 2,
                3 => 4,
                4..=7 => 8,
                8..=15 => 16,
                16..=31 => 32,
                32..=127 => 64,
                _ => 128,
            };
            new |= *seen & magnitude == 0;
            *seen |= magnitude;
        }
        (work, new)
    }

    /// How many counters ever counted.
    pub(crate) fn breadth(&self) -> usize {
        self.seen.iter().filter(|&&magnitudes| magnitudes != 0).count()
    }
}

#[cfg(s6x_coverage)]
fn counters() -> &'static mut [u64] {
    unsafe extern "C" {
        fn __llvm_profile_begin_counters() -> *mut u64;
        fn __llvm_profile_end_counters() -> *mut u64;
    }
    // SAFETY: the profiler's run time, which is linked in under this flag, says where its counters
    // begin and end; they live as long as the process. Instrumented code writes them from one
    // thread, and never while the slice is in use.
    unsafe {
        let (begin, end) = (__llvm_profile_begin_counters(), __llvm_profile_end_counters());
        std::slice::from_raw_parts_mut(begin, end.offset_from(begin).unsigned_abs())
    }
}

#[cfg(not(s6x_coverage))]
fn counters() -> &'static mut [u64] {
    &mut []
}
