//! Children that are forked without exec, and stay small.
//!
//! A supervisor needs no program of its own: it is this executable already. Forked, it shares our
//! pages, and costs only those that either side writes afterwards. So the art is to write few:
//!
//! - A *nest*, mapped before the first fork and never touched by the parent, is where a child keeps
//!   all that it allocates, and its stack. Its own heap and stack pages would otherwise be copies of
//!   the parent's, torn apart by the first write of either.
//! - What the child does not need of the parent's memory, it gives back: the parent's stack. Else it
//!   would keep the old version of each page that the parent goes on writing.
//! - While it waits, a child has no use for the stack below the waiting function; it gives that
//!   back too ([`wait`]).
//!
//! [`Heap`] is the executable's allocator: the system's, until a child moves into its nest. What the
//! parent had allocated before is then only read, and never freed.

use super::poll::Wish;
use super::wait::Pid;
use super::{cerr, clock, last, poll};
use crate::error::Errno;
use crate::wire::clock::Monotonic;
use std::alloc::{GlobalAlloc, Layout, System};
use std::os::fd::BorrowedFd;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::Duration;

/// Bytes of a nest: address space, of which a child uses some pages.
/// (Where the kernel does not overcommit, each child's counts as used.)
const NEST: usize = 256 * 1024;
/// How many annexes a child can map for what does not fit into its nest; each is at least twice as
/// large as the one before.
const ANNEXES: usize = 10;
/// Bytes at its end that are the child's stack.
const STACK: usize = 128 * 1024;
/// A block of this size or more is given back to the system as soon as it is free.
const LARGE: usize = 8192;
/// The kernel's unit of memory; where it is larger, nothing is given back (see [`give_back_pages`]).
const PAGE: usize = 4096;
/// How long nothing comes before a parent rests.
const MOMENT: Duration = Duration::from_millis(200);
/// Blocks are powers of two, from 2⁴ to 2³¹.
const SMALLEST: u32 = 4;
const SIZES: usize = 28;

/// The nest that the next child moves into; null until [`prepare`].
static PREPARED: AtomicPtr<Nest> = AtomicPtr::new(ptr::null_mut());

/// The executable's program headers, as the kernel told the parent: a child gave back the stack that
/// says it. (dl_iterate_phdr would take a lock, and writing that costs each child a page.)
static HEADERS: AtomicPtr<libc::Elf64_Phdr> = AtomicPtr::new(ptr::null_mut());
static HEADER_COUNT: AtomicUsize = AtomicUsize::new(0);
/// The size of a page of this system; told in the same place.
static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The beginning of a nest, all zeroes in the parent.
#[repr(C)]
struct Nest {
    /// Whether this process lives in it.
    inhabited: bool,
    /// The bytes never given out yet: address of the first, and of what follows the last.
    next: usize,
    end: usize,
    /// For each size, the first free block; a free block begins with the address of the next.
    free: [*mut u8; SIZES],
    /// Address and length of each annex; of those never mapped, zeroes.
    annexes: [(usize, usize); ANNEXES],
}

/// The executable's allocator: the system's in a parent, a nest in a child made by [`spawn`].
#[derive(Debug)]
pub struct Heap;

// SAFETY: in a parent, everything is System's. In a child, which has one thread, blocks come from
// the nest or its annexes, disjoint and aligned to their size, at most to a page, and return to the
// list of their size; other blocks were System's in the parent, and stay where they are.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_child() {
            // SAFETY: the caller's promises are System's too.
            return unsafe { System.alloc(layout) };
        }
        // SAFETY: the child is alone with its nest.
        unsafe { (*PREPARED.load(Ordering::Relaxed)).take(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !is_child() {
            // SAFETY: the caller's promises are System's too.
            return unsafe { System.dealloc(block, layout) };
        }
        let nest = PREPARED.load(Ordering::Relaxed);
        // SAFETY: the child is alone with its nest; a block that is the nest's is free from now on.
        unsafe {
            if (*nest).holds(block) {
                (*nest).give_back(block, layout);
            }
        }
    }
}

#[expect(clippy::cast_ptr_alignment, reason = "blocks are aligned to their size, 16 or more")]
impl Nest {
    /// # Safety
    /// `self` is at the beginning of a nest that this process inhabits.
    unsafe fn take(&mut self, layout: Layout) -> *mut u8 {
        let size = size_of_block(layout);
        let Some(list) = self.free.get_mut(class(size)) else { return ptr::null_mut() };
        if !list.is_null() {
            let block = *list;
            // SAFETY: a free block begins with the address of the next (see `give_back`).
            *list = unsafe { block.cast::<*mut u8>().read() };
            return block;
        }
        let mut start = self.next.next_multiple_of(size.min(PAGE));
        if start + size > self.end {
            if !self.grow(size) {
                return ptr::null_mut();
            }
            start = self.next;
        }
        self.next = start + size;
        start as *mut u8
    }

    /// Maps an annex with room for `size` bytes, and goes on there.
    fn grow(&mut self, size: usize) -> bool {
        let Some(nth) = self.annexes.iter().position(|&(_, length)| length == 0) else {
            return false;
        };
        let length = size.max(NEST << (nth + 1));
        let (Ok(at), Some(annex)) = (map(length), self.annexes.get_mut(nth)) else { return false };
        *annex = (at as usize, length);
        (self.next, self.end) = (at as usize, at as usize + length);
        true
    }

    /// Whether a block is in the nest, or in an annex.
    fn holds(&self, block: *mut u8) -> bool {
        let own = (ptr::from_ref(self) as usize, NEST);
        let parts = std::iter::once(&own).chain(&self.annexes);
        parts.into_iter().any(|&(at, length)| (block as usize).wrapping_sub(at) < length)
    }

    /// # Safety
    /// `block` came from [`Nest::take`] with this layout, and is not used any more.
    unsafe fn give_back(&mut self, block: *mut u8, layout: Layout) {
        let size = size_of_block(layout);
        if size >= LARGE {
            // SAFETY: whole pages of the block (it is page-aligned), whose content nobody needs.
            unsafe { give_back_pages(block as usize, size) };
        }
        if let Some(list) = self.free.get_mut(class(size)) {
            // SAFETY: the block has at least 16 bytes, is aligned for a pointer, and is unused.
            unsafe { block.cast::<*mut u8>().write(*list) };
            *list = block;
        }
    }
}

/// Whether this process lives in a nest.
fn is_child() -> bool {
    let nest = PREPARED.load(Ordering::Relaxed);
    // SAFETY: a prepared nest is mapped for ever.
    !nest.is_null() && unsafe { (*nest).inhabited }
}

fn size_of_block(layout: Layout) -> usize {
    layout.size().max(layout.align()).next_power_of_two().max(1 << SMALLEST)
}

fn class(size: usize) -> usize {
    (size.trailing_zeros() - SMALLEST) as usize
}

/// Maps a nest for children to come; once, early.
pub fn prepare() -> Result<(), Errno> {
    if !PREPARED.load(Ordering::Relaxed).is_null() {
        return Ok(());
    }
    let at = map(NEST)?;
    // SAFETY: only reads what the kernel told about this process.
    let told = |what| unsafe { libc::getauxval(what) };
    HEADERS.store(told(libc::AT_PHDR) as *mut libc::Elf64_Phdr, Ordering::Relaxed);
    HEADER_COUNT.store(told(libc::AT_PHNUM) as usize, Ordering::Relaxed);
    PAGE_SIZE.store(told(libc::AT_PAGESZ) as usize, Ordering::Relaxed);
    PREPARED.store(at.cast(), Ordering::Relaxed);
    Ok(())
}

/// Maps fresh memory, which costs nothing until it is written.
fn map(length: usize) -> Result<*mut libc::c_void, Errno> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE);
    let flags = flags | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping at an address of the kernel's choice.
    let at = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(last());
    }
    // Transparent huge pages would make one written byte cost two megabytes.
    // SAFETY: the mapping above.
    unsafe { libc::madvise(at, length, libc::MADV_NOHUGEPAGE) };
    Ok(at)
}

/// Gives pages back to the system, which reads them as zeroes, or as their file has them, when they
/// are used again. The kernel would round a length up to its own pages: where these are larger than
/// ours, nothing is given back.
///
/// # Safety
/// Nobody needs what was written to the pages that these bytes touch.
unsafe fn give_back_pages(start: usize, length: usize) {
    if PAGE_SIZE.load(Ordering::Relaxed) == PAGE {
        // SAFETY: the caller's promise; the kernel refuses what is not mapped.
        unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) };
    }
}

/// Forks a child that leads `life` with a copy of `with`, made in its nest, and never returns from it.
/// `stack_end`: where the parent's stack ends, if known; the child gives it back up to there.
/// [`prepare`] was called before. The process has one thread.
///
/// Descriptors, signal mask and everything else are as after fork(2).
pub fn spawn<T: Clone + 'static>(
    with: &T,
    stack_end: Option<usize>,
    life: fn(T) -> !,
) -> Result<Pid, Errno> {
    let nest = PREPARED.load(Ordering::Relaxed);
    if nest.is_null() {
        return Err(Errno::INVALID);
    }
    let mut birth = Birth { with, stack_end, life };
    let top = nest.cast::<libc::c_void>().wrapping_byte_add(NEST);
    let argument = (&raw mut birth).cast();
    // SAFETY: without CLONE_VM, the child has a copy of everything, and its stack is in its nest.
    let pid = cerr(unsafe { libc::clone(begin::<T>, top, libc::SIGCHLD, argument) })?;
    Pid::new(pid).ok_or(Errno::INVALID)
}

/// What a child finds in its parent's frame.
#[derive(Clone, Copy)]
struct Birth<T: 'static> {
    with: *const T,
    stack_end: Option<usize>,
    life: fn(T) -> !,
}

/// The first function of a child, on its own stack.
extern "C" fn begin<T: Clone + 'static>(argument: *mut libc::c_void) -> libc::c_int {
    let nest = PREPARED.load(Ordering::Relaxed);
    // SAFETY: the parent prepared the nest; in this child, nobody else knows it.
    unsafe {
        (*nest).next = nest as usize + size_of::<Nest>();
        (*nest).end = nest as usize + NEST - STACK;
        (*nest).inhabited = true;
    }
    // SAFETY: `argument` points to the parent's Birth, in our copy of its memory.
    let birth = unsafe { argument.cast::<Birth<T>>().read() };
    // SAFETY: the same holds for what it points to.
    let with = unsafe { (*birth.with).clone() };
    if let Some(end) = birth.stack_end {
        // What lies below the frame that forked is garbage of earlier calls.
        let start = (argument as usize).saturating_sub(STACK / 2) & !(PAGE - 1);
        let length = (end & !(PAGE - 1)).saturating_sub(start);
        // SAFETY: the parent's stack. Our only reference into it, `birth`, was copied, and its frames
        // never continue here. (A wrong `stack_end` below `start` gives a length of zero.)
        unsafe { give_back_pages(start, length) };
    }
    (birth.life)(with)
}

/// Waits as [`poll::anything`] does, with little in memory: a child gives back the pages of its stack
/// below this call, and everybody the executable's own, which are in memory anyway and come back, sixteen at a
/// time, when they are used again. A parent does so when nothing has come for a moment: while it
/// boots services, it has no rest.
pub fn wait(wishes: &[(BorrowedFd<'_>, Wish)], deadline: Option<Monotonic>) {
    if is_child() {
        give_back_stack();
    } else if HEADERS.load(Ordering::Relaxed).is_null() {
        return poll::anything(wishes, deadline);
    } else {
        let soon = clock::monotonic() + MOMENT;
        if deadline.is_some_and(|deadline| deadline <= soon) {
            return poll::anything(wishes, deadline);
        }
        if poll::any(wishes, Some(soon)).is_ok_and(|ready| ready.contains(&true)) {
            return;
        }
    }
    for (start, length) in unwritable_segments() {
        // SAFETY: a private mapping of a file, never written: its pages read the same afterwards.
        unsafe { give_back_pages(start, length) };
    }
    poll::anything(wishes, deadline);
}

fn give_back_stack() {
    let nest = PREPARED.load(Ordering::Relaxed);
    let bottom = nest as usize + NEST - STACK;
    // Some distance, for this frame and that of madvise itself.
    let here = (ptr::from_ref(&bottom) as usize).saturating_sub(1024) & !(PAGE - 1);
    let unused = here.saturating_sub(bottom);
    // SAFETY: below the stack pointer of the only thread, nothing is in use.
    unsafe { give_back_pages(bottom, unused) };
}

/// Where the parts of the executable are that were never writable: address of the first page, bytes.
fn unwritable_segments() -> impl Iterator<Item = (usize, usize)> {
    let at = HEADERS.load(Ordering::Relaxed);
    let headers: &[libc::Elf64_Phdr] = match at as usize {
        0 => &[],
        // SAFETY: the kernel says that so many program headers are there, for as long as we live.
        _ => unsafe { std::slice::from_raw_parts(at, HEADER_COUNT.load(Ordering::Relaxed)) },
    };
    // Where the headers are, less where they wanted to be: zero unless position-independent.
    let own = headers.iter().find(|header| header.p_type == libc::PT_PHDR);
    let base = own.map_or(0, |header| (at as usize).wrapping_sub(header.p_vaddr as usize));
    let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    loaded.filter(|header| header.p_flags & libc::PF_W == 0).map(move |header| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        let page = start & !(PAGE - 1);
        (page, start - page + header.p_memsz as usize)
    })
}
