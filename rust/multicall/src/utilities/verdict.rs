//! s6-true and s6-false: nothing, with success or without.

use crate::{Applet, Exit, Section, Syntax};

/// s6-true.
pub static TRUE: Applet = Applet {
    name: "s6-true",
    section: Section::Utilities,
    about: "Do nothing, and succeed",
    options: &[],
    arguments: "",
    syntax: Syntax::Raw,
    exit_codes: &[],
    run: |_| Ok(Exit::SUCCESS),
};

/// s6-false.
pub static FALSE: Applet = Applet {
    name: "s6-false",
    section: Section::Utilities,
    about: "Do nothing, and fail",
    options: &[],
    arguments: "",
    syntax: Syntax::Raw,
    exit_codes: &[("1", "always")],
    run: |_| Ok(Exit::Code(1)),
};
