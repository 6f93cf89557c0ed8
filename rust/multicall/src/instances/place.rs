//! Where the parts of an instanced service are, and what its instances may be called.

use crate::invocation::quoted;
use crate::supervision::svlink::is_scanned;
use crate::{Failure, Invocation};
use s6x_core::error::shown;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What all instances are copies of.
pub(super) const TEMPLATE: &str = "template";
/// Where the copies are.
pub(super) const COPIES: &str = "instances";
/// The scan directory of the instances.
pub(super) const SCAN_DIR: &str = "instance";

/// The service, from the first argument: a path, or a name where `s6x` takes names.
pub(super) fn service(call: &Invocation) -> Result<PathBuf, Failure> {
    let word = call.argument(0, "service")?;
    if word.is_empty() {
        return Err(Failure::new(100, "invalid service path: it is empty"));
    }
    call.service(word)
}

/// The instance's name, the second argument.
pub(super) fn name(call: &Invocation) -> Result<&OsStr, Failure> {
    let name = call.argument(1, "instance's name")?;
    call.warn_of_more_than(2);
    let bytes = name.as_bytes();
    let forbidden = |byte: &u8| b"/ \t\x0c\r\n".contains(byte);
    if bytes.is_empty() || bytes.starts_with(b".") || bytes.iter().any(forbidden) {
        let how = "it is not empty, does not begin with a dot, and has neither blanks nor slashes";
        return Err(Failure::new(100, format!("invalid instance name {}: {how}", quoted(name))));
    }
    Ok(name)
}

/// The scan directory of a service that runs.
pub(super) fn running(service: &Path) -> Result<PathBuf, Failure> {
    let scan_dir = service.join(SCAN_DIR);
    if is_scanned(&scan_dir)? {
        return Ok(scan_dir);
    }
    let message = format!("the instanced service {} is not running; start it", shown(service));
    Err(Failure::new(1, message))
}

/// The call of a program for services, on an instance instead.
pub(super) fn on_instance(call: &Invocation) -> Result<Invocation, Failure> {
    let path: OsString = service(call)?.join(SCAN_DIR).join(name(call)?).into();
    Ok(Invocation {
        applet: call.applet,
        called: call.called.clone(),
        options: call.options.clone(),
        rest: vec![path],
        environment: call.environment.clone(),
        title: call.title,
        as_word: false,
    })
}
