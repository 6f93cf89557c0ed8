//! Lists of exit codes that end a loop, or let it go on (contract execline §0.7).

use std::collections::BTreeSet;

/// A list of exit codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes(BTreeSet<u16>);

impl Codes {
    /// How many codes of a list count.
    const MOST: usize = 256;

    /// Numbers with any of `,:; ` or control characters between them, up to the first thing that is none.
    /// `None` if the word does not begin with a number.
    pub fn parse(word: &[u8]) -> Option<Codes> {
        let (mut codes, mut rest) = (BTreeSet::new(), word);
        for _ in 0..Codes::MOST {
            let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
            let (number, behind) = rest.split_at_checked(digits)?;
            let Some(code) = str::from_utf8(number).ok().and_then(|number| number.parse().ok())
            else {
                break;
            };
            codes.insert(code);
            let blanks = behind.iter().position(|byte| !b",:; \t\r\n".contains(byte));
            rest = behind.get(blanks.unwrap_or(behind.len())..).unwrap_or(&[]);
        }
        if codes.is_empty() { None } else { Some(Codes(codes)) }
    }

    /// Success alone.
    pub fn success() -> Codes {
        Codes(BTreeSet::from([0]))
    }

    /// Whether a code is listed.
    pub fn contains(&self, code: u8) -> bool {
        self.0.contains(&code.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(word: &str) -> Option<Vec<u16>> {
        Codes::parse(word.as_bytes()).map(|codes| codes.0.into_iter().collect())
    }

    #[test]
    fn numbers_and_what_is_between() {
        assert_eq!(listed("1,2:3; 4\t5\r\n6"), Some(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(listed("3x4"), Some(vec![3]));
        assert_eq!(listed("0,,300,"), Some(vec![0, 300]));
        assert_eq!(listed("1,70000,2"), Some(vec![1]));
        for word in ["", ",1", "x", "-1", "70000"] {
            assert_eq!(listed(word), None, "{word}");
        }
    }

    proptest! {
        #[test]
        fn every_number_of_a_list_is_found(numbers in proptest::collection::vec(0_u16.., 1..300)) {
            let word: Vec<String> = numbers.iter().map(u16::to_string).collect();
            let codes = Codes::parse(word.join(",").as_bytes()).expect("numbers");
            let first: BTreeSet<u16> = numbers.iter().copied().take(Codes::MOST).collect();
            prop_assert_eq!(codes.0, first);
        }

        #[test]
        fn any_word_is_survived(word in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = Codes::parse(&word);
        }
    }
}
