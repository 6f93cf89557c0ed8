//! File operations as they are written in a plan.

use super::Op;
use super::decode::{condition, text};
use super::fields::Fallible;
use crate::wire::bencode::Value;

/// `when` comes first and `try` second, each once: what may follow itself would cost a stack.
pub(super) fn op(value: &Value) -> Fallible<Op> {
    let Value::List(items) = value else { return Err("is not a list".to_owned()) };
    match items.as_slice() {
        [Value::Bytes(verb), Value::List(conditions), rest @ ..] if verb == b"when" => {
            let conditions = conditions.iter().map(condition).collect::<Fallible<_>>()?;
            Ok(Op::When(conditions, Box::new(whenever(rest)?)))
        }
        items => whenever(items),
    }
}

/// An operation without conditions.
fn whenever(items: &[Value]) -> Fallible<Op> {
    match items {
        [Value::Bytes(verb), rest @ ..] if verb == b"try" => Ok(Op::Try(Box::new(plain(rest)?))),
        items => plain(items),
    }
}

/// An operation that must succeed.
fn plain(items: &[Value]) -> Fallible<Op> {
    let (verb, arguments) = match items.split_first() {
        Some((Value::Bytes(verb), arguments)) => (verb.as_slice(), arguments),
        Some(_) | None => return Err("has no verb".to_owned()),
    };
    Ok(match (verb, arguments) {
        (b"mkdir", [path, mode]) => Op::Mkdir(text(path)?, permissions(mode)?),
        (b"remove", [path]) => Op::Remove(text(path)?),
        (b"copy", [from, to]) => Op::Copy(text(from)?, text(to)?),
        (b"link", [target, path]) => Op::Link(text(target)?, text(path)?),
        (b"fifo", [path, mode]) => Op::Fifo(text(path)?, permissions(mode)?),
        (b"write", [path, content, mode]) => {
            Op::Write(text(path)?, text(content)?, permissions(mode)?)
        }
        (b"dump-environment", [path]) => Op::DumpEnvironment(text(path)?),
        _ => {
            let verb = String::from_utf8_lossy(verb);
            return Err(format!(
                "is no file operation: {verb:?} with {} arguments",
                arguments.len()
            ));
        }
    })
}

fn permissions(value: &Value) -> Fallible<u32> {
    match value {
        Value::Int(mode @ 0..=0o7777) => Ok(*mode as u32),
        Value::Int(_) | Value::Bytes(_) | Value::List(_) | Value::Dict(_) => {
            Err("is not a mode".to_owned())
        }
    }
}
