//! Messages with descriptors on a local stream socket: how s6's fd-holder and s6-sudo talk to their
//! clients (contract s6 §1.7).
//!
//! A message is the length of its body (4 bytes) and the number of its descriptors (2), both most
//! significant byte first, and the body. The descriptors travel with its first byte, beside the stream:
//! they wait in their order until the message is complete.

/// No message has more descriptors: the kernel takes no more at once.
pub const MOST_DESCRIPTORS: usize = 253;
/// Length and number in front of a body.
const HEAD: usize = 6;

/// A body and its descriptors, whatever stands for these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<D> {
    /// The bytes.
    pub body: Vec<u8>,
    /// What comes with them, at most [`MOST_DESCRIPTORS`].
    pub descriptors: Vec<D>,
}

impl<D> Message<D> {
    /// A message without descriptors.
    pub fn plain(body: impl Into<Vec<u8>>) -> Message<D> {
        Message { body: body.into(), descriptors: Vec::new() }
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let (length, count) = (self.body.len() as u32, self.descriptors.len() as u16);
        [&length.to_be_bytes()[..], &count.to_be_bytes(), &self.body].concat()
    }
}

/// What arrived is no message that we would take: the other end is broken, or means harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonsense;

/// Bytes and descriptors that arrive in any pieces, and the messages in them.
#[derive(Debug)]
pub struct Unpacker<D> {
    bytes: Vec<u8>,
    descriptors: Vec<D>,
    longest: usize,
}

impl<D> Unpacker<D> {
    /// For messages whose bodies have at most `longest` bytes.
    pub fn new(longest: usize) -> Unpacker<D> {
        Unpacker { bytes: Vec::new(), descriptors: Vec::new(), longest }
    }

    /// Adds what arrived together.
    pub fn feed(&mut self, bytes: &[u8], descriptors: Vec<D>) {
        self.bytes.extend_from_slice(bytes);
        self.descriptors.extend(descriptors);
    }

    /// The next message, if all of it is there. To be called until it is not, after each feeding: what
    /// is kept here is then never more than a message.
    pub fn next_message(&mut self) -> Result<Option<Message<D>>, Nonsense> {
        let message = self.complete()?;
        if message.is_none() && self.descriptors.len() > MOST_DESCRIPTORS {
            return Err(Nonsense);
        }
        Ok(message)
    }

    /// Whether something has arrived of a message that is not complete.
    pub fn is_within_message(&self) -> bool {
        !self.bytes.is_empty() || !self.descriptors.is_empty()
    }

    fn complete(&mut self) -> Result<Option<Message<D>>, Nonsense> {
        let Some((&[a, b, c, d, e, f], rest)) = self.bytes.split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let count = usize::from(u16::from_be_bytes([e, f]));
        if length > self.longest || count > MOST_DESCRIPTORS {
            return Err(Nonsense);
        }
        if rest.len() < length || self.descriptors.len() < count {
            return Ok(None);
        }
        // A copy of its own: split off, each body would keep room for all that came behind it.
        let body = rest.get(..length).unwrap_or(rest).to_vec();
        self.bytes.drain(..HEAD + length);
        let others = self.descriptors.split_off(count);
        let descriptors = std::mem::replace(&mut self.descriptors, others);
        Ok(Some(Message { body, descriptors }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_of_the_original() {
        let message = Message { body: b"R\0\x01x\0".to_vec(), descriptors: vec![7] };
        assert_eq!(message.bytes(), b"\0\0\0\x05\0\x01R\0\x01x\0");
    }

    #[test]
    fn what_is_too_much_is_refused() {
        for (head, descriptors) in [
            (&b"\0\0\0\x0b\0\0"[..], 0),
            (b"\xff\xff\xff\xff\0\0", 0),
            (b"\0\0\0\0\0\xfe", 0),
            (b"\0\0", 254),
        ] {
            let mut unpacker = Unpacker::new(10);
            unpacker.feed(head, vec![(); descriptors]);
            assert_eq!(unpacker.next_message(), Err(Nonsense), "{head:?}");
        }
        let mut unpacker = Unpacker::new(10);
        unpacker.feed(b"\0\0\0\x0a\0\xfd", vec![(); 253]);
        assert_eq!(unpacker.next_message(), Ok(None), "the rest may come");
        assert!(unpacker.is_within_message());
    }

    proptest! {
        /// Each message's descriptors come with its first byte, whatever the pieces.
        #[test]
        fn messages_arrive_in_any_pieces(
            messages in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..40), proptest::collection::vec(any::<u16>(), 0..4)),
                0..9,
            ),
            piece in 1..20_usize,
        ) {
            let messages: Vec<Message<u16>> = messages
                .into_iter()
                .map(|(body, descriptors)| Message { body, descriptors })
                .collect();
            let (mut unpacker, mut arrived) = (Unpacker::new(40), Vec::new());
            for message in &messages {
                let mut descriptors = message.descriptors.clone();
                for piece in message.bytes().chunks(piece) {
                    unpacker.feed(piece, std::mem::take(&mut descriptors));
                    while let Some(message) = unpacker.next_message().expect("short messages") {
                        arrived.push(message);
                    }
                }
            }
            prop_assert!(!unpacker.is_within_message());
            prop_assert_eq!(arrived, messages);
        }

        #[test]
        fn any_stream_is_survived(pieces: Vec<(Vec<u8>, u8)>) {
            let mut unpacker = Unpacker::new(100);
            for (bytes, descriptors) in pieces {
                unpacker.feed(&bytes, vec![(); descriptors.into()]);
                loop {
                    match unpacker.next_message() {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(Nonsense) => return Ok(()),
                    }
                }
                prop_assert!(unpacker.bytes.len() < HEAD + 100);
            }
        }
    }
}
