//! What the original listener library and its helper, s6-ftrigrd, say to each other: version 1.0, that
//! of s6 up to 2.14 (contract s6 §5.6.4).
//!
//! Three pipes: requests, one answer for each, and news. On each, messages: four bytes of length, most
//! significant first, and that many bytes. The first message is a greeting.

/// The client's first message.
pub const GREETING: &[u8] = b"ftrigr v1.0 (b)\n";
/// The helper's first message, both on the pipe of answers and on that of news.
pub const REPLY: &[u8] = b"ftrigr v1.0 (a)\n";
/// The answer to a request that was granted; every other answer is an error number.
pub const GRANTED: u8 = 0;

/// Longer messages are no requests: a path and an expression.
const LONGEST: usize = 1 << 20;
/// A subscription goes on after its first match.
const REPEAT: u32 = 1;

/// A message as it is on the wire.
pub fn pack(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

/// Bytes that arrive in any pieces, and the messages in them.
#[derive(Debug, Default)]
pub struct Unpacker(Vec<u8>);

/// What arrived cannot be a message, or a message cannot be a request: the client is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonsense;

impl Unpacker {
    /// Adds what arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next message, if all of it is there.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, Nonsense> {
        let Some((head, rest)) = self.0.split_first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > LONGEST {
            return Err(Nonsense);
        }
        let Some((message, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let message = message.to_vec();
        self.0 = rest.to_vec();
        Ok(Some(message))
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Tell when what an event directory says matches.
    Subscribe {
        /// The client's name for this.
        id: u16,
        /// Tell every match, not only the first.
        repeat: bool,
        /// The event directory.
        path: Vec<u8>,
        /// A POSIX extended regular expression.
        expression: Vec<u8>,
    },
    /// Tell no more.
    Unsubscribe {
        /// The subscription.
        id: u16,
    },
    /// It was meant as a subscription, but its lengths contradict each other.
    Malformed,
}

impl Request {
    /// From a message.
    pub fn unpack(message: &[u8]) -> Result<Request, Nonsense> {
        let (&[high, low, what], rest) = message.split_first_chunk().ok_or(Nonsense)?;
        let id = u16::from_be_bytes([high, low]);
        match what {
            b'U' => Ok(Request::Unsubscribe { id }),
            b'L' => Ok(subscription(id, rest).unwrap_or(Request::Malformed)),
            _ => Err(Nonsense),
        }
    }

    /// As a message.
    pub fn message(&self) -> Vec<u8> {
        match self {
            Request::Unsubscribe { id } => [&id.to_be_bytes()[..], b"U"].concat(),
            Request::Malformed => vec![0, 0, b'L'],
            Request::Subscribe { id, repeat, path, expression } => [
                &id.to_be_bytes()[..],
                b"L",
                &u32::from(*repeat).to_be_bytes(),
                &(path.len() as u32).to_be_bytes(),
                &(expression.len() as u32).to_be_bytes(),
                path,
                b"\0",
                expression,
                b"\0",
            ]
            .concat(),
        }
    }
}

/// Options, both lengths, and both texts with a NUL behind each.
fn subscription(id: u16, rest: &[u8]) -> Option<Request> {
    let (options, rest) = rest.split_first_chunk()?;
    let (path_length, rest) = rest.split_first_chunk()?;
    let (expression_length, rest) = rest.split_first_chunk()?;
    let length = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes) as usize;
    let (path, rest) = rest.split_at_checked(length(path_length))?;
    let expression = rest.strip_prefix(b"\0")?.strip_suffix(b"\0")?;
    if expression.len() != length(expression_length) {
        return None;
    }
    Some(Request::Subscribe {
        id,
        repeat: u32::from_be_bytes(*options) & REPEAT != 0,
        path: path.to_vec(),
        expression: expression.to_vec(),
    })
}

/// What the helper tells without having been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// What arrived matches; this is the last byte of the match.
    Matched {
        /// The subscription.
        id: u16,
        /// The byte.
        byte: u8,
    },
}

impl News {
    /// As a message.
    pub fn message(self) -> Vec<u8> {
        match self {
            News::Matched { id, byte } => [&id.to_be_bytes()[..], &[b'!', byte]].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_of_the_original() {
        let request = Request::Subscribe {
            id: 0,
            repeat: false,
            path: b"ev".to_vec(),
            expression: b"b".to_vec(),
        };
        let bytes = b"\0\0\0\x14\0\0L\0\0\0\0\0\0\0\x02\0\0\0\x01ev\0b\0";
        assert_eq!(pack(&request.message()), bytes);
        let matched = News::Matched { id: 0, byte: b'b' };
        assert_eq!(pack(&matched.message()), b"\0\0\0\x04\0\0!b");
    }

    #[test]
    fn wrong_lengths_are_told_from_nonsense() {
        for text in [
            &b"\0\0L"[..],
            b"\0\0L\0\0\0\0\0\0\0\x02\0\0\0\x01evxb\0",
            b"\0\0L\0\0\0\0\xff\xff\xff\xff\0\0\0\x01\0b\0",
        ] {
            assert_eq!(Request::unpack(text), Ok(Request::Malformed), "{text:?}");
        }
        for text in [&b""[..], b"\0\0", b"\0\0X"] {
            assert_eq!(Request::unpack(text), Err(Nonsense), "{text:?}");
        }
        let mut unpacker = Unpacker::default();
        unpacker.feed(&[0xff; 4]);
        assert_eq!(unpacker.next_message(), Err(Nonsense));
    }

    proptest! {
        #[test]
        fn requests_round_trip(
            id: u16, repeat: bool, path: Vec<u8>, expression: Vec<u8>, other: u16,
        ) {
            for request in [
                Request::Subscribe { id, repeat, path, expression },
                Request::Unsubscribe { id: other },
            ] {
                prop_assert_eq!(Request::unpack(&request.message()), Ok(request));
            }
        }

        #[test]
        fn messages_arrive_in_any_pieces(messages: Vec<Vec<u8>>, piece in 1..20_usize) {
            let stream: Vec<u8> = messages.iter().flat_map(|message| pack(message)).collect();
            let (mut unpacker, mut arrived) = (Unpacker::default(), Vec::new());
            for piece in stream.chunks(piece) {
                unpacker.feed(piece);
                while let Some(message) = unpacker.next_message().expect("short messages") {
                    arrived.push(message);
                }
            }
            prop_assert_eq!(arrived, messages);
        }

        #[test]
        fn any_message_is_survived(bytes: Vec<u8>) {
            let _ = Request::unpack(&bytes);
        }
    }
}
