//! What s6-sudoc asks s6-sudod for: words and variables, and what of them is granted (contract s6
//! §1.9).
//!
//! The server greets; the client answers with one message ([`super::message`]) and three descriptors;
//! the server says one byte, 0 or why nothing was started, and, when that has ended, four bytes of wait
//! status.

use super::environment::Environment;
use super::wait_status::WaitStatus;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The server's first bytes.
pub const GREETING: &[u8] = b"s6-sudo b v1.0\n";
/// What a request begins with.
const REQUEST: &[u8] = b"s6-sudo a v1.0\n";
/// Descriptors that come with a request: standard input, output and error.
pub const DESCRIPTORS: usize = 3;
/// The longest request: more than any kernel would hand to a program.
pub const LONGEST: usize = 1 << 24;
/// The most words, and the most variables, as the originals have it.
const MOST: u32 = 131_072;
/// The server's last bytes.
pub const STATUS: usize = 4;

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Words for the end of the server's command line.
    pub words: Vec<CString>,
    /// Variables, `NAME=value` each.
    pub variables: Vec<CString>,
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is none; the text says how. It gets no answer.
    Message(&'static str),
    /// There are fewer words or variables than it says.
    Missing,
    /// A variable has no `=`.
    Variable,
}

impl Request {
    /// The body of the message.
    pub fn pack(&self) -> Vec<u8> {
        let joined = |texts: &[CString]| -> Vec<u8> {
            texts.iter().flat_map(|text| text.as_bytes_with_nul().iter().copied()).collect()
        };
        let (words, variables) = (joined(&self.words), joined(&self.variables));
        let numbers = [self.words.len(), self.variables.len(), words.len(), variables.len()];
        let numbers: Vec<u8> =
            numbers.iter().flat_map(|&number| (number as u32).to_be_bytes()).collect();
        [REQUEST, &numbers, &words, &variables].concat()
    }

    /// From the body of a message.
    pub fn unpack(body: &[u8]) -> Result<Request, Wrong> {
        let not_greeted = Wrong::Message("it does not begin as a request to s6-sudod");
        let body = body.strip_prefix(REQUEST).ok_or(not_greeted)?;
        let short = Wrong::Message("it is too short");
        let (numbers, texts) = body.split_first_chunk::<16>().ok_or(short)?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *numbers;
        let word_count = u32::from_be_bytes([a, b, c, d]);
        let variable_count = u32::from_be_bytes([e, f, g, h]);
        let words_length = u32::from_be_bytes([i, j, k, l]) as usize;
        let variables_length = u32::from_be_bytes([m, n, o, p]) as usize;
        if words_length.checked_add(variables_length) != Some(texts.len()) {
            return Err(Wrong::Message("its lengths are wrong"));
        }
        if word_count > MOST || variable_count > MOST {
            return Err(Wrong::Message("it has too many words or variables"));
        }
        let (words, variables) = texts.split_at_checked(words_length).ok_or(short)?;
        let variables = split(variables, variable_count)?;
        if variables.iter().any(|variable| !variable.as_bytes().contains(&b'=')) {
            return Err(Wrong::Variable);
        }
        Ok(Request { words: split(words, word_count)?, variables })
    }

    /// The environment of the program: the server's, in which each variable that is set and empty takes
    /// the value that the client gives it. Everything else that the client has is left out.
    pub fn environment(&self, server: &Environment) -> Environment {
        let mut environment = server.clone();
        for entry in &self.variables {
            let mut parts = entry.as_bytes().splitn(2, |&byte| byte == b'=');
            let text = |part: &[u8]| OsString::from_vec(part.to_vec());
            if let (Some(name), Some(value)) = (parts.next(), parts.next()) {
                let name = text(name);
                let asked_for = environment.lookup(&name).is_some_and(std::ffi::OsStr::is_empty);
                if asked_for && !name.is_empty() {
                    environment.set(name, text(value));
                }
            }
        }
        environment
    }

    /// The variables of an environment, but for entries that are none.
    pub fn variables_of(environment: &Environment) -> Vec<CString> {
        let is_one = |entry: &&std::ffi::OsStr| entry.as_bytes().contains(&b'=');
        let entries = environment.entries().filter(is_one);
        entries.filter_map(|entry| CString::new(entry.as_bytes()).ok()).collect()
    }
}

/// The server's last bytes.
pub fn pack_status(status: WaitStatus) -> [u8; STATUS] {
    u32::from(status.0).to_be_bytes()
}

/// The same read back; what is more than a wait status has is dropped.
pub fn unpack_status(bytes: [u8; STATUS]) -> WaitStatus {
    WaitStatus(u32::from_be_bytes(bytes) as u16)
}

/// So many texts, each with a NUL behind it. More bytes than that are nothing.
fn split(bytes: &[u8], count: u32) -> Result<Vec<CString>, Wrong> {
    let mut texts = Vec::new();
    let mut rest = bytes;
    for _ in 0..count {
        let end = rest.iter().position(|&byte| byte == 0).ok_or(Wrong::Missing)?;
        let (text, more) = rest.split_at_checked(end).ok_or(Wrong::Missing)?;
        texts.push(CString::new(text).map_err(|_| Wrong::Missing)?);
        rest = more.get(1..).unwrap_or(&[]);
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(texts: &[&str]) -> Vec<CString> {
        texts.iter().map(|text| CString::new(*text).expect("no NUL")).collect()
    }

    #[test]
    fn the_bytes_of_the_original() {
        let request = Request { words: texts(&["a", "bc"]), variables: texts(&["A=1"]) };
        let body = b"s6-sudo a v1.0\n\0\0\0\x02\0\0\0\x01\0\0\0\x05\0\0\0\x04a\0bc\0A=1\0";
        assert_eq!(request.pack(), body);
        assert_eq!(Request::unpack(body), Ok(request));
        assert_eq!(pack_status(WaitStatus::exited(3)), [0, 0, 3, 0]);
        assert_eq!(unpack_status([0, 0, 0, 9]).folded(), 137);
    }

    #[test]
    fn wrong_requests() {
        let made = |numbers: [u32; 4], texts: &[u8]| -> Vec<u8> {
            let numbers: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
            [REQUEST, &numbers, texts].concat()
        };
        let lengths = Wrong::Message("its lengths are wrong");
        let many = Wrong::Message("it has too many words or variables");
        for (body, wrong) in [
            (
                b"s6-sudo b v1.0\n".to_vec(),
                Wrong::Message("it does not begin as a request to s6-sudod"),
            ),
            (made([0; 4], b"")[..30].to_vec(), Wrong::Message("it is too short")),
            (made([1, 0, 2, 0], b"a"), lengths),
            (made([1, 0, 1, 0], b"ab"), lengths),
            (made([0, 0, u32::MAX, 1], b""), lengths),
            (made([MOST + 1, 0, 0, 0], b""), many),
            (made([0, u32::MAX, 0, 0], b""), many),
            (made([1, 0, 1, 0], b"a"), Wrong::Missing),
            (made([2, 0, 2, 0], b"a\0"), Wrong::Missing),
            (made([1, 1, 2, 2], b"a\0=b"), Wrong::Missing),
            (made([0, 1, 0, 2], b"A\0"), Wrong::Variable),
        ] {
            assert_eq!(Request::unpack(&body), Err(wrong), "{body:?}");
        }
        let more = Request::unpack(&made([1, 0, 4, 0], b"a\0b\0")).expect("more is nothing");
        assert_eq!(more.words, texts(&["a"]));
    }

    #[test]
    fn the_server_says_which_variables_are_taken() {
        let server = Environment::new(["A=", "B=server", "odd", "C="].map(OsString::from));
        let request = |entries: &[&str]| Request { words: Vec::new(), variables: texts(entries) };
        let entries = |asked: &[&str]| -> Vec<OsString> {
            request(asked).environment(&server).entries().map(OsString::from).collect()
        };
        let asked = ["A=1", "B=2", "D=3", "AA=4", "odd=5", "=6", "A=7", "C="];
        assert_eq!(entries(&asked), ["A=1", "B=server", "odd", "C="]);
        assert_eq!(entries(&["C==x=y"]), ["A=", "B=server", "odd", "C==x=y"]);
    }

    proptest! {
        #[test]
        fn requests_round_trip(
            words in proptest::collection::vec("[^\0]{0,9}", 0..9),
            variables in proptest::collection::vec("[^\0=]{0,3}=[^\0]{0,9}", 0..9),
        ) {
            let c = |texts: Vec<String>| texts.into_iter().map(|t| CString::new(t).expect("no NUL"));
            let request =
                Request { words: c(words).collect(), variables: c(variables).collect() };
            prop_assert_eq!(Request::unpack(&request.pack()), Ok(request));
        }

        /// Whatever comes: no panic, no more than was sent.
        #[test]
        fn any_body_is_survived(
            numbers: [u32; 4], small: [u8; 4], texts in proptest::collection::vec(0..4_u8, 0..40),
        ) {
            for numbers in [numbers, small.map(u32::from)] {
                let numbers: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
                if let Ok(request) = Request::unpack(&[REQUEST, &numbers, &texts].concat()) {
                    prop_assert!(request.words.len() + request.variables.len() <= texts.len());
                }
            }
            let _ = Request::unpack(&texts);
        }

        /// Nothing that the server has set is changed, and nothing is added.
        #[test]
        fn the_client_adds_nothing(
            server in proptest::collection::vec("[AB]{1,2}=[x]?", 0..6),
            client in proptest::collection::vec("[ABC]{0,2}=[y]?", 0..6),
        ) {
            let server = Environment::new(server.into_iter().map(OsString::from));
            let variables =
                client.into_iter().map(|text| CString::new(text).expect("no NUL")).collect();
            let granted = Request { words: Vec::new(), variables }.environment(&server);
            for (name, value) in server.variables() {
                let first = server.lookup(name) == Some(value);
                if !value.is_empty() && first {
                    prop_assert_eq!(granted.lookup(name), Some(value));
                }
            }
            for (name, _) in granted.variables() {
                prop_assert!(server.lookup(name).is_some());
            }
        }
    }
}
