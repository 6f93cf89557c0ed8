//! Rules about owners, with the numbers that their accounts stand for.

use crate::sys::user::Accounts;
use crate::wire::fix_attrs::{BadRule, Rule, rules};

/// The rules of a text, each with its owner's uid and gid, good and bad (contract s6-overlay §3.2).
pub fn owned_rules(
    text: &[u8],
    accounts: &Accounts,
) -> impl Iterator<Item = Result<(Rule, (u32, u32)), BadRule>> {
    rules(text).map(|rule| {
        let rule = rule?;
        let ids = rule.account.resolve(
            |name| accounts.user(name).map(|user| (user.uid, user.gid)),
            |name| accounts.group(name),
            |uid| accounts.user_name(uid).and_then(|name| accounts.user(name)).map(|u| u.gid),
        );
        match ids {
            Ok(ids) => Ok((rule, ids)),
            Err(why) => Err(BadRule { line: rule.line, why }),
        }
    })
}
