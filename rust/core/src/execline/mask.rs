//! Umasks as words, for `umask` and `posix-umask` (contract execline §3.1, §0.7).

/// The mask that a word means: an octal number alone, or clauses that change the rights which `old` leaves,
/// as in `u=rwx,g-w,o=`. `None`: it means nothing.
pub fn parse(word: &[u8], old: u32) -> Option<u32> {
    let octal = !word.is_empty() && word.iter().all(|byte| matches!(byte, b'0'..=b'7'));
    if octal {
        let text = std::str::from_utf8(word).ok()?;
        return u32::from_str_radix(text, 8).ok().map(|mask| mask & 0o777);
    }
    let mut rights = !old & 0o777;
    for clause in word.split(|&byte| byte == b',') {
        rights = changed(rights, clause)?;
    }
    Some(!rights & 0o777)
}

/// The octal number that a word begins with, whatever follows it.
pub fn leading_octal(word: &[u8]) -> Option<u32> {
    let digits: Vec<u8> = word.iter().copied().take_while(|b| matches!(b, b'0'..=b'7')).collect();
    // Only the last digits count, as for a number that is too large in C.
    let last = digits.get(digits.len().saturating_sub(10)..).unwrap_or(&digits);
    u32::from_str_radix(std::str::from_utf8(last).ok()?, 8).ok()
}

/// `0022`.
pub fn octal(mask: u32) -> String {
    format!("{mask:04o}\n")
}

/// `u=rwx,g=rx,o=rx`: the rights that the mask leaves.
pub fn symbolic(mask: u32) -> String {
    let class = |(name, shift): (char, u32)| {
        let left = !mask >> shift;
        let letters = [(4, 'r'), (2, 'w'), (1, 'x')].into_iter();
        let rights: String =
            letters.filter(|(bit, _)| left & bit != 0).map(|(_, letter)| letter).collect();
        format!("{name}={rights}")
    };
    [('u', 6), ('g', 3), ('o', 0)].map(class).join(",") + "\n"
}

/// The rights after one clause: whom it concerns, and any number of changes.
fn changed(mut rights: u32, clause: &[u8]) -> Option<u32> {
    let others = clause.iter().position(|byte| !b"ugoa".contains(byte)).unwrap_or(clause.len());
    let (who, mut changes) = clause.split_at_checked(others)?;
    // One bit of each class that is meant, to be multiplied with rights.
    let classes = match who {
        [] => 0o111,
        who => who.iter().fold(0, |classes, letter| {
            classes
                | match letter {
                    b'u' => 0o100,
                    b'g' => 0o010,
                    b'o' => 0o001,
                    _ => 0o111,
                }
        }),
    };
    while let Some((operator, rest)) = changes.split_first() {
        let end = rest.iter().position(|byte| b"+-=".contains(byte)).unwrap_or(rest.len());
        let (letters, next) = rest.split_at_checked(end)?;
        changes = next;
        let meant = classes * self::rights(letters, rights)?;
        rights = match operator {
            b'+' => rights | meant,
            b'-' => rights & !meant,
            b'=' => rights & !(classes * 7) | meant,
            _ => return None,
        };
    }
    Some(rights)
}

/// Letters, or one class to copy from.
fn rights(letters: &[u8], now: u32) -> Option<u32> {
    match letters {
        b"u" => return Some(now >> 6 & 7),
        b"g" => return Some(now >> 3 & 7),
        b"o" => return Some(now & 7),
        _ => {}
    }
    letters.iter().try_fold(0, |rights, letter| {
        Some(
            rights
                | match letter {
                    b'r' => 4,
                    b'w' => 2,
                    b'x' | b'X' => 1,
                    b's' | b't' => 0, // known, and no right
                    _ => return None,
                },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_masks() {
        for (word, mask) in [
            ("022", 0o022),
            ("77777", 0o777),
            ("", 0o022),
            (",", 0o022),
            ("u", 0o022),
            ("u+w", 0o022),
            ("=", 0o777),
            ("o=", 0o027),
            ("o=,u=r", 0o327),
            ("a=rwx,g-w", 0o020),
            ("u=g", 0o222),
            ("ug=r+w", 0o112),
            ("g=u,o=g", 0),
            ("u=X", 0o622),
            ("=rx", 0o222),
            ("u+s", 0o022),
            ("-x+w", 0o111),
            ("g=o-x+u", 0o002),
        ] {
            assert_eq!(parse(word.as_bytes(), 0o022), Some(mask), "{word:?}");
        }
        for word in ["9", "0x", "r", "u=gr", "u=q", "u r", "07777777777777"] {
            assert_eq!(parse(word.as_bytes(), 0o022), None, "{word:?}");
        }
    }

    #[test]
    fn numbers_with_something_behind_them() {
        for (word, number) in
            [("0x", Some(0)), ("0229", Some(0o22)), ("7777777777777777", Some(0o7_777_777_777))]
        {
            assert_eq!(leading_octal(word.as_bytes()), number, "{word}");
        }
        assert_eq!((leading_octal(b"9"), leading_octal(b"")), (None, None));
    }

    #[test]
    fn both_forms() {
        assert_eq!((octal(0o22).as_str(), octal(0).as_str()), ("0022\n", "0000\n"));
        assert_eq!(symbolic(0o027), "u=rwx,g=rx,o=\n");
    }

    proptest! {
        #[test]
        fn the_symbolic_form_is_read_as_what_it_says(mask in 0_u32..0o1000, old in 0_u32..0o1000) {
            prop_assert_eq!(parse(symbolic(mask).trim_end().as_bytes(), old), Some(mask));
            prop_assert_eq!(parse(octal(mask).trim_end().as_bytes(), old), Some(mask));
        }

        #[test]
        fn any_word_is_survived(word in "[ugoa+=rwxXst,q7-]{0,12}", old: u32) {
            if let Some(mask) = parse(word.as_bytes(), old) {
                prop_assert!(mask <= 0o777);
            }
        }
    }
}
