//! Becoming another user: groups first, then group, then user, and proof that it happened.
//!
//! Real, effective and saved ids are set together (setresuid), so that no way back is left, and read
//! back afterwards: a kernel or a sandbox that says yes and does nothing is found out.

use super::{cerr, last};
use crate::error::{Errno, Error, Result};

/// The id that means "leave it" to the kernel, and therefore is nobody's.
const NO_ID: u32 = u32::MAX;

/// Who to become; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// All the supplementary groups; the group itself becomes one of them, as by a login.
    pub groups: Option<Vec<u32>>,
    /// The group.
    pub gid: Option<u32>,
    /// The user.
    pub uid: Option<u32>,
}

impl Credentials {
    /// A user with its group, these supplementary groups, and no others.
    pub fn whole(uid: u32, gid: u32, groups: Vec<u32>) -> Credentials {
        Credentials { groups: Some(groups), gid: Some(gid), uid: Some(uid) }
    }

    /// Becomes that, for good. After an error this process is something between: it must end.
    ///
    /// When the user changes, the ambient capabilities go as well. The kernel clears them itself when
    /// root becomes somebody else, but not when another user with CAP_SETUID does.
    pub fn apply(&self) -> Result<()> {
        let groups = self.all_groups();
        if let Some(groups) = &groups {
            set_groups(groups)?;
        }
        if let Some(gid) = self.gid {
            set_group(gid)?;
        }
        if let Some(uid) = self.uid {
            let changes = user_ids() != [uid; 3];
            set_user(uid)?;
            if changes {
                clear_ambient_capabilities()?;
            }
        }
        self.verify(groups)
    }

    /// What to give the kernel: the group, whether it changes or not, and the others.
    fn all_groups(&self) -> Option<Vec<u32>> {
        let [_, effective, _] = group_ids();
        let own = self.gid.unwrap_or(effective);
        let others = self.groups.as_ref()?;
        let own = (!others.contains(&own)).then_some(own);
        Some(own.into_iter().chain(others.iter().copied()).collect())
    }

    /// That the kernel sees us as asked.
    fn verify(&self, groups: Option<Vec<u32>>) -> Result<()> {
        let wrong = |what: &str, seen: String| {
            Error::system(format!("{what} (the kernel still says {seen})"), Errno(libc::EPERM))
        };
        if let Some(mut wanted) = groups {
            let mut seen = supplementary_groups()?;
            wanted.sort_unstable();
            seen.sort_unstable();
            if wanted != seen {
                return Err(wrong("set the supplementary groups", format!("{seen:?}")));
            }
        }
        if let Some(gid) = self.gid.filter(|&gid| group_ids() != [gid; 3]) {
            return Err(wrong(&format!("become group {gid}"), format!("{:?}", group_ids())));
        }
        if let Some(uid) = self.uid.filter(|&uid| user_ids() != [uid; 3]) {
            return Err(wrong(&format!("become user {uid}"), format!("{:?}", user_ids())));
        }
        Ok(())
    }
}

fn set_groups(groups: &[u32]) -> Result<()> {
    let refused = |errno| Error::system("set the supplementary groups", errno);
    if groups.contains(&NO_ID) {
        return Err(refused(Errno::INVALID));
    }
    // SAFETY: pointer and length describe `groups`, which the call only reads.
    cerr(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) }).map(drop).map_err(refused)
}

fn set_group(gid: u32) -> Result<()> {
    let refused = |errno| Error::system(format!("become group {gid}"), errno);
    if gid == NO_ID {
        return Err(refused(Errno::INVALID));
    }
    // SAFETY: plain integers.
    cerr(unsafe { libc::setresgid(gid, gid, gid) }).map(drop).map_err(refused)
}

fn set_user(uid: u32) -> Result<()> {
    let refused = |errno| Error::system(format!("become user {uid}"), errno);
    if uid == NO_ID {
        return Err(refused(Errno::INVALID));
    }
    // SAFETY: plain integers.
    cerr(unsafe { libc::setresuid(uid, uid, uid) }).map(drop).map_err(refused)
}

/// Real, effective, saved.
fn user_ids() -> [u32; 3] {
    let (mut real, mut effective, mut saved) = (NO_ID, NO_ID, NO_ID);
    // SAFETY: three places for one id each; where the call fails, they say "nobody".
    unsafe { libc::getresuid(&raw mut real, &raw mut effective, &raw mut saved) };
    [real, effective, saved]
}

/// Real, effective, saved.
fn group_ids() -> [u32; 3] {
    let (mut real, mut effective, mut saved) = (NO_ID, NO_ID, NO_ID);
    // SAFETY: three places for one id each; where the call fails, they say "nobody".
    unsafe { libc::getresgid(&raw mut real, &raw mut effective, &raw mut saved) };
    [real, effective, saved]
}

fn supplementary_groups() -> Result<Vec<u32>> {
    let failed = |errno| Error::system("read the supplementary groups", errno);
    // SAFETY: a size of zero asks for the number alone; nothing is written.
    let count = cerr(unsafe { libc::getgroups(0, std::ptr::null_mut()) }).map_err(failed)?;
    let mut groups = vec![NO_ID; count as usize];
    // SAFETY: `groups` has room for `count` ids, and this process's only thread changes them.
    let got = cerr(unsafe { libc::getgroups(count, groups.as_mut_ptr()) }).map_err(failed)?;
    groups.truncate(got as usize);
    Ok(groups)
}

fn clear_ambient_capabilities() -> Result<()> {
    // SAFETY: plain integers.
    match unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) } {
        0 => Ok(()),
        _ => match last() {
            Errno::INVALID => Ok(()), // a kernel before 4.3, which has none
            errno => Err(Error::system("clear the ambient capabilities", errno)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_that_means_leave_it_is_refused() {
        let asked =
            |credentials: Credentials| credentials.apply().expect_err("refused").to_string();
        let user = Credentials { uid: Some(NO_ID), ..Credentials::default() };
        let group = Credentials { gid: Some(NO_ID), ..Credentials::default() };
        let groups = Credentials { groups: Some(vec![NO_ID]), ..Credentials::default() };
        assert_eq!(asked(user), "unable to become user 4294967295: Invalid argument");
        assert_eq!(asked(group), "unable to become group 4294967295: Invalid argument");
        assert_eq!(asked(groups), "unable to set the supplementary groups: Invalid argument");
    }

    #[test]
    fn what_is_not_so_is_found_out() {
        let [uid, ..] = user_ids();
        let other = Credentials { uid: Some(uid ^ 1), ..Credentials::default() };
        let error = other.verify(None).expect_err("we are not that");
        assert_eq!(error.exit_code(), 111);
        assert!(error.to_string().contains(&format!("[{uid}, {uid}, {uid}]")), "{error}");
        let own = Credentials { uid: Some(uid), ..Credentials::default() };
        own.verify(None).expect("that is who we are");
    }
}
