//! s6-usertree-maker: a service that is a user's own supervision tree.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, maker, value};
use s6x_core::run::service_maker::{Form, Script, make};
use s6x_core::wire::environment::DEFAULT_PATH;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// As many variables as the originals take.
const MOST_VARIABLES: usize = 64;
/// Where a user's services are, in the words of the script.
const USUAL_SCAN_DIR: &str = "${HOME}/service";

/// s6-usertree-maker.
pub static APPLET: Applet = Applet {
    name: "s6-usertree-maker",
    section: Section::Sockets,
    about: "Make a service that runs a supervision tree for a user, with a logger",
    options: &[
        value('d', "userscandir", "where the user's services are (${HOME}/service)"),
        value('p', "path", "the PATH of the tree (/command:/usr/bin:/bin)"),
        value('E', "envdir", "take variables from the files of this directory"),
        value('e', "var", "this one; may be given again"),
        value('r', "service/logger[/pipeline]", "make source directories for s6-rc in dir"),
        maker::LOG_USER,
        maker::STAMPS,
        maker::ARCHIVES,
        maker::SIZE,
        maker::TOTAL,
        maker::PREFIX,
    ],
    arguments: "user logdir dir",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let wrong = |message: String| Failure::new(100, message);
    let user = call.argument(0, "user")?;
    let directory = call.argument(1, "log directory")?;
    let at = Path::new(call.argument(2, "directory to make")?);
    call.warn_of_more_than(3);
    if !directory.as_bytes().starts_with(b"/") {
        return Err(wrong("the log directory must be an absolute path".into()));
    }
    let scan_dir = call.value('d').unwrap_or(OsStr::new(USUAL_SCAN_DIR));
    if ![&b"/"[..], b"${HOME}/"].iter().any(|start| scan_dir.as_bytes().starts_with(start)) {
        let scan_dir = quoted(scan_dir);
        return Err(wrong(format!("option -d: {scan_dir} must begin with / or ${{HOME}}/")));
    }
    let form = match call.value('r') {
        None => Form::ServiceDirectory,
        Some(names) => {
            let how = |how: &str| wrong(format!("option -r: {}: {how}", quoted(names)));
            match Form::parse(names).map_err(how)? {
                Form::Sources { logger: None, .. } => return Err(how("it names no logger")),
                form @ (Form::Sources { .. } | Form::ServiceDirectory) => form,
            }
        }
    };
    let tree = Tree { user, scan_dir, variables: variables(call)?, ..Tree::of(call) };
    let script = tree.script(Script::new(&call.environment)?);
    let logging = maker::logging(call, directory)?;
    make(at, form, &script, Some((&logging, &call.environment)), |_| Ok(()))?;
    Ok(Exit::SUCCESS)
}

/// The values of `-e`.
fn variables(call: &Invocation) -> Result<Vec<&OsStr>, Failure> {
    let given = call.options.iter().filter(|(letter, _)| *letter == 'e');
    let names: Vec<&OsStr> = given.filter_map(|(_, name)| name.as_deref()).collect();
    if names.len() > MOST_VARIABLES {
        return Err(Failure::new(100, format!("option -e: more than {MOST_VARIABLES} variables")));
    }
    if let Some(name) = names.iter().find(|name| name.is_empty() || name.as_bytes().contains(&b'='))
    {
        let message = format!("option -e: {} is no name of a variable", quoted(name));
        return Err(Failure::new(100, message));
    }
    if !names.is_empty() && call.value('E').is_none() {
        call.warning("ignoring -e: there is no -E to take variables from");
    }
    Ok(names)
}

/// What the tree is started with.
struct Tree<'a> {
    user: &'a OsStr,
    scan_dir: &'a OsStr,
    path: &'a OsStr,
    env_dir: Option<&'a OsStr>,
    variables: Vec<&'a OsStr>,
}

impl<'a> Tree<'a> {
    fn of(call: &'a Invocation) -> Tree<'a> {
        Tree {
            user: OsStr::new(""),
            scan_dir: OsStr::new(USUAL_SCAN_DIR),
            path: call.value('p').unwrap_or(OsStr::new(DEFAULT_PATH)),
            env_dir: call.value('E'),
            variables: Vec::new(),
        }
    }

    /// Rights first; everything that is the user's is read with the user's rights, and no variable of
    /// ours but `PATH` is left.
    fn script(&self, script: Script) -> Script {
        let mut script = script
            .text("fdmove -c 2 1\nemptyenv -p\nexport USER ")
            .word(self.user)
            .text("\ns6-envuidgid -i -- ")
            .word(self.user)
            .text("\ns6-applyuidgid -U --\nbacktick -in HOME { homeof ")
            .word(self.user)
            .text(" }\n");
        if let Some(env_dir) = self.env_dir {
            script = script.text("s6-envdir -i -- ").word(env_dir).text("\n");
            if !self.variables.is_empty() {
                script = script.text("multisubstitute\n{\n");
                for name in &self.variables {
                    script = script.text("  importas -D \"\" -- ").word(name).text(" ");
                    script = script.word(name).text("\n");
                }
                script = script.text("}\n");
            }
        }
        script = script.text("multisubstitute\n{\n");
        for name in ["USER", "HOME", "UID", "GID", "GIDLIST"] {
            script = script.text(&format!("  importas -i {name} {name}\n"));
        }
        script = script.text("}\n");
        for name in self.variables.iter().filter(|_| self.env_dir.is_some()) {
            script = script.text("export ").word(name).text(" ${").word(name).text("}\n");
        }
        script
            .text("export PATH ")
            .word(self.path)
            .text("\ns6-svscan -d3 -- ")
            .word(self.scan_dir)
            .text("\n")
    }
}
