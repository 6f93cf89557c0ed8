//! Searching in bytes, by the C library, which knows what the processor can do.

/// Where the first of these bytes is.
pub fn byte(byte: u8, text: &[u8]) -> Option<usize> {
    // SAFETY: pointer and length describe `text`.
    let found = unsafe { libc::memchr(text.as_ptr().cast(), byte.into(), text.len()) };
    offset(text, found.cast())
}

/// Where the last of these bytes is.
pub fn last_byte(byte: u8, text: &[u8]) -> Option<usize> {
    // SAFETY: pointer and length describe `text`.
    let found = unsafe { libc::memrchr(text.as_ptr().cast(), byte.into(), text.len()) };
    offset(text, found.cast())
}

/// Where `wanted` first begins; nothing at all is everywhere.
pub fn bytes(wanted: &[u8], text: &[u8]) -> Option<usize> {
    let (place, length) = (text.as_ptr().cast(), text.len());
    // SAFETY: both pointers and lengths describe slices.
    let found = unsafe { libc::memmem(place, length, wanted.as_ptr().cast(), wanted.len()) };
    offset(text, found.cast())
}

/// How many of these bytes there are.
pub fn count(wanted: u8, mut text: &[u8]) -> usize {
    let mut found = 0;
    while let Some(at) = byte(wanted, text) {
        found += 1;
        text = text.get(at + 1..).unwrap_or(&[]);
    }
    found
}

/// C's answer, a place in `text` or null, as an offset.
fn offset(text: &[u8], found: *const u8) -> Option<usize> {
    if found.is_null() { None } else { Some(found.addr() - text.as_ptr().addr()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_if_one_looked(text in "[abc\n]{0,40}", wanted in "[abc]{0,3}") {
            let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
            prop_assert_eq!(byte(b'\n', text), text.iter().position(|&byte| byte == b'\n'));
            prop_assert_eq!(last_byte(b'\n', text), text.iter().rposition(|&byte| byte == b'\n'));
            prop_assert_eq!(count(b'a', text), text.split(|&byte| byte == b'a').count() - 1);
            let places = 0..=text.len();
            prop_assert_eq!(bytes(wanted, text), places.into_iter().find(|&at| {
                text.get(at..).is_some_and(|rest| rest.starts_with(wanted))
            }));
        }
    }
}
