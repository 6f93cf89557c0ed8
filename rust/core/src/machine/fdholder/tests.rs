//! The holder by example, and in any order of events. Descriptors are counted references: who keeps
//! one too long or drops one too early is found out.

use super::*;
use proptest::prelude::*;
use std::rc::Rc;

/// Letters of requests that are permitted: `L?!`, and `S` and `R` for names that begin with `a`.
#[derive(Clone, Debug)]
struct May(&'static str);

impl Rights for May {
    fn may_list(&self) -> bool {
        self.0.contains('L')
    }
    fn may_get_dump(&self) -> bool {
        self.0.contains('?')
    }
    fn may_set_dump(&self) -> bool {
        self.0.contains('!')
    }
    fn may_store(&self, id: &Id) -> bool {
        self.0.contains('S') && id.bytes().starts_with(b"a")
    }
    fn may_retrieve(&self, id: &Id) -> bool {
        self.0.contains('R') && id.bytes().starts_with(b"a")
    }
}

const EVERYTHING: May = May("L?!SR");
const SETTINGS: Settings = Settings {
    clients: 2,
    descriptors: 3,
    patience: Some(Duration::from_secs(5)),
    lame_duck: Some(Duration::from_secs(9)),
};

fn at(seconds: u64) -> Now {
    Now {
        monotonic: Monotonic::from_start(Duration::from_secs(seconds)),
        wall: Tai::from_unix(1_700_000_000 + seconds, 0),
    }
}

fn id(name: &str) -> Id {
    Id::new(name.as_bytes()).expect("a right one")
}

fn entry(name: &str, limit: Tai) -> Entry {
    Entry { id: id(name), limit }
}

fn forever(name: &str) -> Entry {
    entry(name, at(0).wall.never())
}

type Descriptor = Rc<()>;
type Tested = Holder<Descriptor, May>;

fn message(request: &Request, descriptors: usize) -> Message<Descriptor> {
    let descriptors = (0..descriptors).map(|_| Rc::new(())).collect();
    Message { body: request.pack(), descriptors }
}

/// A holder with a client, number 1.
fn holder(rights: May) -> Tested {
    let mut holder = Holder::new(SETTINGS);
    assert_eq!(holder.step(at(0), Event::Connected(1, rights)), []);
    holder
}

/// What client 1 gets for a request; it takes it at once.
fn ask(
    holder: &mut Tested,
    now: Now,
    request: &Request,
    descriptors: usize,
) -> Vec<Message<Descriptor>> {
    let actions = holder.step(now, Event::Received(1, message(request, descriptors)));
    assert_eq!(holder.step(now, Event::Took { client: 1, begun: false }), []);
    let message = |action| {
        let Action::Send(1, message) = action else { panic!("{action:?}") };
        message
    };
    actions.into_iter().map(message).collect()
}

/// The only answer, which is a result.
fn result(holder: &mut Tested, request: &Request, descriptors: usize) -> Result<(), Errno> {
    let answers = ask(holder, at(0), request, descriptors);
    let [answer] = answers.as_slice() else { panic!("{answers:?}") };
    fdholder::unpack_result(&answer.body)
}

fn names(holder: &mut Tested, now: Now) -> Vec<Id> {
    let answers = ask(holder, now, &Request::List, 0);
    fdholder::unpack_list(&answers[0].body).expect("a list")
}

#[test]
fn what_is_stored_can_be_had() {
    let mut holder = holder(EVERYTHING);
    let stored = message(&Request::Store(forever("a1")), 1);
    let witness = stored.descriptors[0].clone();
    holder.step(at(0), Event::Received(1, stored));
    assert_eq!(names(&mut holder, at(0)), [id("a1")]);
    assert_eq!(result(&mut holder, &Request::Store(forever("a1")), 1), Err(Errno::BUSY));
    assert_eq!(Rc::strong_count(&witness), 2);
    let keep = Request::Retrieve { id: id("a1"), delete: false };
    let take = Request::Retrieve { id: id("a1"), delete: true };
    for request in [&keep, &take] {
        let answers = ask(&mut holder, at(0), request, 0);
        assert!(Rc::ptr_eq(&answers[0].descriptors[0], &witness));
    }
    assert_eq!(Rc::strong_count(&witness), 1);
    for request in [keep, take, Request::Delete(id("a1"))] {
        assert_eq!(result(&mut holder, &request, 0), Err(Errno::NOT_FOUND));
    }
}

#[test]
fn rights_are_asked_for_each_request() {
    let denied = Err(Errno::NOT_PERMITTED);
    let (a, b) = (|| id("a"), || id("b"));
    let cases = [
        (May(""), Request::List, 0),
        (May("L"), Request::GetDump, 0),
        (May("L?"), Request::SetDump(1), 0),
        (May("R"), Request::Store(forever("a")), 1),
        (May("S"), Request::Store(forever("b")), 1),
        (May("R"), Request::Delete(a()), 0),
        (May("S"), Request::Delete(b()), 0),
        (May("S"), Request::Retrieve { id: a(), delete: false }, 0),
        (May("R"), Request::Retrieve { id: a(), delete: true }, 0),
        (May("R"), Request::Retrieve { id: b(), delete: false }, 0),
    ];
    for (rights, request, descriptors) in cases {
        let mut holder = holder(rights.clone());
        assert_eq!(result(&mut holder, &request, descriptors), denied, "{rights:?} {request:?}");
    }
}

#[test]
fn no_more_than_there_is_room_for() {
    let mut holder = holder(EVERYTHING);
    for name in ["a", "ab", "ac"] {
        assert_eq!(result(&mut holder, &Request::Store(forever(name)), 1), Ok(()));
    }
    let full = Err(Errno::TOO_MANY_FILES);
    assert_eq!(result(&mut holder, &Request::Store(forever("ad")), 1), full);
    assert_eq!(result(&mut holder, &Request::SetDump(1), 0), full);
    assert_eq!(result(&mut holder, &Request::SetDump(u32::MAX), 0), full);
    assert_eq!(result(&mut holder, &Request::Delete(id("ac")), 0), Ok(()));
    let trips = ask(&mut holder, at(0), &Request::SetDump(1), 0);
    assert_eq!(fdholder::unpack_trips(&trips[0].body), Ok(1));
}

#[test]
fn a_dump_comes_in_parts() {
    let mut holder = holder(EVERYTHING);
    assert_eq!(result(&mut holder, &Request::Store(forever("a")), 1), Ok(()));
    ask(&mut holder, at(0), &Request::SetDump(2), 0);
    // The rights of single names are not asked for, and the new one takes the place of the old.
    let part = |name| Request::Dump(vec![forever(name)]);
    assert_eq!(result(&mut holder, &part("a"), 1), Err(Errno::AGAIN));
    assert_eq!(result(&mut holder, &part("z"), 1), Ok(()));
    assert_eq!(names(&mut holder, at(0)), [id("a"), id("z")]);
    let answers = ask(&mut holder, at(0), &Request::GetDump, 0);
    assert_eq!(fdholder::unpack_announcement(&answers[0].body), Ok((1, 2)));
    assert_eq!(
        fdholder::unpack_entries(&answers[1].body, answers[1].descriptors.len()),
        Ok(vec![forever("a"), forever("z")])
    );
}

#[test]
fn large_dumps_are_divided() {
    let settings = Settings { descriptors: 600, ..SETTINGS };
    let mut holder = Holder::new(settings);
    holder.step(at(0), Event::Connected(1, EVERYTHING));
    for number in 0..507 {
        assert_eq!(result(&mut holder, &Request::Store(forever(&format!("a{number}"))), 1), Ok(()));
    }
    let answers = ask(&mut holder, at(0), &Request::GetDump, 0);
    let counts: Vec<usize> = answers.iter().map(|answer| answer.descriptors.len()).collect();
    assert_eq!(counts, [0, 253, 253, 1]);
}

#[test]
fn nonsense_closes_the_connection() {
    for (before, request, descriptors) in [
        (None, Request::List, 1),
        (None, Request::Store(forever("a")), 0),
        (None, Request::Dump(vec![forever("a")]), 1),
        (Some(Request::SetDump(1)), Request::List, 0),
        (Some(Request::SetDump(1)), Request::Dump(vec![forever("a"), forever("b")]), 2),
    ] {
        let mut holder = holder(EVERYTHING);
        if let Some(before) = before {
            ask(&mut holder, at(0), &before, 0);
        }
        let message = message(&request, descriptors);
        let witness = message.descriptors.first().cloned();
        assert_eq!(holder.step(at(0), Event::Received(1, message)), [Action::Close(1)]);
        assert!(witness.is_none_or(|witness| Rc::strong_count(&witness) == 1));
    }
}

#[test]
fn time_ends() {
    let mut holder = holder(EVERYTHING);
    for (name, limit) in [("a1", at(2).wall), ("a2", at(1).wall), ("a3", at(0).wall.never())] {
        assert_eq!(result(&mut holder, &Request::Store(entry(name, limit)), 1), Ok(()));
    }
    assert_eq!(holder.deadline(at(0)), Some(at(1).monotonic));
    assert_eq!(names(&mut holder, at(1)), [id("a1"), id("a3")]);
    assert_eq!(names(&mut holder, at(2)), [id("a3")]);
    assert_eq!(holder.deadline(at(2)), None);
    let past = Request::Store(entry("a4", Tai::unpack([0; 12])));
    ask(&mut holder, at(2), &past, 1);
    assert_eq!(names(&mut holder, at(2)), [id("a3")]);
}

#[test]
fn clients_are_waited_for_so_long() {
    let mut holder = holder(EVERYTHING);
    assert_eq!(holder.deadline(at(0)), Some(at(5).monotonic), "for its first request");
    assert_eq!(holder.step(at(4), Event::Began(1)), []);
    assert_eq!(holder.step(at(6), Event::Began(1)), []);
    assert_eq!(holder.deadline(at(6)), Some(at(9).monotonic), "for the rest of it");
    holder.step(at(8), Event::Received(1, message(&Request::List, 0)));
    assert_eq!(holder.deadline(at(8)), Some(at(13).monotonic), "to take the answer");
    holder.step(at(9), Event::Took { client: 1, begun: false });
    assert_eq!(holder.deadline(at(9)), None, "not for its next request");
    holder.step(at(20), Event::Received(1, message(&Request::List, 0)));
    assert_eq!(holder.step(at(24), Event::Timeout), []);
    assert_eq!(holder.step(at(25), Event::Timeout), [Action::Close(1)]);
}

#[test]
fn the_end_waits_for_what_has_begun() {
    let mut holder = holder(EVERYTHING);
    result(&mut holder, &Request::Store(forever("a")), 1).expect("there is room");
    holder.step(at(0), Event::Connected(2, EVERYTHING));
    assert!(!holder.accepts(), "two are enough");
    holder.step(at(0), Event::Began(2));
    assert_eq!(holder.step(at(1), Event::Terminate), []);
    assert!(!holder.accepts() && holder.listens_to(2) && !holder.listens_to(1));
    let list = Event::Received(2, message(&Request::List, 0));
    assert!(matches!(holder.step(at(1), list)[..], [Action::Send(2, _)]));
    assert_eq!(holder.step(at(2), Event::Took { client: 2, begun: false }), [Action::Exit(3)]);
    assert_eq!(holder.step(at(2), Event::Timeout), []);
}

#[test]
fn the_end_comes_for_sure() {
    let mut holder: Tested = Holder::new(Settings { patience: None, ..SETTINGS });
    holder.step(at(0), Event::Connected(1, EVERYTHING));
    holder.step(at(0), Event::Began(1));
    holder.step(at(0), Event::Terminate);
    assert_eq!(holder.deadline(at(0)), Some(at(9).monotonic));
    assert_eq!(holder.step(at(9), Event::Timeout), [Action::Exit(2)]);
    let mut idle: Tested = Holder::new(SETTINGS);
    assert_eq!(idle.step(at(0), Event::Terminate), [Action::Exit(0)]);
}

fn an_event() -> impl Strategy<Value = (u8, Client, u8, u8)> {
    (0..12_u8, 1..4_u32, 0..4_u8, 0..4_u8)
}

proptest! {
    #[test]
    fn any_order_of_events(events in proptest::collection::vec(an_event(), 0..80)) {
        let mut holder: Tested = Holder::new(SETTINGS);
        let (mut known, mut exits) = (BTreeMap::<Client, bool>::new(), 0);
        let (mut made, mut flying): (Vec<Descriptor>, Vec<Message<Descriptor>>) = Default::default();
        for (step, (what, client, name, more)) in events.into_iter().enumerate() {
            let now = at(step as u64 / 2);
            let entry = entry(["a", "ab", "ac", "z"][usize::from(name)], at(u64::from(more) * 20).wall);
            let request = match what {
                0 if holder.accepts() && !known.contains_key(&client) => None,
                1 => Some((Request::Store(entry), 1)),
                2 => Some((Request::Retrieve { id: entry.id, delete: more == 0 }, 0)),
                3 => Some((Request::SetDump(more.into()), 0)),
                4 => Some((Request::Dump(vec![entry]), usize::from(more % 3))),
                5 => Some((Request::GetDump, 0)),
                6 => Some((Request::Delete(entry.id), 0)),
                _ => None,
            };
            let event = match (what, request) {
                (_, Some((request, descriptors))) => {
                    // The driver's promise: nothing is sent on before answers were taken.
                    if known.get(&client) != Some(&false) {
                        continue;
                    }
                    let message = message(&request, descriptors);
                    made.extend(message.descriptors.iter().cloned());
                    Event::Received(client, message)
                }
                (0, None) if holder.accepts() && !known.contains_key(&client) => {
                    known.insert(client, false);
                    Event::Connected(client, EVERYTHING)
                }
                (7, None) => Event::Began(client),
                (8, None) => {
                    known.entry(client).and_modify(|owes| *owes = false);
                    flying.clear();
                    Event::Took { client, begun: more == 0 }
                }
                (9, None) if more == 0 => Event::Terminate,
                (10, None) => Event::Gone(client),
                (_, None) => Event::Timeout,
            };
            for action in holder.step(now, event) {
                prop_assert_eq!(exits, 0, "nothing comes after the end");
                match action {
                    Action::Send(client, message) => {
                        prop_assert!(known.contains_key(&client));
                        known.insert(client, true);
                        flying.push(message);
                    }
                    Action::Close(client) => prop_assert!(known.remove(&client).is_some()),
                    Action::Exit(_) => exits += 1,
                }
            }
            if exits != 0 {
                break;
            }
            prop_assert!(holder.store.len() <= SETTINGS.descriptors);
            prop_assert_eq!(holder.clients.len(), known.len());
            prop_assert!(holder.deadline(now).is_none_or(|deadline| deadline > now.monotonic));
            flying.clear();
            let open = made.iter().filter(|descriptor| Rc::strong_count(descriptor) > 1).count();
            prop_assert_eq!(open, holder.store.len(), "what is not held is closed");
        }
    }
}
