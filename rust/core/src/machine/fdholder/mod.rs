//! A holder of descriptors: what it keeps, what it answers, whom it waits for (contract s6 §1.7).
//!
//! Clients come with rights, send requests and get answers, in turn: the driver hands over a request
//! only after the answers to the one before have been taken, so that no client can make us keep more
//! than a request and its answers. A client that has to be waited for (for its first request, for
//! the rest of a request, to take an answer) has so long to do it. A descriptor whose time is over is
//! closed before anything else happens.
//!
//! Told to end, it takes no more clients, finishes what has begun, and ends; its exit code says whether
//! it held anything still, and whether there were clients.

mod store;
#[cfg(test)]
mod tests;

use self::store::Store;
use crate::error::Errno;
use crate::wire::clock::Monotonic;
use crate::wire::fdholder::{self, Entry, Id, Nonsense, Request};
use crate::wire::message::{MOST_DESCRIPTORS, Message};
use crate::wire::tai64::Tai;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a client may do.
pub trait Rights {
    /// See what is held.
    fn may_list(&self) -> bool;
    /// Get everything.
    fn may_get_dump(&self) -> bool;
    /// Bring whatever it likes.
    fn may_set_dump(&self) -> bool;
    /// Store a descriptor under this name, and delete it.
    fn may_store(&self, id: &Id) -> bool;
    /// Get the descriptor of this name.
    fn may_retrieve(&self, id: &Id) -> bool;
}

/// What the options say.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// At most so many clients.
    pub clients: usize,
    /// At most so many descriptors.
    pub descriptors: usize,
    /// How long a client may have us wait; `None`: for ever.
    pub patience: Option<Duration>,
    /// How long the end may take; `None`: as long as it takes.
    pub lame_duck: Option<Duration>,
}

/// A moment, on both clocks: expiries are on the wall's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For what clients have us wait.
    pub monotonic: Monotonic,
    /// For expiries.
    pub wall: Tai,
}

/// The driver's name for a client, of which no other has the same at the same time.
pub type Client = u32;

/// What happens to a holder.
#[derive(Clone, Debug)]
pub enum Event<D, R> {
    /// A client has come, with these rights.
    Connected(Client, R),
    /// It has sent a message, all of whose answers before it has taken.
    Received(Client, Message<D>),
    /// It has begun to send a message, and not ended.
    Began(Client),
    /// It has taken everything that was sent to it.
    Took {
        /// The client.
        client: Client,
        /// It has begun to send another message.
        begun: bool,
    },
    /// It has gone, or what it sends is no message.
    Gone(Client),
    /// We are to end.
    Terminate,
    /// The deadline has come, or nothing has happened.
    Timeout,
}

/// What a holder wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<D> {
    /// Send this; when everything was taken, tell [`Event::Took`], or what was [`Event::Received`] by
    /// then.
    Send(Client, Message<D>),
    /// Close the connection; the client is forgotten.
    Close(Client),
    /// End, with this exit code.
    Exit(u8),
}

/// The holder. `D` stands for a descriptor, which is closed when the last of its clones is dropped.
#[derive(Debug)]
pub struct Holder<D, R> {
    settings: Settings,
    store: Store<D>,
    clients: BTreeMap<Client, State<R>>,
    ending: Ending,
}

/// What is known of a client.
#[derive(Debug)]
struct State<R> {
    rights: R,
    /// How many descriptors of the dump that it announced are still to come.
    awaited: usize,
    /// Something is going on, that it has begun or has to take.
    busy: bool,
    /// Until when it has to do what we wait for.
    deadline: Option<Monotonic>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    No,
    /// As soon as nothing is going on any more, and at that time for sure.
    Soon(Option<Monotonic>),
    Done,
}

impl<D: Clone, R: Rights> Holder<D, R> {
    /// One that holds nothing.
    pub fn new(settings: Settings) -> Holder<D, R> {
        let clients = BTreeMap::new();
        Holder { settings, store: Store::default(), clients, ending: Ending::No }
    }

    /// Whether it would take another client now.
    pub fn accepts(&self) -> bool {
        self.ending == Ending::No && self.clients.len() < self.settings.clients
    }

    /// Whether to read from this client: not, once the end has come, where nothing has begun.
    pub fn listens_to(&self, client: Client) -> bool {
        let state = self.clients.get(&client);
        state.is_some_and(|state| self.ending == Ending::No || state.busy)
    }

    /// When it has to be told that time has passed.
    pub fn deadline(&self, now: Now) -> Option<Monotonic> {
        let expiry = self.store.next_expiry().map(|limit| now.monotonic + limit.since(now.wall));
        let clients = self.clients.values().filter_map(|state| state.deadline);
        let end = match self.ending {
            Ending::Soon(end) => end,
            Ending::No | Ending::Done => None,
        };
        clients.chain(expiry).chain(end).min()
    }

    /// Does what an event leads to.
    pub fn step(&mut self, now: Now, event: Event<D, R>) -> Vec<Action<D>> {
        let mut actions = Vec::new();
        self.store.expire(now.wall);
        match event {
            Event::Connected(client, rights) => {
                let deadline = self.patience_from(now);
                let state = State { rights, awaited: 0, busy: false, deadline };
                self.clients.insert(client, state);
            }
            Event::Received(client, message) => match self.answer(client, message, now.wall) {
                Ok(answers) => {
                    actions
                        .extend(answers.into_iter().map(|message| Action::Send(client, message)));
                    self.wait_for(client, now);
                }
                Err(Nonsense) => self.close(client, &mut actions),
            },
            Event::Began(client) => {
                // Only the first part counts: who sends a byte now and then is not waited for longer.
                if self.clients.get(&client).is_some_and(|state| !state.busy) {
                    self.wait_for(client, now);
                }
            }
            Event::Took { client, begun: true } => self.wait_for(client, now),
            Event::Took { client, begun: false } => {
                if let Some(state) = self.clients.get_mut(&client) {
                    (state.busy, state.deadline) = (false, None);
                }
            }
            Event::Gone(client) => self.close(client, &mut actions),
            Event::Terminate => {
                if self.ending == Ending::No {
                    let end = self.settings.lame_duck.map(|limit| now.monotonic + limit);
                    self.ending = Ending::Soon(end);
                }
            }
            Event::Timeout => {}
        }
        self.store.expire(now.wall); // what was over when it came
        self.lose_patience(now, &mut actions);
        self.end(now, &mut actions);
        actions
    }

    /// The answers to a message: at least one.
    fn answer(
        &mut self,
        client: Client,
        message: Message<D>,
        now: Tai,
    ) -> Result<Vec<Message<D>>, Nonsense> {
        let state = self.clients.get_mut(&client).ok_or(Nonsense)?;
        let request = Request::unpack(&message.body, message.descriptors.len())?;
        let within_dump = matches!(request, Request::Dump(_));
        if (state.awaited != 0) != within_dump {
            return Err(Nonsense);
        }
        let most = self.settings.descriptors;
        let rights = &state.rights;
        let result = match request {
            Request::Store(entry) => {
                let descriptor = message.descriptors.into_iter().next().ok_or(Nonsense)?;
                if !rights.may_store(&entry.id) {
                    Err(Errno::NOT_PERMITTED)
                } else if self.store.len() >= most {
                    Err(Errno::TOO_MANY_FILES)
                } else if self.store.has(&entry.id) {
                    Err(Errno::BUSY)
                } else {
                    self.store.put(entry, descriptor, now);
                    Ok(())
                }
            }
            Request::Delete(id) => {
                if rights.may_store(&id) {
                    self.store.remove(&id).map(drop).ok_or(Errno::NOT_FOUND)
                } else {
                    Err(Errno::NOT_PERMITTED)
                }
            }
            Request::Retrieve { id, delete } => {
                if !rights.may_retrieve(&id) || delete && !rights.may_store(&id) {
                    Err(Errno::NOT_PERMITTED)
                } else if let Some(descriptor) = self.store.descriptor(&id) {
                    if delete {
                        self.store.remove(&id);
                    }
                    let body = fdholder::pack_result(Ok(()));
                    return Ok(vec![Message { body, descriptors: vec![descriptor] }]);
                } else {
                    Err(Errno::NOT_FOUND)
                }
            }
            Request::List if rights.may_list() => {
                return Ok(vec![Message::plain(fdholder::pack_list(self.store.ids()))]);
            }
            Request::GetDump if rights.may_get_dump() => return Ok(self.dump()),
            Request::SetDump(count) if rights.may_set_dump() => {
                let count = count as usize;
                if count <= most.saturating_sub(self.store.len()) {
                    state.awaited = count;
                    let trips = fdholder::pack_trips(fdholder::trips(count));
                    return Ok(vec![Message::plain(trips)]);
                }
                Err(Errno::TOO_MANY_FILES)
            }
            Request::Dump(entries) => {
                let left = state.awaited.checked_sub(entries.len()).ok_or(Nonsense)?;
                if entries.len() <= most.saturating_sub(self.store.len()) {
                    state.awaited = left;
                    for (entry, descriptor) in entries.into_iter().zip(message.descriptors) {
                        self.store.put(entry, descriptor, now);
                    }
                    if left == 0 { Ok(()) } else { Err(Errno::AGAIN) }
                } else {
                    Err(Errno::TOO_MANY_FILES)
                }
            }
            Request::List | Request::GetDump | Request::SetDump(_) => Err(Errno::NOT_PERMITTED),
        };
        Ok(vec![Message::plain(fdholder::pack_result(result))])
    }

    /// Everything: how much, then as much as goes into a message each.
    fn dump(&self) -> Vec<Message<D>> {
        let held: Vec<(Entry, D)> = self.store.all().collect();
        let mut messages = vec![Message::plain(fdholder::pack_announcement(held.len()))];
        for part in held.chunks(MOST_DESCRIPTORS) {
            let body = fdholder::pack_entries(part.iter().map(|(entry, _)| entry));
            let descriptors = part.iter().map(|(_, descriptor)| descriptor.clone()).collect();
            messages.push(Message { body, descriptors });
        }
        messages
    }

    fn patience_from(&self, now: Now) -> Option<Monotonic> {
        self.settings.patience.map(|patience| now.monotonic + patience)
    }

    /// Something is going on with a client, from now on.
    fn wait_for(&mut self, client: Client, now: Now) {
        let deadline = self.patience_from(now);
        if let Some(state) = self.clients.get_mut(&client) {
            (state.busy, state.deadline) = (true, deadline);
        }
    }

    fn close(&mut self, client: Client, actions: &mut Vec<Action<D>>) {
        if self.clients.remove(&client).is_some() {
            actions.push(Action::Close(client));
        }
    }

    fn lose_patience(&mut self, now: Now, actions: &mut Vec<Action<D>>) {
        let late = |state: &State<R>| state.deadline.is_some_and(|end| end <= now.monotonic);
        let late: Vec<Client> = self
            .clients
            .iter()
            .filter(|(_, state)| late(state))
            .map(|(&client, _)| client)
            .collect();
        for client in late {
            self.close(client, actions);
        }
    }

    fn end(&mut self, now: Now, actions: &mut Vec<Action<D>>) {
        let Ending::Soon(end) = self.ending else { return };
        let busy = self.clients.values().any(|state| state.busy);
        if !busy || end.is_some_and(|end| end <= now.monotonic) {
            self.ending = Ending::Done;
            let held = u8::from(self.store.len() != 0);
            let clients = u8::from(!self.clients.is_empty());
            actions.push(Action::Exit(held | clients << 1));
        }
    }
}
