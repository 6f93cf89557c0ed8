//! A service directory: the files that say how a service is to be run (contract s6 §3.1).

use crate::error::{Errno, Error};
use crate::sys::dir::Dir;
use crate::wire::signal::Signal;
use std::time::Duration;

/// What a supervisor re-reads at the moment of use, so that edits take effect at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What brings the service down.
    pub down_signal: Signal,
    /// What makes it reload.
    pub reload_signal: Signal,
    /// How long after the down-signal it is killed; `None`: never.
    pub timeout_kill: Option<Duration>,
    /// Kill its whole process group then.
    pub kill_group: bool,
    /// How long `finish` may take; `None`: for ever.
    pub timeout_finish: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            down_signal: Signal::SIGTERM,
            reload_signal: Signal::SIGHUP,
            timeout_kill: None,
            kill_group: false,
            timeout_finish: Some(Duration::from_secs(5)),
        }
    }
}

impl Settings {
    /// Reads them. What cannot be understood counts as absent, with a complaint.
    pub fn read(dir: &Dir, complain: &mut dyn FnMut(Error)) -> Settings {
        let default = Settings::default();
        let mut signal = |name, default| {
            let text = first_line(dir, name, complain)?;
            let signal = Signal::parse(text.trim());
            if signal.is_none() {
                let how = format!("{:?} is not a signal; using {default}", text.trim());
                complain(Error::malformed(format!("read {name}"), how));
            }
            signal
        };
        let down_signal = signal("down-signal", default.down_signal).unwrap_or(default.down_signal);
        let reload_signal =
            signal("reload-signal", default.reload_signal).unwrap_or(default.reload_signal);
        let mut limit = |name, default| {
            number(dir, name, complain)
                .map_or(default, |ms| (ms != 0).then(|| Duration::from_millis(ms.into())))
        };
        let timeout_kill = limit("timeout-kill", default.timeout_kill);
        let timeout_finish = limit("timeout-finish", default.timeout_finish);
        let kill_group = dir.exists("flag-timeout-killpg");
        Settings { down_signal, reload_signal, timeout_kill, kill_group, timeout_finish }
    }
}

/// The number on the first line of a file; `None` if there is no file, or, with a complaint, no
/// number.
pub fn number(dir: &Dir, name: &str, complain: &mut dyn FnMut(Error)) -> Option<u32> {
    let text = first_line(dir, name, complain)?;
    let number = text.trim().parse().ok();
    if number.is_none() {
        let how = format!("{:?} is not a number; using the default", text.trim());
        complain(Error::malformed(format!("read {name}"), how));
    }
    number
}

/// The first line of a file. A missing file is silent; any other failure is a complaint and counts
/// as missing.
fn first_line(dir: &Dir, name: &str, complain: &mut dyn FnMut(Error)) -> Option<String> {
    match dir.read(name, 4096) {
        Ok(bytes) => {
            let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
            Some(String::from_utf8_lossy(line).into_owned())
        }
        Err(Errno::NOT_FOUND) => None,
        Err(errno) => {
            complain(Error::on("read", name, errno));
            None
        }
    }
}
