//! What clients of a holder may do: the terms on which a rule lets them in.

use crate::error::{Error, Result};
use crate::machine::fdholder::Rights;
use crate::regex::Regex;
use crate::wire::access_rules::Terms;
use crate::wire::fdholder::Id;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The rights that a rule gives.
#[derive(Debug)]
pub(super) struct Granted {
    list: bool,
    get_dump: bool,
    set_dump: bool,
    store: Option<Regex>,
    retrieve: Option<Regex>,
}

impl Granted {
    /// Reads them. Errors: an expression is wrong.
    pub(super) fn new(terms: &Terms) -> Result<Granted> {
        let has = |name: &str| terms.lookup(name).is_some();
        Ok(Granted {
            list: has("S6_FDHOLDER_LIST"),
            get_dump: has("S6_FDHOLDER_GETDUMP"),
            set_dump: has("S6_FDHOLDER_SETDUMP"),
            store: expression(terms, "S6_FDHOLDER_STORE_REGEX")?,
            retrieve: expression(terms, "S6_FDHOLDER_RETRIEVE_REGEX")?,
        })
    }
}

fn expression(terms: &Terms, name: &str) -> Result<Option<Regex>> {
    let compile = |text: &OsStr| {
        let what = || format!("use {name}={}", text.to_string_lossy().escape_debug());
        Regex::new(text.as_bytes()).map_err(|why| Error::malformed(what(), why.to_string()))
    };
    terms.lookup(name).map(compile).transpose()
}

fn matches(expression: Option<&Regex>, id: &Id) -> bool {
    expression.is_some_and(|expression| expression.is_match(id.bytes()))
}

impl Rights for Granted {
    fn may_list(&self) -> bool {
        self.list
    }

    fn may_get_dump(&self) -> bool {
        self.get_dump
    }

    fn may_set_dump(&self) -> bool {
        self.set_dump
    }

    fn may_store(&self, id: &Id) -> bool {
        matches(self.store.as_ref(), id)
    }

    fn may_retrieve(&self, id: &Id) -> bool {
        matches(self.retrieve.as_ref(), id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_what_the_rule_says() {
        let id = |name: &str| Id::new(name.as_bytes()).expect("a right one");
        let nothing = Granted::new(&Terms::default()).expect("nothing is wrong");
        assert!(!nothing.may_list() && !nothing.may_get_dump() && !nothing.may_set_dump());
        assert!(!nothing.may_store(&id("x")) && !nothing.may_retrieve(&id("x")));
        let env = [
            ("S6_FDHOLDER_LIST", Some("")),
            ("S6_FDHOLDER_GETDUMP", None),
            ("S6_FDHOLDER_STORE_REGEX", Some("^unix-")),
            ("S6_FDHOLDER_RETRIEVE_REGEX", Some("")),
        ];
        let env = env.map(|(name, value)| (name.into(), value.map(Into::into))).into();
        let some = Granted::new(&Terms { env, exec: None }).expect("right expressions");
        assert!(some.may_list() && !some.may_get_dump());
        assert!(some.may_store(&id("unix-x")) && !some.may_store(&id("x-unix-")));
        assert!(some.may_retrieve(&id("anything")), "the empty expression matches");
        let wrong = vec![("S6_FDHOLDER_STORE_REGEX".into(), Some("(".into()))];
        let error = Granted::new(&Terms { env: wrong, exec: None }).expect_err("not closed");
        assert!(error.to_string().starts_with("unable to use S6_FDHOLDER_STORE_REGEX=(: "));
    }
}
