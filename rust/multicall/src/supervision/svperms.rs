//! s6-svperms: who may look at, control and listen to a service.

use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error, shown};
use s6x_core::sys::dir::{Dir, Stat};
use s6x_core::sys::user::Accounts;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// s6-svperms.
pub static APPLET: Applet = Applet {
    name: "s6-svperms",
    section: Section::Status,
    about: "Show or set who may see the state of services, control them, and listen to them",
    options: &[
        flag('v', "show (default without other options)"),
        flag('u', "state and control: only the owner"),
        value('g', "group", "state: this group too; control: only the owner"),
        value('G', "group", "state and control: this group too"),
        flag('o', "state: everyone; control: only the owner"),
        value('O', "group", "state: everyone; control: this group too"),
        flag('e', "events: everyone"),
        value('E', "group", "events: only this group"),
    ],
    arguments: "servicedir...",
    syntax: Syntax::Posix,
    exit_codes: &[("1", "permissions that are none of these were found, or cannot be read")],
    run,
};

/// What to set; `None` leaves it as it is. Groups are by number.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    state: Option<State>,
    events: Option<Who>,
    show: bool,
}

impl Wish {
    fn only_shows(self) -> bool {
        self.state.is_none() && self.events.is_none()
    }
}

/// Who besides the owner may see the state, and who may control.
#[derive(Clone, Copy, Debug)]
struct State {
    seen_by: Who,
    control: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Owner,
    Group(u32),
    Everyone,
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let accounts = Accounts::of_root(Path::new("/"));
    let wish = wish(call, &accounts)?;
    call.argument(0, "servicedir")?;
    let services: Vec<PathBuf> =
        call.rest.iter().map(|word| call.service(word)).collect::<Result<_, _>>()?;
    let mut code = 0;
    for service in services {
        let dir = match Dir::open(&service).map_err(|errno| Error::on("open", &service, errno)) {
            Ok(dir) => dir,
            Err(error) if wish.only_shows() => {
                call.warning(error.to_string());
                code = 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let place = Place { call, accounts: &accounts, path: service, dir };
        if let Some(state) = wish.state {
            place.set_state(state)?;
        }
        match wish.events {
            Some(Who::Group(group)) => place.set("event", Some(group), 0o3730)?,
            Some(Who::Everyone) => place.set("event", None, 0o1733)?,
            Some(Who::Owner) | None => {}
        }
        if wish.show && !place.show()? {
            code = 1;
        }
    }
    Ok(Exit::Code(code))
}

/// What the options ask for; of several for the same thing, the last.
fn wish(call: &Invocation, accounts: &Accounts) -> Result<Wish, Failure> {
    let mut wish = Wish::default();
    for (letter, value) in &call.options {
        let group = value.as_ref().map(|name| group(name, accounts)).transpose()?;
        let seen = |seen_by, control| Some(State { seen_by, control });
        match (letter, group) {
            ('v', _) => wish.show = true,
            ('u', _) => wish.state = seen(Who::Owner, None),
            ('g', Some(group)) => wish.state = seen(Who::Group(group), None),
            ('G', Some(group)) => wish.state = seen(Who::Group(group), Some(group)),
            ('o', _) => wish.state = seen(Who::Everyone, None),
            ('O', group) => wish.state = seen(Who::Everyone, group),
            ('e', _) => wish.events = Some(Who::Everyone),
            ('E', Some(group)) => wish.events = Some(Who::Group(group)),
            (_, _) => {}
        }
    }
    wish.show |= wish.only_shows();
    Ok(wish)
}

/// `name`, or `:gid`.
fn group(name: &OsStr, accounts: &Accounts) -> Result<u32, Failure> {
    let text = name.to_string_lossy();
    match text.strip_prefix(':') {
        Some(gid) => number(OsStr::new(gid))
            .ok_or_else(|| Failure::usage(format!("{} is not a group id", quoted(name)))),
        None => accounts.group(&text).ok_or_else(|| {
            Failure::new(100, format!("no group {text:?} in /etc/group; a number is given as :gid"))
        }),
    }
}

/// One service directory.
struct Place<'a> {
    call: &'a Invocation,
    accounts: &'a Accounts,
    path: PathBuf,
    dir: Dir,
}

impl Place<'_> {
    fn set_state(&self, state: State) -> Result<(), Failure> {
        let (group, mode) = match state.seen_by {
            Who::Owner => (None, 0o700),
            Who::Group(group) => (Some(group), 0o710),
            Who::Everyone => (None, 0o711),
        };
        self.set("supervise", group, mode)?;
        let mode = if state.control.is_some() { 0o620 } else { 0o600 };
        self.set("supervise/control", state.control, mode)
    }

    /// Gives a file this mode, and this group or that of its owner.
    fn set(&self, name: &str, group: Option<u32>, mode: u32) -> Result<(), Failure> {
        let failed = |verb: &str, errno| Error::on(verb, self.path.join(name), errno);
        let found = self.dir.stat(name).map_err(|errno| failed("look at", errno))?;
        let group = group.unwrap_or_else(|| self.group_of_owner(name, &found));
        self.dir.chown(name, u32::MAX, group).map_err(|e| failed("change the group of", e))?;
        Ok(self.dir.chmod(name, mode).map_err(|e| failed("change the mode of", e))?)
    }

    fn group_of_owner(&self, name: &str, found: &Stat) -> u32 {
        let owner = self.accounts.user_name(found.uid).and_then(|name| self.accounts.user(name));
        owner.map_or_else(
            || {
                let path = shown(&self.path.join(name));
                let uid = found.uid;
                self.call.warning(format!("no user {uid} in /etc/passwd: {path} gets group root"));
                0
            },
            |user| user.gid,
        )
    }

    /// Prints three lines; false if something is wrong with one of them, which is told instead.
    fn show(&self) -> Result<bool, Failure> {
        let state = self.look("supervise", Stat::is_dir, "a directory", |mode| {
            let odd = mode & 0o5066 != 0 || mode & 0o700 != 0o700 || mode & 0o11 == 0o1;
            (!odd).then_some((mode & 0o1 != 0, mode & 0o10 != 0))
        });
        let control = self.look("supervise/control", Stat::is_fifo, "a named pipe", |mode| {
            (mode & 0o157 == 0).then_some((false, mode & 0o20 != 0))
        });
        let events = self.look("event", Stat::is_dir, "a directory", |mode| match mode {
            0o1733 => Some((true, false)),
            0o3730 => Some((false, true)),
            _ => None,
        });
        let path = self.path.display();
        let lines = [("status", state), ("control", control), ("events", events)];
        let complete = lines.iter().all(|(_, who)| who.is_ok());
        for (what, who) in lines {
            match who {
                Ok(who) => self.call.print(format!("{path} {what}: {who}\n"))?,
                Err(why) => self.call.warning(why),
            }
        }
        Ok(complete)
    }

    /// Who a file is for, by its mode: for everyone, or for its group, or for its owner.
    fn look(
        &self,
        name: &str,
        right_type: fn(&Stat) -> bool,
        article: &str,
        meaning: fn(u32) -> Option<(bool, bool)>,
    ) -> Result<String, String> {
        let path = self.path.join(name);
        let failed = |errno: Errno| Error::on("look at", &path, errno).to_string();
        let found = self.dir.stat(name).map_err(failed)?;
        if !right_type(&found) {
            return Err(format!("{} is not {article}", shown(&path)));
        }
        let mode = found.permissions();
        let Some((everyone, group)) = meaning(mode) else {
            return Err(format!("{} has incorrect permissions: {mode:o}", shown(&path)));
        };
        Ok(match (everyone, group) {
            (true, _) => "public".into(),
            (false, true) => match self.accounts.group_name(found.gid) {
                Some(name) => format!("group {name}"),
                None => format!("group {}", found.gid),
            },
            (false, false) => "owner".into(),
        })
    }
}
