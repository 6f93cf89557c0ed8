//! What `ps` shows of this process: the memory of argv and environment.

use std::ffi::{CStr, CString};

/// The memory that the kernel filled with our arguments and, right behind them, our environment.
/// Overwriting it changes what `ps` shows.
#[derive(Clone, Copy, Debug)]
pub struct Title {
    start: *mut u8,
    argv_len: usize,
    len: usize,
}

impl Title {
    /// Takes the place of argv and of the environment behind it.
    ///
    /// # Safety
    /// `argv` is what the kernel gave to `main`, with `argc` strings; nobody uses its strings, or
    /// the environment's, after [`Title::set`].
    pub unsafe fn of(argc: usize, argv: *const *const libc::c_char) -> Option<Title> {
        unsafe extern "C" {
            static environ: *const *const libc::c_char;
        }
        // SAFETY: the caller says that argv is the kernel's: at least its null is there.
        let start = unsafe { *argv }.cast::<u8>().cast_mut();
        if argc == 0 || start.is_null() {
            return None;
        }
        let (mut end, mut argv_len) = (start, 0);
        // SAFETY: both arrays are null-terminated lists of C strings that live as long as we do.
        let strings = unsafe { list(argv).chain(list(environ)) };
        for (nth, string) in strings.enumerate() {
            if string.as_ptr().cast::<u8>() != end {
                break; // the environment was moved elsewhere: what we have is what there is
            }
            end = end.wrapping_add(string.to_bytes_with_nul().len());
            if nth < argc {
                argv_len = end as usize - start as usize;
            }
        }
        Some(Title { start, argv_len, len: end as usize - start as usize })
    }

    /// Where the arguments begin, which is where the stack ends.
    pub fn address(&self) -> usize {
        self.start as usize
    }

    /// How many bytes a title can have.
    pub fn room(&self) -> usize {
        self.len.saturating_sub(1)
    }

    /// Shows `words` as our command line, cut to what fits, and the first 15 bytes of the first
    /// word as our name.
    pub fn set(&self, words: &[&[u8]]) {
        let mut title = words.join(&b'\0');
        title.push(0);
        if title.len() > self.argv_len {
            // Past its arguments, the kernel shows only one string: up to the first NUL.
            title = words.join(&b' ');
            title.truncate(self.room());
        }
        let rest = self.len - title.len();
        // SAFETY: `start` and `len` are the process's own argv and environment (see `of`), which
        // nobody else uses; the title has at most `len` bytes (`room`, or fewer than argv's).
        unsafe {
            std::ptr::copy_nonoverlapping(title.as_ptr(), self.start, title.len());
            std::ptr::write_bytes(self.start.wrapping_add(title.len()), 0, rest);
        }
        if let Some(name) = words.first().and_then(|word| CString::new(*word).ok()) {
            // SAFETY: a C string, of which the kernel copies 15 bytes.
            unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr(), 0, 0, 0) };
        }
    }
}

/// # Safety
/// `array` is a null-terminated array of C strings that live as long as the process.
unsafe fn list(array: *const *const libc::c_char) -> impl Iterator<Item = &'static CStr> {
    let mut at = array;
    std::iter::from_fn(move || {
        // SAFETY: not past the null, where `at` stays.
        let string = unsafe { *at };
        if string.is_null() {
            return None;
        }
        at = at.wrapping_add(1);
        // SAFETY: the caller says that it is a C string.
        Some(unsafe { CStr::from_ptr(string) })
    })
}
