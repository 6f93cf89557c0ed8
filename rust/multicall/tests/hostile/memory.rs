//! How much memory an input costs: an allocator that counts, for each thread on its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

fn took(bytes: usize) {
    let held = HELD.get().wrapping_add(bytes);
    HELD.set(held);
    // What another thread allocated may be freed here; then the count is below zero.
    if held.cast_signed() > PEAK.get().cast_signed() {
        PEAK.set(held);
    }
}

fn gave_back(bytes: usize) {
    HELD.set(HELD.get().wrapping_sub(bytes));
}

// SAFETY: everything is System's; the counters are plain cells, which allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller's promises are System's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        gave_back(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        gave_back(layout.size());
        took(size);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// The most bytes that `work` held at one time, beyond those held before, and what it returned.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (PEAK.get().wrapping_sub(before), result)
}
