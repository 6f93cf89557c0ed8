//! rngseed: what the kernel's random number generator is worth, kept across boots.

use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::dir::{self, Dir, Open, open};
use s6x_core::sys::random::{self, SEED_LIMIT, When};
use s6x_core::sys::{clock, fd, process};
use s6x_core::wire::blake2s;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// rngseed.
pub static APPLET: Applet = Applet {
    name: "rngseed",
    section: Section::Utilities,
    about: "Seed the kernel's random number generator from a file, wait for it, save a new seed",
    options: &[
        flag('r', "seed it, and take a seed that is marked as good for unguessable"),
        flag('R', "seed it, and take no seed for unguessable"),
        flag('n', "do not wait until it is ready"),
        flag('N', "wait until it is ready (default)"),
        flag('w', "save a new seed, and mark it as good if it is"),
        flag('W', "save a new seed, and do not mark it"),
        value('d', "dir", "the directory of the file seed (/var/lib/rngseed)"),
        value('v', "verbosity", "0: no warnings; 2: say what is done (1)"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[("100", "wrong usage, or the seed is empty")],
    run,
};

/// What a new seed is mixed from begins with this.
const PREFIX: &[u8] = b"SeedRNG v1 Old+New Prefix";

/// Bytes of a seed at least: those of a hash.
const SMALLEST: usize = 32;

/// A seed that whoever owns it may write to is not marked as good.
const OWNER_WRITES: u32 = 0o200;

/// One run.
struct Seeding<'a> {
    call: &'a Invocation,
    verbosity: u32,
    dir: &'a Path,
    file: PathBuf,
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let verbosity = call.number('v')?.unwrap_or(1);
    let dir = Path::new(call.value('d').unwrap_or(OsStr::new("/var/lib/rngseed")));
    let seeding = Seeding { call, verbosity, dir, file: dir.join("seed") };
    let (reads, writes) = (call.last_of("rR"), call.last_of("wW"));
    let waits = call.last_of("nN") != Some('n');
    if writes.is_some() {
        seeding.prepare()?;
    }
    let old = match reads {
        Some(letter) => seeding.read(letter == 'r')?,
        None => Vec::new(),
    };
    if waits {
        seeding.say("waiting for the entropy pool to initialize");
        random::fill(&mut [0], When::Unguessable).map_err(unrandom)?;
    }
    if let Some(letter) = writes {
        seeding.write(&old, waits, letter == 'w')?;
    }
    Ok(Exit::SUCCESS)
}

impl Seeding<'_> {
    /// Makes the directory, for ourselves alone.
    fn prepare(&self) -> Result<(), Failure> {
        let mut missing: Vec<&Path> =
            self.dir.ancestors().take_while(|dir| dir.parent().is_some()).collect();
        while let Some(dir) = missing.pop() {
            match dir::mkdir(dir, 0o700) {
                Ok(()) | Err(Errno::EXISTS) => {}
                Err(errno) => return Err(Error::on("create", dir, errno).into()),
            }
        }
        let dir = Dir::open(self.dir).map_err(|errno| Error::on("open", self.dir, errno))?;
        let stat = dir::stat(&dir).map_err(|errno| Error::on("look at", self.dir, errno))?;
        if stat.permissions() & 0o077 != 0 {
            let name = shown(self.dir);
            self.warn(format!("{name} has permissive modes, changing it to 0700"));
            dir::chmod(&dir, 0o700).map_err(|errno| Error::on("chmod", self.dir, errno))?;
        }
        Ok(())
    }

    /// Seeds the generator, and removes the seed: it is good for one time.
    fn read(&self, credits: bool) -> Result<Vec<u8>, Failure> {
        let failed = |verb: &'static str| move |errno| Error::on(verb, &self.file, errno);
        self.say(format!("reading seed from {}", shown(&self.file)));
        let file = open(&self.file, Open::Read).map_err(failed("open"))?;
        let seed = fd::read_up_to(&file, SEED_LIMIT).map_err(failed("read from"))?;
        if seed.is_empty() {
            return Err(Failure::new(100, format!("empty {}", shown(&self.file))));
        }
        let marked = dir::stat(&file).map_err(failed("look at"))?.mode & OWNER_WRITES == 0;
        // Synced: a seed that comes back after a crash would be used twice.
        dir::unlink(&self.file).map_err(failed("remove"))?;
        let dir = Dir::open(self.dir).and_then(fd::sync);
        dir.map_err(|errno| Error::on("sync", self.dir, errno))?;
        if credits && !marked {
            self.warn(format!("{} was not marked as creditable", shown(&self.file)));
        }
        let credit = credits && marked;
        let how = if credit { "" } else { " without crediting" };
        self.say(format!("seeding with {} bits{how}", seed.len() * 8));
        let generator = open("/dev/urandom", Open::Read)
            .map_err(|errno| Error::on("open", "/dev/urandom", errno))?;
        random::seed(generator, &seed, credit)
            .map_err(|errno| Error::system("seed the random number generator", errno))?;
        Ok(seed)
    }

    /// Saves a new seed, into which the old one is mixed.
    fn write(&self, old: &[u8], waited: bool, marks: bool) -> Result<(), Failure> {
        let mut seed = vec![0; self.length()];
        let first = if waited { When::Unguessable } else { When::UnguessableNow };
        let good = match random::fill(&mut seed, first) {
            Err(Errno::AGAIN) => {
                self.warn("unable to make the seed creditable: the generator is not ready");
                random::fill(&mut seed, When::Now).map_err(unrandom)?;
                false
            }
            result => result.map(|()| true).map_err(unrandom)?,
        };
        let mut mixed = PREFIX.to_vec();
        let (seconds, nanoseconds) = clock::unix();
        mixed.extend_from_slice(&seconds.to_ne_bytes());
        mixed.extend_from_slice(&nanoseconds.to_ne_bytes());
        mixed.extend_from_slice(&clock::since_boot().as_nanos().to_ne_bytes());
        mixed.extend_from_slice(&old.len().to_ne_bytes());
        mixed.extend_from_slice(old);
        mixed.extend_from_slice(&seed.len().to_ne_bytes());
        mixed.extend_from_slice(&seed);
        seed.truncate(seed.len() - SMALLEST);
        seed.extend_from_slice(&blake2s::hash(&mixed));

        self.say(format!("writing seed to {}", shown(&self.file)));
        let failed = |verb: &'static str| move |errno| Error::on(verb, &self.file, errno);
        process::umask(0o077);
        let _ = dir::unlink(&self.file); // one marked as good cannot be written to
        let file = open(&self.file, Open::Replace(0o600)).map_err(failed("create"))?;
        fd::write_all(&file, &seed).and_then(|()| fd::sync(&file)).map_err(failed("write to"))?;
        if marks && good {
            dir::chmod(&file, 0o400).map_err(failed("mark as creditable"))?;
        }
        Ok(())
    }

    /// How many bytes the generator's pool has, within what a seed may have.
    fn length(&self) -> usize {
        let path = "/proc/sys/kernel/random/poolsize";
        let text = open(path, Open::Read).and_then(|file| fd::read_up_to(file, 32));
        let bits =
            text.ok().and_then(|text| number(OsStr::new(std::str::from_utf8(&text).ok()?.trim())));
        if bits.is_none() {
            self.warn(format!("unable to read the size of the pool in {path}"));
        }
        bits.map_or(SEED_LIMIT, |bits| bits.div_ceil(8) as usize).clamp(SMALLEST, SEED_LIMIT)
    }

    fn warn(&self, message: impl AsRef<str>) {
        if self.verbosity >= 1 {
            self.call.warning(message);
        }
    }

    fn say(&self, message: impl AsRef<str>) {
        if self.verbosity >= 2 {
            self.call.info(message);
        }
    }
}

fn unrandom(errno: Errno) -> Error {
    Error::system("get random bytes", errno)
}
