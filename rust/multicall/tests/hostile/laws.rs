//! What must hold for any bytes, parser by parser. A law panics when it is broken.

pub(crate) mod execline;

use s6x_core::error::Error;
use s6x_core::machine::log::lines::Splitter;
use s6x_core::model::access_rules::{Database, Rules, in_directory};
use s6x_core::model::envdir::{self, Manner, Reading};
use s6x_core::model::service_dir::Settings;
use s6x_core::regex::{Dialect, Matcher, Regex};
use s6x_core::run::notify_socket;
use s6x_core::sys::dir::Dir;
use s6x_core::sys::user::Accounts;
use s6x_core::wire::access_rules::Rule;
use s6x_core::wire::cdb::{self, Record};
use s6x_core::wire::control::Control;
use s6x_core::wire::environment::Environment;
use s6x_core::wire::fix_attrs::{self, Account};
use s6x_core::wire::ftrigr::{self, Request, Unpacker};
use s6x_core::wire::log_journal::{self, State};
use s6x_core::wire::log_script::{self, Target};
use s6x_core::wire::plan::text::{Extra, Facts, Text, Words};
use s6x_core::wire::process_stat::ProcessStat;
use s6x_core::wire::quoting::{self, Delimiters};
use s6x_core::wire::signal::Signal;
use s6x_core::wire::status::Status;
use s6x_core::wire::sudo;
use s6x_core::wire::tai64::Tai;
use s6x_core::wire::tally::{self, Death};
use s6x_core::wire::wait_status::{Ending, WaitStatus};
use s6x_core::wire::zone::Zone;
use s6x_core::wire::{bencode, fdholder, message, mount, notice, plan, syslog};
use s6x_multicall::process::ids;
use s6x_multicall::{Opt, Syntax, flag, options, value};
use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Arguments, as a process gets them: a NUL ends each.
fn words(bytes: &[u8]) -> Vec<OsString> {
    bytes.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// Two halves, at the first NUL.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    (&bytes[..at], bytes.get(at + 1..).unwrap_or(&[]))
}

/// A directory that laws may write files into; each test process has its own.
fn scratch() -> PathBuf {
    thread_local! {
        static PLACE: OnceCell<Place> = const { OnceCell::new() };
    }
    PLACE.with(|place| {
        let make = || {
            let path = std::env::temp_dir().join(format!("s6x-hostile-{}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a scratch directory");
            Place(path)
        };
        place.get_or_init(make).0.clone()
    })
}

struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What decodes is what `encode` writes, byte for byte.
pub(crate) fn bencode(bytes: &[u8]) {
    if let Ok(value) = bencode::decode(bytes) {
        assert_eq!(bencode::encode(&value), bytes, "another encoding of the same value");
    }
}

/// A plan is read or refused with a reason.
pub(crate) fn plan(bytes: &[u8]) {
    match plan::decode(bytes) {
        Ok(plan) => assert_eq!(plan::decode(bytes).as_ref(), Ok(&plan)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A text holds no NUL, and a text without braces stands for itself.
pub(crate) fn plan_text(bytes: &[u8]) {
    let Ok(text) = Text::parse(bytes, &[Extra::Name, Extra::Code, Extra::Word]) else { return };
    assert!(!bytes.contains(&0));
    let facts = Facts { env: Environment::new(["A=x".into()]), ..Facts::default() };
    let filled = text.fill(&facts, Words { name: b"n", code: 65535, word: b"w" });
    assert!(filled.len() <= bytes.len(), "no placeholder here is shorter than what it stands for");
    if !bytes.contains(&b'{') {
        assert_eq!(filled, bytes);
    }
    assert!(text.is_given(&facts) || text.names_variables());
}

/// A letter means one control, and that one is written so.
pub(crate) fn control(bytes: &[u8]) {
    for &byte in bytes {
        if let Some(control) = Control::from_letter(byte) {
            assert_eq!(control.letter(), byte);
        }
    }
}

/// What is set is found, what is unset is not, and nothing else changes.
pub(crate) fn environment(bytes: &[u8]) {
    let (first, rest) = halves(bytes);
    let mut environment = Environment::new(words(rest));
    let before = environment.entries().count();
    let name = OsStr::from_bytes(first);
    let candidates = environment.candidates(name);
    assert!(candidates.iter().all(|path| path.as_bytes().ends_with(first)));
    if first.is_empty() || first.contains(&b'=') {
        return;
    }
    let is_new = environment.lookup(name).is_none();
    environment.set(name, "value");
    assert_eq!(environment.lookup(name), Some(OsStr::new("value")));
    assert!(environment.entries().count() <= before + usize::from(is_new));
    environment.unset(name);
    assert_eq!(environment.lookup(name), None);
    assert!(environment.to_c().len() <= before);
}

/// Lines ascend, modes and ids are such.
pub(crate) fn fix_attrs(bytes: &[u8]) {
    let mut last = 0;
    for rule in fix_attrs::rules(bytes) {
        let line = match rule {
            Ok(rule) => {
                for mode in [rule.file_mode, rule.directory_mode].into_iter().flatten() {
                    assert!(mode <= 0o7777);
                }
                assert!(!rule.path.contains(&0));
                resolved(&rule.account);
                rule.line
            }
            Err(bad) => {
                assert!(!bad.why.is_empty());
                bad.line
            }
        };
        assert!(line > last, "one result a line");
        last = line;
    }
}

fn resolved(account: &Account) {
    let user = |name: &str| (name == "root").then_some((0, 0));
    let group = |name: &str| (name == "root").then_some(0);
    if let Ok((uid, gid)) = account.resolve(user, group, |_| None) {
        assert!(uid != u32::MAX && gid != u32::MAX, "that would mean: leave it");
    }
}

/// However the bytes arrive, the messages are the same, and each request is written as it was read.
pub(crate) fn ftrigr(bytes: &[u8]) {
    let whole = messages([bytes]);
    assert_eq!(messages(bytes.chunks(7)), whole);
    for message in &whole.0 {
        let Ok(request) = Request::unpack(message) else { continue };
        if request != Request::Malformed {
            assert_eq!(Request::unpack(&request.message()), Ok(request));
        }
    }
    let again: Vec<u8> = whole.0.iter().flat_map(|message| ftrigr::pack(message)).collect();
    assert!(bytes.starts_with(&again));
}

fn messages<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, bool) {
    let (mut unpacker, mut all) = (Unpacker::default(), Vec::new());
    for piece in pieces {
        unpacker.feed(piece);
        loop {
            match unpacker.next_message() {
                Ok(Some(message)) => all.push(message),
                Ok(None) => break,
                Err(_) => return (all, false),
            }
        }
    }
    (all, true)
}

/// Every group acts, every action has its logdir, sizes are in range.
pub(crate) fn log_script(bytes: &[u8]) {
    let words = words(bytes);
    let Ok(script) = log_script::parse(&words) else { return };
    assert!(!script.groups.is_empty());
    for group in &script.groups {
        assert!(!group.actions.is_empty());
        for action in &group.actions {
            if let Target::Logdir(nth) = action.target {
                assert!(nth < script.logdirs.len());
            }
        }
    }
    for logdir in &script.logdirs {
        assert!((4096..=268_435_455).contains(&logdir.size));
        assert!(!logdir.path.as_os_str().is_empty());
    }
}

/// However a stream is chopped, its lines are the same; none is too long or holds its end; put
/// together, they are the stream.
pub(crate) fn log_lines(bytes: &[u8]) {
    let lines = |size: usize| {
        let (mut splitter, mut all) = (Splitter::new(50), Vec::new());
        for piece in bytes.chunks(size) {
            splitter.feed(piece, &mut |line| all.push(line.to_vec()));
        }
        splitter.finish(&mut |line| all.push(line.to_vec()));
        all
    };
    let whole = lines(bytes.len().max(1));
    for size in [1, 7, 50] {
        assert_eq!(lines(size), whole);
    }
    assert!(whole.iter().all(|line| line.len() <= 50 && !line.contains(&b'\n')));
    let ends = |byte: &&u8| **byte != b'\n' && **byte != 0;
    assert!(whole.concat().iter().eq(bytes.iter().filter(ends)));
}

/// An expression is refused with a place in it, or all ways of matching it say the same.
pub(crate) fn regex(bytes: &[u8]) {
    let (Some((first, rest)), most) = (bytes.split_first(), 64) else { return };
    let dialect = Dialect { basic: first & 1 == 1, ignores_case: first & 2 == 2 };
    let (expression, text) = halves(rest);
    let text = text.get(..most).unwrap_or(text);
    let regex = match Regex::in_dialect(expression, dialect) {
        Ok(regex) => regex,
        Err(mistake) => {
            assert!(mistake.at <= expression.len() && !mistake.why.is_empty());
            return;
        }
    };
    let mut matcher = Matcher::new(expression, dialect).expect("the same expression");
    let matches = regex.is_match(text);
    for _ in 0..2 {
        assert_eq!(matcher.matches(text), matches);
    }
    let found = regex.find(text);
    assert_eq!(found.is_some(), matches);
    assert!(found.is_none_or(|found| found.start <= found.end && found.end <= text.len()));
    if expression.len() > most {
        return;
    }
    for group in regex.find_groups(text).into_iter().flatten().flatten() {
        assert!(group.start <= group.end && group.end <= text.len());
    }
}

/// A name with the prefix and the length, and no other.
pub(crate) fn notice(bytes: &[u8]) {
    let is = notice::is_subscriber(bytes);
    assert_eq!(is, bytes.len() == 39 && bytes.starts_with(b"ftrig1:@"));
}

/// A signal is one that can be, and its name means it.
pub(crate) fn signal(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(signal) = Signal::parse(text) {
        assert!((1..=64).contains(&signal.number()));
        let name = signal.name();
        let number = name.strip_prefix("SIG").filter(|rest| rest.parse::<u8>().is_ok());
        assert_eq!(Signal::parse(number.unwrap_or(&name)), Some(signal));
    }
}

/// What was read is written so that it reads the same.
pub(crate) fn status(bytes: &[u8]) {
    let Some(status) = Status::unpack(bytes) else {
        assert!(bytes.len() != 35 && bytes.len() != 43, "every such file decodes");
        return;
    };
    let mut again = Status::unpack(&status.pack()).expect("our own");
    again.pgid = status.pgid; // which 35 bytes do not hold
    assert_eq!(again, status);
    wait_status(&status.wait_status.0.to_be_bytes());
    moment(status.stamp);
    moment(status.ready_stamp);
}

fn moment(stamp: Tai) {
    let (seconds, nanoseconds) = stamp.to_unix();
    assert!(nanoseconds < 1_000_000_000);
    if stamp.is_in_calendar() {
        assert_eq!(Tai::from_unix(seconds, nanoseconds).seconds_since(stamp), 0);
    }
    assert_eq!(stamp.seconds_since(stamp.next()), 0);
    assert_eq!(Tai::unpack(stamp.pack()), stamp);
}

/// Signals are such, and both codes tell an exit from a death.
pub(crate) fn wait_status(bytes: &[u8]) {
    let &[high, low] = bytes else { return };
    let status = WaitStatus(u16::from_be_bytes([high, low]));
    match status.ending() {
        Ending::Exited(code) => assert_eq!(status.shell_code(), code),
        Ending::Killed(signal) => {
            assert!((1..=64).contains(&signal.number()));
            assert_eq!(status.shell_code(), 128 + signal.number());
            assert_eq!(status.folded(), 128 + signal.number());
        }
    }
}

/// What follows the label is what followed it, and the label reads back.
pub(crate) fn tai64(bytes: &[u8]) {
    let Some((stamp, rest)) = Tai::split_label(bytes) else { return };
    assert_eq!(bytes.len() - rest.len(), 25);
    assert_eq!(stamp.label().to_ascii_lowercase(), bytes[..25].to_ascii_lowercase());
    assert_eq!(stamp.to_string().as_bytes(), stamp.label());
    moment(stamp);
}

/// No death is lost before the tally is full, and then the oldest.
pub(crate) fn tally(bytes: &[u8]) {
    let deaths = tally::unpack(bytes);
    assert!(deaths.len() * tally::RECORD <= bytes.len());
    let death = Death::new(Tai::from_unix(1, 2), WaitStatus::exited(3));
    for most in [0, 1, 3, usize::MAX] {
        let after = tally::unpack(&tally::appended(bytes, death, most));
        assert!(after.len() <= most.min(tally::MOST));
        assert_eq!(after.last(), (most > 0).then_some(&death));
    }
}

/// The message ends as it did.
pub(crate) fn syslog(bytes: &[u8]) {
    if let Some((facility, level, message)) = syslog::split(bytes) {
        assert!(!facility.is_empty() && !level.is_empty());
        assert!(bytes.ends_with(message) && bytes.starts_with(b"<"));
    }
}

/// A line that says so.
pub(crate) fn notify_socket(bytes: &[u8]) {
    if notify_socket::says_ready(bytes) {
        assert!(bytes.windows(7).any(|window| window == b"READY=1"));
    }
}

/// Whoever is found has an id that is one; and only who can have a name.
pub(crate) fn passwd(bytes: &[u8]) {
    let (name, text) = halves(bytes);
    let (name, text) = (String::from_utf8_lossy(name), String::from_utf8_lossy(text));
    let accounts = Accounts::new(&text, &text);
    let mut ids: Vec<u32> = accounts.groups_of(&name);
    ids.extend(accounts.group(&name));
    if let Some(user) = accounts.user(&name) {
        ids.extend([user.uid, user.gid]);
        assert!(text.contains(user.home.as_str()));
    }
    assert!(ids.iter().all(|&id| id != u32::MAX), "that would mean: leave it");
    assert!(ids.is_empty() || !name.starts_with(['+', '-']));
    for id in [0, 1000, u32::MAX] {
        for found in [accounts.user_name(id), accounts.group_name(id)].into_iter().flatten() {
            assert!(text.contains(found));
        }
    }
}

/// As many ids as were written, none too many, none beyond 32 bits.
pub(crate) fn id_list(bytes: &[u8]) {
    if let Ok(ids) = ids::list("-G", OsStr::from_bytes(bytes)) {
        assert!(ids.len() <= 65536);
        let joined = ids::joined(&ids);
        assert_eq!(ids::list("-G", OsStr::new(&joined)), Ok(ids));
    }
}

/// Every word is an option, its value, or the rest, in its order.
pub(crate) fn options(bytes: &[u8]) {
    const KNOWN: &[Opt] = &[
        flag('a', "").long("all"),
        flag('b', ""),
        value('t', "ms", "").long("timeout"),
        value('\u{1}', "x", "").long("only-long"),
    ];
    let words = words(bytes);
    for syntax in [Syntax::Posix, Syntax::Long, Syntax::Raw] {
        let Ok(parsed) = options::parse(syntax, KNOWN, &words) else { continue };
        assert!(words.ends_with(&parsed.rest));
        assert!(syntax != Syntax::Raw || parsed.rest == words);
        for (letter, value) in &parsed.options {
            let known = KNOWN.iter().find(|option| option.letter == *letter);
            assert_eq!(known.map(|option| option.value.is_some()), Some(value.is_some()));
        }
    }
}

/// No value holds a NUL; the exact reading is the file up to its first; values change nothing else.
pub(crate) fn envdir(bytes: &[u8]) {
    let place = scratch().join("env");
    std::fs::create_dir_all(&place).expect("a directory of variables");
    std::fs::write(place.join("NAME"), bytes).expect("a file to be written");
    let told = |whole, uncut, most, nul| Reading::AsTold(Manner { whole, uncut, most, nul });
    for reading in [
        Reading::Exact,
        Reading::FirstLine,
        told(false, false, None, b'\n'),
        told(true, false, Some(9), b'_'),
        told(true, true, None, b' '),
        told(false, true, Some(100), b'\n'),
    ] {
        let mut environment = Environment::new(["NAME=before".into(), "OTHER=x".into()]);
        let mut complaints = Vec::new();
        let merged =
            envdir::merge(&place, reading, &mut environment, &mut |why| complaints.push(why));
        assert_eq!(merged, Ok(()));
        assert_eq!(environment.lookup("OTHER"), Some(OsStr::new("x")));
        let value = environment.lookup("NAME").map(OsStr::as_bytes);
        assert!(!value.is_some_and(|value| value.contains(&0)), "no process can have that");
        if !complaints.is_empty() {
            assert_eq!(value, Some(&b"before"[..]), "what is refused changes nothing");
            assert!(bytes.len() > 100_000);
        } else if reading == Reading::Exact {
            assert_eq!(value, Some(halves(bytes).0));
        } else {
            assert_eq!(value.is_none(), bytes.is_empty());
        }
    }
}

/// Whatever the files hold, there are settings, and what is not understood is complained of.
pub(crate) fn service_dir(bytes: &[u8]) {
    const NAMES: [&str; 5] =
        ["down-signal", "reload-signal", "timeout-kill", "timeout-finish", "notification-fd"];
    let place = scratch().join("service");
    std::fs::create_dir_all(&place).expect("a service directory");
    let mut contents = bytes.split(|&byte| byte == 0);
    for name in NAMES {
        let path = place.join(name);
        match contents.next() {
            Some(content) => std::fs::write(path, content).expect("a file to be written"),
            None => {
                let _ = std::fs::remove_file(path);
            }
        }
    }
    let dir = Dir::open(&place).expect("the service directory");
    let mut complaints: Vec<Error> = Vec::new();
    let settings = Settings::read(&dir, &mut |error| complaints.push(error));
    assert!(complaints.len() <= 4);
    assert!((1..=64).contains(&settings.down_signal.number()));
    let understood = !complaints.is_empty() || !bytes.is_empty();
    assert!(understood, "an empty file is no signal: {settings:?}");
}

/// A rule is written so that it reads the same.
pub(crate) fn access_rule(bytes: &[u8]) {
    if let Ok(Some(rule)) = Rule::unpack(bytes) {
        let packed = rule.pack().expect("what was read is short enough to be written");
        assert!(packed.len() <= bytes.len());
        assert_eq!(Rule::unpack(&packed), Ok(Some(rule)));
    }
}

/// Any bytes are a database or not, and are looked through in as many steps as there is room for
/// records. What was written is found.
pub(crate) fn cdb(bytes: &[u8]) {
    let (mut position, mut seen) = (cdb::FIRST, 0);
    while let Ok(Some((record, following))) = cdb::next(bytes, position, 100) {
        assert!(following >= position + 8 && record.key.len() <= 100 && record.data.len() <= 100);
        if seen < 20 {
            let _ = cdb::find(bytes, &record.key, 100);
        }
        (position, seen) = (following, seen + 1);
        assert!(seen <= bytes.len());
    }
    let parts: Vec<&[u8]> = bytes.split(|&byte| byte == 0).take(200).collect();
    let records: Vec<(&[u8], &[u8])> =
        parts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let file = cdb::write(records.iter().copied()).expect("small enough");
    let mut position = cdb::FIRST;
    for &(key, data) in &records {
        let first = records.iter().find(|(its, _)| *its == key).map(|(_, data)| data.to_vec());
        assert_eq!(cdb::find(file.as_slice(), key, u32::MAX), Ok(first));
        let expected = Record { key: key.to_vec(), data: data.to_vec() };
        let next = cdb::next(file.as_slice(), position, u32::MAX).expect("our own");
        let (record, following) = next.expect("one more record");
        assert_eq!(record, expected);
        position = following;
    }
    assert_eq!(cdb::next(file.as_slice(), position, u32::MAX), Ok(None));
    let mut broken = file;
    for (at, &byte) in bytes.iter().take(16).enumerate() {
        let place = (usize::from(byte) * 8 + at * 997) % broken.len();
        broken[place] = byte;
    }
    for (key, _) in records {
        let _ = cdb::find(broken.as_slice(), key, 100);
    }
}

/// A client is let in only by a rule that says so, whatever the files hold.
pub(crate) fn access_rules_in_files(bytes: &[u8]) {
    let place = scratch().join("rules");
    let key = place.join("uid/7");
    std::fs::create_dir_all(key.join("env")).expect("a directory of rules");
    let (first, rest) = halves(bytes);
    let files =
        [(key.join("allow"), first), (key.join("env/NAME"), first), (key.join("exec"), rest)];
    for (file, content) in files {
        std::fs::write(file, content).expect("a file to be written");
    }
    let found = in_directory(&place, "uid/7").expect("readable").expect("a rule");
    let rules = Rules::Directory(place.clone());
    assert_eq!(rules.look_up((7, 7), (0, 0)), Ok(Some(found.clone())));
    assert_eq!(rules.look_up((8, 7), (0, 0)), Ok(None));
    if let Rule::Allow(terms) = &found {
        let value = terms.lookup("NAME").map(OsStr::as_bytes);
        assert!(!value.is_some_and(|value| value.contains(&0)));
    }
    // A record that any program may have written.
    let file = place.join("rules.cdb");
    let database = cdb::write([(&b"uid/7"[..], bytes)]).expect("small enough");
    std::fs::write(&file, database).expect("a file to be written");
    let rules = Rules::Database(Database::open(&file).expect("a database"));
    if let Ok(Some(Rule::Allow(_))) = rules.look_up((7, 7), (0, 0)) {
        assert_eq!(bytes.first(), Some(&b'A'));
    }
}

/// However bytes arrive, the messages are the same, and so are their descriptors.
pub(crate) fn message(bytes: &[u8]) {
    let messages = |size: usize| {
        let (mut unpacker, mut all) = (message::Unpacker::new(1000), Vec::new());
        for (nth, piece) in bytes.chunks(size).enumerate() {
            let descriptors = if nth == 0 { (0..20_u8).collect() } else { Vec::new() };
            unpacker.feed(piece, descriptors);
            loop {
                match unpacker.next_message() {
                    Ok(Some(message)) => all.push(message),
                    Ok(None) => break,
                    Err(_) => return (all, false),
                }
            }
        }
        (all, true)
    };
    let whole = messages(bytes.len().max(1));
    assert_eq!(messages(7), whole);
    let again: Vec<u8> = whole.0.iter().flat_map(message::Message::bytes).collect();
    assert!(bytes.starts_with(&again));
    let arrived: Vec<u8> = whole.0.into_iter().flat_map(|message| message.descriptors).collect();
    assert!(arrived.iter().copied().eq(0..arrived.len() as u8));
}

/// A request says no more than it holds, reads back, and adds no variable to a server's.
pub(crate) fn sudo_request(bytes: &[u8]) {
    let Ok(request) = sudo::Request::unpack(bytes) else { return };
    assert!(request.words.len() + request.variables.len() <= bytes.len());
    assert_eq!(sudo::Request::unpack(&request.pack()), Ok(request.clone()));
    let server = Environment::new(["A=", "B=own"].map(OsString::from));
    let granted = request.environment(&server);
    assert_eq!(granted.lookup("B"), Some(OsStr::new("own")));
    assert_eq!(granted.entries().count(), 2);
}

/// A request is written as it was read, and so are answers.
pub(crate) fn fdholder(bytes: &[u8]) {
    for descriptors in 0..3 {
        if let Ok(request) = fdholder::Request::unpack(bytes, descriptors) {
            assert_eq!(fdholder::Request::unpack(&request.pack(), descriptors), Ok(request));
        }
        if let Ok(entries) = fdholder::unpack_entries(bytes, descriptors) {
            assert_eq!(entries.len(), descriptors);
            let again = fdholder::pack_entries(&entries);
            assert_eq!(fdholder::unpack_entries(&again, descriptors), Ok(entries));
        }
    }
    if let Ok(ids) = fdholder::unpack_list(bytes) {
        assert_eq!(fdholder::unpack_list(&fdholder::pack_list(ids.iter())), Ok(ids));
    }
    if let Ok((messages, descriptors)) = fdholder::unpack_announcement(bytes) {
        assert!(messages <= descriptors);
    }
    if let Ok(trips) = fdholder::unpack_trips(bytes) {
        assert_eq!(fdholder::pack_trips(trips), bytes);
    }
    if let Err(errno) = fdholder::unpack_result(bytes) {
        assert_ne!(errno.0, 0);
    }
}

/// Entries have what makes them entries, options keep to their commas, swaps have a name.
pub(crate) fn mount(bytes: &[u8]) {
    for entry in mount::entries(bytes) {
        for field in [&entry.device, &entry.place, &entry.kind] {
            assert!(!field.is_empty());
        }
        let mut options = mount::Options::default();
        options.add(&entry.options);
        let before = options.clone();
        options.add(&before.data);
        assert_eq!(options.flags, before.flags, "what is no flag stays none");
    }
    assert!(mount::swaps(bytes).all(|place| !place.is_empty()));
}

/// The name is what stands between the first and the last parenthesis.
pub(crate) fn process_stat(bytes: &[u8]) {
    if let Some(stat) = ProcessStat::parse(bytes) {
        let _ = stat.terminal_device();
        let close = bytes.iter().rposition(|&byte| byte == b')');
        let open = bytes.iter().position(|&byte| byte == b'(');
        assert!(open < close);
    }
}

/// Clocks differ from Greenwich's by what their file or rule can say, and show what there is.
pub(crate) fn zone(bytes: &[u8]) {
    for zone in Zone::from_file(bytes).into_iter().chain(Zone::from_rule(bytes)) {
        for moment in [0, 1, 951_782_400, 1 << 31, u64::MAX >> 2, u64::MAX >> 1, u64::MAX] {
            let Some(civil) = zone.civil(moment) else { continue };
            assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day));
            assert!(civil.hour < 24 && civil.minute < 60 && civil.second <= 60);
        }
    }
}

/// What was quoted reads back as it was; an end is where a delimiter is.
pub(crate) fn quoting(bytes: &[u8]) {
    let (delimiters, text) = halves(bytes);
    let Ok(delimiters) = Delimiters::new(delimiters) else { return };
    let mut quoted = Vec::new();
    quoting::quote(text, delimiters, &mut quoted);
    let expected = quoting::Unquoted { text: text.to_vec(), end: None };
    assert_eq!(quoting::unquote(&quoted, delimiters), Ok(expected));
    match quoting::unquote(text, delimiters) {
        Ok(quoting::Unquoted { text: meant, end }) => {
            assert!(meant.len() <= text.len());
            assert!(end.is_none_or(|end| delimiters.contains(text[end])));
        }
        Err(bad) => assert!(bad.at <= text.len()),
    }
}

/// A state is written as it was read, the latest one is one of both, and another count of outlets is
/// not believed.
pub(crate) fn log_journal(bytes: &[u8]) {
    if let Some(outlets) = log_journal::read_prologue(bytes) {
        assert_eq!(log_journal::prologue(outlets), bytes[..16]);
        assert!(log_journal::data_offset(outlets) < 1 << 20);
    }
    let mut packed = Vec::new();
    if let Some(state) = State::unpack(bytes) {
        state.pack(&mut packed);
        assert_eq!(packed, bytes);
    }
    // Whatever lies in one slot, the state in the other one is found.
    let boot = bytes.len() as u64;
    let own = State { sequence: u64::MAX, boot, outlets: Vec::new() };
    own.pack(&mut packed);
    let mut slots = bytes.to_vec();
    slots.resize(packed.len(), 0);
    slots.extend_from_slice(&packed);
    assert_eq!(State::latest(&slots), Some(own));
    assert!(State::latest(bytes).is_none() || bytes.len() >= 32);
}
