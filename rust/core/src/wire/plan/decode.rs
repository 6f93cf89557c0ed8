//! Bytes → plan. Every refusal is a sentence that names the place.

use super::fields::{Fallible, Fields};
use super::ops::op;
use super::text::{Extra, Text};
use super::{
    CatchAll, Command, Condition, Failure, Fingerprint, FixAttrs, Input, Kind, Meaning, Number,
    Plan, Rules, Scripts, Step, Supervise, Variables,
};
use crate::error::{Error, Result, Why};
use crate::wire::bencode::{self, Value};
use crate::wire::signal::Signal;
use std::rc::Rc;

const FORMAT: &[u8] = b"s6x-plan";
const VERSION: i64 = 2;

/// Reads a plan. The error says what is wrong and where, `boot step 3 (cont-init.d): limit-ms is not
/// a number`; it does not name the file, which the caller knows.
pub fn decode(bytes: &[u8]) -> Result<Plan> {
    let refuse = |why| Error::malformed("read the plan", why);
    let value = bencode::decode(bytes).map_err(|error| match error.why {
        Why::Malformed(how) => refuse(how),
        Why::System(_) | Why::Busy => error,
    })?;
    plan(&value).map_err(refuse)
}

fn plan(value: &Value) -> Fallible<Plan> {
    let mut fields = Fields::of(value, "plan")?;
    if fields.bytes("format")? != Some(FORMAT) {
        return Err("this is not a plan of s6x".to_owned());
    }
    match fields.int("version")? {
        Some(VERSION) => {}
        found => {
            let found = found.map_or("none".to_owned(), |number| number.to_string());
            return Err(format!(
                "it has version {found} of the format and this s6x reads version {VERSION}; \
                 make it again with `s6x build`"
            ));
        }
    }
    let plan = Plan {
        generation: fields.bytes("generation")?.unwrap_or_default().to_vec(),
        valid_when: conditions(&mut fields, "valid-when")?.unwrap_or_default(),
        inputs: fields.each("inputs", input)?,
        title: fields.text("title", &[])?,
        run: fields.texts("run")?,
        default_path: fields.bytes("default-path")?.unwrap_or_default().to_vec(),
        environment: environment(&mut fields)?,
        command: command(&mut fields)?,
        failure: failure(&mut fields)?,
        signals: signals(&mut fields)?,
        boot: steps(&mut fields, "boot")?,
        stop: steps(&mut fields, "stop")?,
        stop_limit_ms: number(&mut fields, "stop-limit-ms")?,
        exit_file: Some(fields.text("exit-file", &[])?).filter(|text| !text.is_empty()),
    };
    fields.bytes("made-by")?;
    fields.end()?;
    Ok(plan)
}

fn environment(fields: &mut Fields<'_>) -> Fallible<Variables> {
    let empty = Value::Dict(Vec::new());
    let mut fields = Fields::of(fields.take("environment").unwrap_or(&empty), "environment")?;
    let environment = Variables {
        export_cwd: fields.word("export-cwd")?,
        keep_when: conditions(&mut fields, "keep-when")?,
        tree: fields.texts("tree")?,
        scripts: fields.texts("scripts")?,
        stop: fields.texts("stop")?,
        dump: Some(fields.text("dump", &[])?).filter(|text| !text.is_empty()),
    };
    fields.end()?;
    Ok(environment)
}

fn command(fields: &mut Fields<'_>) -> Fallible<Command> {
    let empty = Value::Dict(Vec::new());
    let mut fields = Fields::of(fields.take("command").unwrap_or(&empty), "command")?;
    let sees_container = match fields.bytes("environment")? {
        Some(b"container") => true,
        Some(b"tree") | None => false,
        Some(_) => return fields.wrong("environment", "is neither \"container\" nor \"tree\""),
    };
    let command = Command {
        arg0_env: fields.word("arg0-env")?,
        sees_container,
        defaults: fields.each("defaults", pair)?,
        unset: fields.each("unset", word)?,
        not_found: fields.small("not-found")?.unwrap_or(127),
        not_executable: fields.small("not-executable")?.unwrap_or(126),
        signal_base: fields.small("signal-base")?.unwrap_or(0),
        signal_exit_base: fields.small("signal-exit-base")?.unwrap_or(0),
    };
    fields.end()?;
    Ok(command)
}

fn failure(fields: &mut Fields<'_>) -> Fallible<Failure> {
    let empty = Value::Dict(Vec::new());
    let mut fields = Fields::of(fields.take("failure").unwrap_or(&empty), "failure")?;
    let failure = Failure {
        level: number(&mut fields, "level")?,
        banner: fields.text("banner", &[])?,
        exit_code: fields.small("exit-code")?.unwrap_or(1),
    };
    fields.end()?;
    Ok(failure)
}

fn signals(fields: &mut Fields<'_>) -> Fallible<Vec<(Signal, Meaning)>> {
    let Some(value) = fields.take("signals") else { return Ok(Vec::new()) };
    let Value::Dict(entries) = value else { return fields.wrong("signals", "is not a dictionary") };
    let mut signals = Vec::new();
    for (name, meaning) in entries {
        let name = String::from_utf8_lossy(name);
        let Some(signal) = Signal::parse(&name) else {
            return fields.wrong("signals", &format!("names no signal: {name:?}"));
        };
        let meaning = match meaning {
            Value::Bytes(word) => match word.as_slice() {
                b"stop" => Some(Meaning::Stop),
                b"stop-now" => Some(Meaning::StopNow),
                b"rescan" => Some(Meaning::Rescan),
                b"rescan-and-prune" => Some(Meaning::RescanAndPrune),
                _ => None,
            },
            Value::Int(_) | Value::List(_) | Value::Dict(_) => None,
        };
        let Some(meaning) = meaning else {
            return fields.wrong("signals", &format!("does not say what {name} means"));
        };
        signals.push((signal, meaning));
    }
    Ok(signals)
}

fn steps(fields: &mut Fields<'_>, key: &str) -> Fallible<Vec<Rc<Step>>> {
    let items = fields.list(key)?.unwrap_or_default();
    items.iter().enumerate().map(|(nth, value)| step(value, key, nth + 1).map(Rc::new)).collect()
}

fn step(value: &Value, phase: &str, nth: usize) -> Fallible<Step> {
    let mut fields = Fields::of(value, format!("{phase} step {nth}"))?;
    let name = fields.word("name")?.unwrap_or_default();
    fields.at(format!("{phase} step {nth} ({})", String::from_utf8_lossy(&name)));
    let word = fields.word("do")?.unwrap_or_default();
    let (kind, stop_only) = kind(&mut fields, &word)?;
    if stop_only && phase != "stop" {
        return fields.wrong("do", "names something that only a stop can do");
    }
    let extra: &[Extra] = match kind {
        Kind::Command => &[Extra::Code, Extra::Word],
        Kind::Scripts(_) | Kind::FixAttrs(_) => &[Extra::Code, Extra::Name],
        Kind::Files(_)
        | Kind::Supervise(_)
        | Kind::Services(_)
        | Kind::Await { .. }
        | Kind::BringDown { .. }
        | Kind::AwaitDown(_)
        | Kind::Sync
        | Kind::Terminate(_)
        | Kind::Kill
        | Kind::Say => &[Extra::Code],
    };
    let step = Step {
        name,
        when: conditions(&mut fields, "when")?.unwrap_or_default(),
        say: fields.text("say", &[])?,
        done: fields.text("done", extra)?,
        late: fields.text("late", extra)?,
        checked: fields.flag("checked")?,
        fatal: fields.small("fatal")?,
        kind,
    };
    fields.end()?;
    Ok(step)
}

/// The kind of a step with its own keys, and whether only a stop can do it.
fn kind(fields: &mut Fields<'_>, word: &[u8]) -> Fallible<(Kind, bool)> {
    Ok(match word {
        b"files" => (Kind::Files(fields.each("ops", op)?), false),
        b"supervise" => (Kind::Supervise(supervise(fields)?), false),
        b"fix-attrs" => (Kind::FixAttrs(fix_attrs(fields)?), false),
        b"scripts" => (Kind::Scripts(scripts(fields)?), false),
        b"services" => (Kind::Services(fields.needed_text("from")?), false),
        b"await" => {
            let from = fields.needed_text("from")?;
            (Kind::Await { from, limit_ms: number(fields, "limit-ms")? }, false)
        }
        b"command" => (Kind::Command, false),
        b"bring-down" => {
            let wait_when = conditions(fields, "wait-when")?;
            (Kind::BringDown { wait_when, limit_ms: number(fields, "limit-ms")? }, true)
        }
        b"await-down" => (Kind::AwaitDown(number(fields, "limit-ms")?), true),
        b"sync" => (Kind::Sync, true),
        b"terminate" => (Kind::Terminate(number(fields, "limit-ms")?), true),
        b"kill" => (Kind::Kill, true),
        b"say" => (Kind::Say, false),
        other => {
            let why = format!("is no kind of step: {:?}", String::from_utf8_lossy(other));
            return fields.wrong("do", &why);
        }
    })
}

fn supervise(fields: &mut Fields<'_>) -> Fallible<Supervise> {
    let scandir = fields.needed_text("scandir")?;
    let Some(value) = fields.take("catch-all") else {
        return Ok(Supervise { scandir, catch_all: None });
    };
    let mut own = fields.below("catch-all", value)?;
    let catch_all = CatchAll {
        when: conditions(&mut own, "when")?.unwrap_or_default(),
        fifo: own.needed_text("fifo")?,
        command: conditions(&mut own, "command")?,
    };
    own.end()?;
    Ok(Supervise { scandir, catch_all: Some(catch_all) })
}

fn fix_attrs(fields: &mut Fields<'_>) -> Fallible<FixAttrs> {
    let (text, directory) = (fields.text("rules", &[])?, fields.text("directory", &[])?);
    let rules = match (text.is_empty(), directory.is_empty()) {
        (false, false) => return fields.wrong("rules", "cannot be there beside directory"),
        (_, true) => Rules::Text(text),
        (true, false) => Rules::Directory(directory),
    };
    Ok(FixAttrs {
        rules,
        hidden: conditions(fields, "hidden")?,
        each: fields.text("each", &[Extra::Name])?,
        each_done: fields.text("each-done", &[Extra::Name, Extra::Code])?,
    })
}

fn scripts(fields: &mut Fields<'_>) -> Fallible<Scripts> {
    let unspawnable_aborts = match fields.bytes("unspawnable")? {
        Some(b"abort") => true,
        Some(b"code") | None => false,
        Some(_) => return fields.wrong("unspawnable", "is neither \"abort\" nor \"code\""),
    };
    let no_input = match fields.bytes("input")? {
        Some(b"none") => true,
        Some(b"container") | None => false,
        Some(_) => return fields.wrong("input", "is neither \"container\" nor \"none\""),
    };
    Ok(Scripts {
        directory: fields.needed_text("directory")?,
        each: fields.text("each", &[Extra::Name])?,
        each_done: fields.text("each-done", &[Extra::Name, Extra::Code])?,
        cwd: fields.text("cwd", &[])?,
        limit_ms: number(fields, "limit-ms")?,
        limit_code: fields.small("limit-code")?.unwrap_or(99),
        no_input,
        unspawnable_aborts,
    })
}

/// A number; absent: 0.
fn number(fields: &mut Fields<'_>, key: &str) -> Fallible<Number> {
    match fields.take(key) {
        None => Ok(Number::Fixed(0)),
        Some(Value::Int(number)) => match u64::try_from(*number) {
            Ok(number) => Ok(Number::Fixed(number)),
            Err(_) => fields.wrong(key, "is negative"),
        },
        Some(value @ Value::Dict(_)) => {
            variable(value).or_else(|why| fields.wrong(&format!("{key}:"), &why))
        }
        Some(Value::Bytes(_) | Value::List(_)) => fields.wrong(key, "is not a number"),
    }
}

fn variable(value: &Value) -> Fallible<Number> {
    let mut fields = Fields::of(value, "number")?;
    let Some(name) = fields.word("env")? else { return fields.wrong("env", "is missing") };
    let Some(default) = fields.small("default")? else {
        return fields.wrong("default", "is missing");
    };
    let number = Number::Variable { name, default, max: fields.small("max")? };
    fields.end()?;
    Ok(number)
}

fn conditions(fields: &mut Fields<'_>, key: &str) -> Fallible<Option<Vec<Condition>>> {
    let Some(items) = fields.list(key)? else { return Ok(None) };
    let read = |(nth, value): (usize, &Value)| {
        condition(value).or_else(|why| fields.wrong(&format!("{key}, item {}:", nth + 1), &why))
    };
    items.iter().enumerate().map(read).collect::<Fallible<_>>().map(Some)
}

pub(super) fn condition(value: &Value) -> Fallible<Condition> {
    let Value::List(items) = value else { return Err("is not a condition".to_owned()) };
    let words = items.iter().map(word).collect::<Fallible<Vec<Vec<u8>>>>()?;
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    match words.as_slice() {
        [b"not", rest @ ..] if rest.first() != Some(&&b"not"[..]) => {
            positive(rest).map(|condition| Condition::Not(Box::new(condition)))
        }
        words => positive(words),
    }
}

fn positive(words: &[&[u8]]) -> Fallible<Condition> {
    Ok(match *words {
        [b"set", name] => Condition::Set(name.to_vec()),
        [b"zero", name] => Condition::Zero(name.to_vec()),
        [b"nonzero", name] => Condition::Not(Box::new(Condition::Zero(name.to_vec()))),
        [b"equals", name, value] => Condition::Equals(name.to_vec(), value.to_vec(), Vec::new()),
        [b"equals", name, value, default] => {
            Condition::Equals(name.to_vec(), value.to_vec(), default.to_vec())
        }
        [b"directory", path] => Condition::Directory(Text::parse(path, &[])?),
        [b"missing", path] => Condition::Missing(Text::parse(path, &[])?),
        [b"writable", path] => Condition::Writable(Text::parse(path, &[])?),
        [b"root"] => Condition::Root,
        [b"command"] => Condition::Command,
        [b"command-ended"] => Condition::CommandEnded,
        _ => {
            let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
            return Err(format!("is no condition: {words:?}"));
        }
    })
}

pub(super) fn text(value: &Value) -> Fallible<Text> {
    match value {
        Value::Bytes(bytes) => Text::parse(bytes, &[]),
        Value::Int(_) | Value::List(_) | Value::Dict(_) => Err("is not a text".to_owned()),
    }
}

fn word(value: &Value) -> Fallible<Vec<u8>> {
    match value {
        Value::Bytes(bytes) if !bytes.contains(&0) => Ok(bytes.clone()),
        Value::Bytes(_) | Value::Int(_) | Value::List(_) | Value::Dict(_) => {
            Err("is not a word".to_owned())
        }
    }
}

fn pair(value: &Value) -> Fallible<(Vec<u8>, Vec<u8>)> {
    match value {
        Value::List(items) => match items.as_slice() {
            [first, second] => Ok((word(first)?, word(second)?)),
            _ => Err("is not a pair".to_owned()),
        },
        Value::Int(_) | Value::Bytes(_) | Value::Dict(_) => Err("is not a pair".to_owned()),
    }
}

fn input(value: &Value) -> Fallible<Input> {
    let (path, mark) = pair(value)?;
    if path.first() != Some(&b'/') {
        return Err("is not an absolute path".to_owned());
    }
    let hash = |digits: &[u8]| {
        let text = std::str::from_utf8(digits).ok().filter(|text| text.len() == 16)?;
        u64::from_str_radix(text, 16).ok()
    };
    let fingerprint = match mark.as_slice() {
        b"-" => Some(Fingerprint::Absent),
        b"e" => Some(Fingerprint::There),
        [b'd', digits @ ..] => hash(digits).map(Fingerprint::Directory),
        [b'f', digits @ ..] => hash(digits).map(Fingerprint::File),
        _ => None,
    };
    match fingerprint {
        Some(fingerprint) => Ok(Input { path, fingerprint }),
        None => Err("has no fingerprint".to_owned()),
    }
}
