//! The executable: takes what the kernel hands over, and leaves the rest to the library.
//!
//! A C `main`, because Rust's own would set SIGPIPE to ignored, and every program we become or
//! start would inherit that.
#![no_main]
#![allow(unsafe_code, reason = "a C main is exported by name and reads C's argument list")]

use s6x_core::sys::offspring::Heap;
use s6x_core::sys::process;
use s6x_core::sys::title::Title;
use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

/// Lets supervisors that are forked from the scanner stay small.
#[global_allocator]
static HEAP: Heap = Heap;

/// The entry point that C's start code calls.
///
/// # Safety
/// `argv` holds `argc` C strings and a null, as the kernel put them there.
// SAFETY: no other `main` is in the executable: Rust makes none under `no_main`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let word = |nth: usize| {
        // SAFETY: below `argc` there is a C string (the caller's promise).
        let text = unsafe { CStr::from_ptr(*argv.wrapping_add(nth)) };
        OsStr::from_bytes(text.to_bytes()).to_owned()
    };
    // Copies, both: a daemon that changes its title overwrites the originals.
    let words: Vec<OsString> = (0..count).map(word).collect();
    let environment = process::environment();
    // SAFETY: `argv` is the kernel's, and from here on nobody reads its strings or the
    // environment's: all code works on the copies.
    let title = unsafe { Title::of(count, argv) };
    c_int::from(s6x_multicall::main(&words, environment, title))
}
