//! What a holder of descriptors and its clients say to each other (contract s6 §1.7): bodies of
//! [`super::message`]s.
//!
//! Every request has an answer. The first byte of an answer is 0, or the number of an error, which is
//! then all of it.

use super::message::MOST_DESCRIPTORS;
use super::tai64::Tai;
use crate::error::Errno;

/// No identifier is longer.
const LONGEST_ID: usize = 255;
/// An expiry and the length of an identifier, in front of it; and a NUL behind it.
const AROUND_ID: usize = 12 + 1 + 1;

/// The longest request: a part of a dump.
pub const LONGEST_REQUEST: usize = 1 + MOST_DESCRIPTORS * (AROUND_ID + LONGEST_ID);
/// The longest answer that a client takes: a list (the protocol's limit).
pub const LONGEST_ANSWER: usize = 1 << 28;

/// What a held descriptor is called: 1 to 255 bytes, none of them NUL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(Box<[u8]>);

impl Id {
    /// A name that a descriptor can have; `EINVAL`, or `ENAMETOOLONG`.
    pub fn new(name: &[u8]) -> Result<Id, Errno> {
        if name.len() > LONGEST_ID {
            return Err(Errno::NAME_TOO_LONG);
        }
        if name.is_empty() || name.contains(&0) { Err(Errno::INVALID) } else { Ok(Id(name.into())) }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A descriptor's name, and when it is to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub id: Id,
    /// The end of its time.
    pub limit: Tai,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Hold the descriptor that comes with this.
    Store(Entry),
    /// Close it.
    Delete(Id),
    /// Give it to me.
    Retrieve {
        /// Which.
        id: Id,
        /// And do not keep it.
        delete: bool,
    },
    /// What do you hold?
    List,
    /// Give me everything.
    GetDump,
    /// I have so many descriptors for you.
    SetDump(u32),
    /// Here are some of them.
    Dump(Vec<Entry>),
}

/// It is no request, or it does not have the descriptors that it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonsense;

impl Request {
    /// From the body of a message that comes with so many descriptors.
    pub fn unpack(body: &[u8], descriptors: usize) -> Result<Request, Nonsense> {
        let (&what, rest) = body.split_first().ok_or(Nonsense)?;
        let (request, needed) = match what {
            b'S' => {
                let (entry, rest) = entry(rest)?;
                end(rest)?;
                (Request::Store(entry), 1)
            }
            b'D' => (Request::Delete(id(rest).and_then(|(id, rest)| end(rest).map(|()| id))?), 0),
            b'R' => {
                let (&delete, rest) = rest.split_first().ok_or(Nonsense)?;
                let (id, rest) = id(rest)?;
                end(rest)?;
                (Request::Retrieve { id, delete: delete != 0 }, 0)
            }
            b'L' => (end(rest).map(|()| Request::List)?, 0),
            b'?' => (end(rest).map(|()| Request::GetDump)?, 0),
            b'!' => {
                let count = rest.try_into().map_err(|_| Nonsense)?;
                (Request::SetDump(u32::from_be_bytes(count)), 0)
            }
            b'.' => {
                let entries = entries(rest)?;
                let count = entries.len();
                if count == 0 {
                    return Err(Nonsense);
                }
                (Request::Dump(entries), count)
            }
            _ => return Err(Nonsense),
        };
        if descriptors == needed { Ok(request) } else { Err(Nonsense) }
    }

    /// As the body of a message.
    pub fn pack(&self) -> Vec<u8> {
        let mut body = Vec::new();
        match self {
            Request::Store(entry) => {
                body.push(b'S');
                pack_entry(&mut body, entry);
            }
            Request::Delete(id) => {
                body.push(b'D');
                pack_id(&mut body, id);
            }
            Request::Retrieve { id, delete } => {
                body.extend([b'R', u8::from(*delete)]);
                pack_id(&mut body, id);
            }
            Request::List => body.push(b'L'),
            Request::GetDump => body.push(b'?'),
            Request::SetDump(count) => {
                body.push(b'!');
                body.extend(count.to_be_bytes());
            }
            Request::Dump(entries) => {
                body.push(b'.');
                body.extend(pack_entries(entries));
            }
        }
        body
    }
}

/// In how many messages so many descriptors travel.
pub fn trips(descriptors: usize) -> u32 {
    descriptors.div_ceil(MOST_DESCRIPTORS) as u32
}

/// An answer that is nothing but "done", or why not.
pub fn pack_result(result: Result<(), Errno>) -> Vec<u8> {
    // A number of more than a byte would be another one, or none: no error here has one.
    vec![result.map_or_else(|errno| u8::try_from(errno.0).unwrap_or(u8::MAX), |()| 0)]
}

/// Reads such an answer; `EPROTO` when it is none.
pub fn unpack_result(body: &[u8]) -> Result<(), Errno> {
    match success(body)? {
        [] => Ok(()),
        [..] => Err(Errno::PROTOCOL),
    }
}

/// The answer to [`Request::List`].
pub fn pack_list<'a>(ids: impl ExactSizeIterator<Item = &'a Id>) -> Vec<u8> {
    let mut body = vec![0];
    body.extend((ids.len() as u32).to_be_bytes());
    for id in ids {
        body.extend_from_slice(id.bytes());
        body.push(0);
    }
    body
}

/// Reads it.
pub fn unpack_list(body: &[u8]) -> Result<Vec<Id>, Errno> {
    let (count, rest) = success(body)?.split_first_chunk().ok_or(Errno::PROTOCOL)?;
    let count = u32::from_be_bytes(*count) as usize;
    let ids = match rest.strip_suffix(b"\0") {
        Some(names) => names.split(|&byte| byte == 0).map(Id::new).collect::<Result<_, _>>(),
        None if rest.is_empty() => Ok(Vec::new()),
        None => Err(Errno::PROTOCOL),
    };
    let ids: Vec<Id> = ids.map_err(|_| Errno::PROTOCOL)?;
    if ids.len() == count { Ok(ids) } else { Err(Errno::PROTOCOL) }
}

/// The first answer to [`Request::GetDump`]; that many [`pack_entries`] follow.
pub fn pack_announcement(descriptors: usize) -> Vec<u8> {
    [&[0][..], &trips(descriptors).to_be_bytes(), &(descriptors as u32).to_be_bytes()].concat()
}

/// Reads it: how many messages follow, and descriptors in all. Other builds divide otherwise.
pub fn unpack_announcement(body: &[u8]) -> Result<(u32, u32), Errno> {
    let (messages, rest) = success(body)?.split_first_chunk().ok_or(Errno::PROTOCOL)?;
    let count = u32::from_be_bytes(rest.try_into().map_err(|_| Errno::PROTOCOL)?);
    let messages = u32::from_be_bytes(*messages);
    if messages <= count { Ok((messages, count)) } else { Err(Errno::PROTOCOL) }
}

/// The answer to [`Request::SetDump`]: how many messages are expected.
pub fn pack_trips(trips: u32) -> Vec<u8> {
    [&[0][..], &trips.to_be_bytes()].concat()
}

/// Reads it.
pub fn unpack_trips(body: &[u8]) -> Result<u32, Errno> {
    Ok(u32::from_be_bytes(success(body)?.try_into().map_err(|_| Errno::PROTOCOL)?))
}

/// A part of a dump; the descriptors come with it, in this order.
pub fn pack_entries<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<u8> {
    let mut body = Vec::new();
    for entry in entries {
        pack_entry(&mut body, entry);
    }
    body
}

/// Reads it.
pub fn unpack_entries(body: &[u8], descriptors: usize) -> Result<Vec<Entry>, Errno> {
    let entries = entries(body).map_err(|_| Errno::PROTOCOL)?;
    if entries.len() == descriptors { Ok(entries) } else { Err(Errno::PROTOCOL) }
}

/// What follows the byte that says whether it is a success.
fn success(body: &[u8]) -> Result<&[u8], Errno> {
    match body {
        [0, rest @ ..] => Ok(rest),
        [errno] => Err(Errno(i32::from(*errno))),
        _ => Err(Errno::PROTOCOL),
    }
}

fn pack_id(body: &mut Vec<u8>, id: &Id) {
    body.push(id.bytes().len() as u8);
    body.extend_from_slice(id.bytes());
    body.push(0);
}

fn pack_entry(body: &mut Vec<u8>, entry: &Entry) {
    body.extend(entry.limit.pack());
    pack_id(body, &entry.id);
}

/// A length, so many bytes, and a NUL.
fn id(bytes: &[u8]) -> Result<(Id, &[u8]), Nonsense> {
    let (&length, rest) = bytes.split_first().ok_or(Nonsense)?;
    let (name, rest) = rest.split_at_checked(length.into()).ok_or(Nonsense)?;
    let rest = rest.strip_prefix(b"\0").ok_or(Nonsense)?;
    Ok((Id::new(name).map_err(|_| Nonsense)?, rest))
}

fn entry(bytes: &[u8]) -> Result<(Entry, &[u8]), Nonsense> {
    let (limit, rest) = bytes.split_first_chunk().ok_or(Nonsense)?;
    let (id, rest) = id(rest)?;
    Ok((Entry { id, limit: Tai::unpack(*limit) }, rest))
}

fn entries(mut bytes: &[u8]) -> Result<Vec<Entry>, Nonsense> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (entry, rest) = entry(bytes)?;
        entries.push(entry);
        bytes = rest;
    }
    Ok(entries)
}

fn end(bytes: &[u8]) -> Result<(), Nonsense> {
    if bytes.is_empty() { Ok(()) } else { Err(Nonsense) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn an_id() -> impl Strategy<Value = Id> {
        proptest::collection::vec(1..=255_u8, 1..=LONGEST_ID)
            .prop_map(|name| Id::new(&name).expect("a right one"))
    }

    fn an_entry() -> impl Strategy<Value = Entry> {
        let stamp = any::<[u8; 12]>().prop_map(Tai::unpack);
        (an_id(), stamp).prop_map(|(id, limit)| Entry { id, limit })
    }

    fn a_request() -> impl Strategy<Value = (Request, usize)> {
        prop_oneof![
            an_entry().prop_map(|entry| (Request::Store(entry), 1)),
            an_id().prop_map(|id| (Request::Delete(id), 0)),
            (an_id(), any::<bool>()).prop_map(|(id, delete)| (Request::Retrieve { id, delete }, 0)),
            Just((Request::List, 0)),
            Just((Request::GetDump, 0)),
            any::<u32>().prop_map(|count| (Request::SetDump(count), 0)),
            proptest::collection::vec(an_entry(), 1..=MOST_DESCRIPTORS).prop_map(|entries| {
                let count = entries.len();
                (Request::Dump(entries), count)
            }),
        ]
    }

    #[test]
    fn the_bytes_of_the_original() {
        let id = Id::new(b"ab").expect("a right one");
        let limit = Tai::from_unix(1_700_000_000, 5);
        let stamp = b"\x40\0\0\0\x65\x53\xf1\x25\0\0\0\x05";
        let entry = Entry { id: id.clone(), limit };
        let stored = [&b"S"[..], stamp, b"\x02ab\0"].concat();
        assert_eq!(Request::Store(entry.clone()).pack(), stored);
        assert_eq!(Request::Dump(vec![entry]).pack(), [&b"."[..], &stored[1..]].concat());
        assert_eq!(Request::Delete(id.clone()).pack(), b"D\x02ab\0");
        assert_eq!(Request::Retrieve { id: id.clone(), delete: true }.pack(), b"R\x01\x02ab\0");
        assert_eq!(Request::SetDump(258).pack(), b"!\0\0\x01\x02");
        assert_eq!(pack_list([&id, &id].into_iter()), b"\0\0\0\0\x02ab\0ab\0");
        assert_eq!(pack_announcement(254), b"\0\0\0\0\x02\0\0\0\xfe");
        assert_eq!(pack_result(Err(Errno::BUSY)), [Errno::BUSY.0 as u8]);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (body, descriptors) in [
            (&b""[..], 0),
            (b"X", 0),
            (b"L", 1),
            (b"Lx", 0),
            (b"!\0\0\x01", 0),
            (b"D\0\0", 0),
            (b"D\x03ab\0", 0),
            (b"D\x02abc", 0),
            (b"D\x02ab\0x", 0),
            (b"D\x02a\0\0", 0),
            (b"R", 0),
            (b".", 0),
            (b"S\0\0\0\0\0\0\0\0\0\0\0\0\x01x\0", 0),
            (b".\0\0\0\0\0\0\0\0\0\0\0\0\x01x\0", 2),
            (b"S\0\0\0\0\0\0\0\0\0\0\0\0\x01x", 1),
        ] {
            assert_eq!(Request::unpack(body, descriptors), Err(Nonsense), "{body:?}");
        }
        assert_eq!(Id::new(&[b'x'; 256]), Err(Errno::NAME_TOO_LONG));
    }

    #[test]
    fn answers_that_contradict_themselves() {
        assert_eq!(unpack_result(b"\0x"), Err(Errno::PROTOCOL));
        assert_eq!(unpack_result(b""), Err(Errno::PROTOCOL));
        assert_eq!(unpack_result(&[Errno::NOT_PERMITTED.0 as u8]), Err(Errno::NOT_PERMITTED));
        for list in [&b"\0\0\0\0\x01"[..], b"\0\0\0\0\0a\0", b"\0\0\0\0\x01a", b"\0\0\0\0\x02a\0\0"]
        {
            assert_eq!(unpack_list(list), Err(Errno::PROTOCOL), "{list:?}");
        }
        assert_eq!(unpack_list(b"\0\0\0\0\0"), Ok(Vec::new()));
        assert_eq!(unpack_announcement(b"\0\0\0\0\x02\0\0\0\x01"), Err(Errno::PROTOCOL));
        assert_eq!(unpack_announcement(b"\0\0\0\0\0\0\0\0\0"), Ok((0, 0)));
        assert_eq!(unpack_trips(b"\0\0\0"), Err(Errno::PROTOCOL));
    }

    proptest! {
        #[test]
        fn requests_round_trip((request, descriptors) in a_request()) {
            let body = request.pack();
            prop_assert!(body.len() <= LONGEST_REQUEST);
            prop_assert_eq!(Request::unpack(&body, descriptors + 1), Err(Nonsense));
            prop_assert_eq!(Request::unpack(&body, descriptors), Ok(request));
        }

        #[test]
        fn answers_round_trip(entries in proptest::collection::vec(an_entry(), 0..20)) {
            let ids: Vec<Id> = entries.iter().map(|entry| entry.id.clone()).collect();
            prop_assert_eq!(unpack_list(&pack_list(ids.iter())), Ok(ids));
            let count = entries.len();
            prop_assert_eq!(unpack_entries(&pack_entries(&entries), count), Ok(entries));
            let (messages, descriptors) = (trips(count), count as u32);
            prop_assert_eq!(unpack_announcement(&pack_announcement(count)), Ok((messages, descriptors)));
            prop_assert_eq!(unpack_trips(&pack_trips(messages)), Ok(messages));
        }

        #[test]
        fn any_bytes_are_survived(body: Vec<u8>, descriptors in 0..3_usize, what in 0..7_usize) {
            let body = [&b"SDRL?!."[what..=what], &body].concat();
            let _ = Request::unpack(&body, descriptors);
            let answer = &[&b"\0"[..], &body].concat();
            let _ = (unpack_list(answer), unpack_announcement(answer), unpack_trips(answer));
            let _ = unpack_entries(&body, descriptors);
        }
    }
}
