//! s6-ps: the processes that there are.

mod fields;

use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use fields::{Field, Lookup};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::sys::dir::{self, Dir, Open};
use s6x_core::sys::fd;
use s6x_core::wire::process_stat::ProcessStat;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// s6-ps.
pub static APPLET: Applet = Applet {
    name: "s6-ps",
    section: Section::Utilities,
    about: "Show the processes that there are",
    options: &[
        flag('H', "as a tree: children below their parents"),
        flag('l', "more: user,pid,cpcpu,pmem,vsize,rss,tty,s,start,cttime,args"),
        value('w', "spacing", "so many blanks between two columns at least (2)"),
        value('W', "wchanfile", "where the names of the kernel's functions are, for wchan"),
        value('o', "field[,field...]", "these columns (user,pid,tty,s,start,args)"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

/// What is shown without `-o`.
const USUAL: &str = "user,pid,tty,s,start,args";

/// What `-l` shows.
const LONG: &str = "user,pid,cpcpu,pmem,vsize,rss,tty,s,start,cttime,args";

/// The most blanks between two columns.
const WIDEST: usize = 256;

/// The most that is read of one file about a process.
const LIMIT: usize = 4 << 20;

/// A process.
struct Process {
    pid: u64,
    uid: u32,
    gid: u32,
    stat: ProcessStat,
    /// Its arguments, each with a NUL behind it; empty for the kernel's own.
    arguments: Vec<u8>,
    /// Its environment; `None`: that is not ours to know.
    environment: Option<Vec<u8>>,
    /// Where in the kernel it waits; `None`: that is not ours to know.
    waits_in: Option<Vec<u8>>,
    /// How many of its forebears are above it in the tree.
    depth: usize,
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let mut fields = parsed(OsStr::new(USUAL))?;
    for (letter, word) in &call.options {
        match (letter, word) {
            ('l', _) => fields = parsed(OsStr::new(LONG))?,
            ('o', Some(word)) => fields = parsed(word)?,
            _ => {} // read where they are needed
        }
    }
    let spacing = call.number('w')?.unwrap_or(2).clamp(1, WIDEST as u32) as usize;
    let lookup = Lookup::new(&fields, call.value('W'), &call.environment).unwrap_or_else(|error| {
        call.warning(error.to_string());
        Lookup::without_names(&fields, &call.environment)
    });
    let mut processes = processes(&fields)?;
    processes.sort_unstable_by_key(|process| process.pid);
    if call.has('H') {
        processes = tree(processes);
    }
    let rows: Vec<Vec<Vec<u8>>> = processes
        .iter()
        .map(|process| fields.iter().map(|field| field.shown(process, &lookup)).collect())
        .collect();
    call.print(table(&fields, &rows, spacing))?;
    Ok(Exit::SUCCESS)
}

/// A list of fields, each at most once.
fn parsed(list: &OsStr) -> Result<Vec<Field>, Failure> {
    let mut fields: Vec<Field> = Vec::new();
    for name in list.as_bytes().split(|&byte| byte == b',') {
        let shown = quoted(OsStr::from_bytes(name));
        let field = Field::named(name)
            .ok_or_else(|| Failure::new(100, format!("invalid field for -o option: {shown}")))?;
        if fields.contains(&field) {
            return Err(Failure::new(100, format!("duplicate field for -o option: {shown}")));
        }
        fields.push(field);
    }
    Ok(fields)
}

/// All processes. Who ends while we look is none.
fn processes(fields: &[Field]) -> Result<Vec<Process>, Failure> {
    let proc = Dir::open("/proc").map_err(|errno| Error::on("open", "/proc", errno))?;
    let names = proc.names().map_err(|errno| Error::on("read", "/proc", errno))?;
    Ok(names
        .iter()
        .filter_map(|name| process(&proc, u64::from(number(name)?), name, fields).ok())
        .collect())
}

fn process(proc: &Dir, pid: u64, name: &OsStr, fields: &[Field]) -> Result<Process, Errno> {
    let own = proc.sub(name)?;
    let read = |name: &str| fd::read_up_to(own.file(name, Open::Read)?, LIMIT);
    let wanted = |field, name| if fields.contains(&field) { read(name).ok() } else { None };
    let owner = dir::stat(&own)?;
    Ok(Process {
        pid,
        uid: owner.uid,
        gid: owner.gid,
        stat: ProcessStat::parse(&read("stat")?).ok_or(Errno::NO_PROCESS)?,
        arguments: wanted(Field::Arguments, "cmdline").unwrap_or_default(),
        environment: wanted(Field::Environment, "environ"),
        waits_in: wanted(Field::WaitsIn, "wchan"),
        depth: 0,
    })
}

/// Children below their parents, by their ids; first the families of those whose parent is not
/// shown, the one of process 1 last of all.
fn tree(processes: Vec<Process>) -> Vec<Process> {
    let pids: Vec<u64> = processes.iter().map(|process| process.pid).collect();
    let mut children: BTreeMap<u64, Vec<Process>> = BTreeMap::new();
    for process in processes {
        let parent = process.stat.parent;
        let known =
            process.pid != 1 && parent != process.pid && pids.binary_search(&parent).is_ok();
        children.entry(if known { parent } else { 0 }).or_default().push(process);
    }
    let mut waiting = children.remove(&0).unwrap_or_default();
    waiting.sort_unstable_by_key(|process| (process.pid == 1, process.pid));
    waiting.reverse(); // a stack: the next one is at the end
    let mut ordered = Vec::new();
    while let Some(process) = waiting.pop() {
        // The children of process 1 are everybody's: they begin families of their own.
        let depth = if process.pid == 1 { 0 } else { process.depth + 1 };
        let own = children.remove(&process.pid).unwrap_or_default();
        waiting.extend(own.into_iter().rev().map(|child| Process { depth, ..child }));
        ordered.push(process);
    }
    ordered
}

/// Columns, numbers to the right and all else to the left; nothing behind the last.
fn table(fields: &[Field], rows: &[Vec<Vec<u8>>], spacing: usize) -> Vec<u8> {
    let headings: Vec<Vec<u8>> = fields.iter().map(|field| field.heading().into()).collect();
    let lines = || std::iter::once(&headings).chain(rows);
    let width = |column| lines().filter_map(|line| line.get(column)).map(Vec::len).max();
    let widths: Vec<usize> = (0..fields.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = Vec::new();
    for line in lines() {
        for (nth, ((field, cell), width)) in fields.iter().zip(line).zip(&widths).enumerate() {
            let blanks = vec![b' '; width - cell.len()];
            let (before, after) =
                if field.is_number() { (blanks, Vec::new()) } else { (Vec::new(), blanks) };
            text.extend([before.as_slice(), cell].concat());
            if nth + 1 < fields.len() {
                text.extend(after);
                text.extend(vec![b' '; spacing]);
            }
        }
        text.push(b'\n');
    }
    text
}
