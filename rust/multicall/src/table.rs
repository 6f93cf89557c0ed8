//! The one table of applets: one line each, sorted by section.

use crate::applet::Applet;
use crate::{
    execline, fdholding, instances, logging, overlay, process, sockets, supervision, utilities,
};

/// Every applet.
pub static APPLETS: &[&Applet] = &[
    // Supervision
    &supervision::daemons::SVSCAN,
    &supervision::daemons::SUPERVISE,
    &supervision::svc::APPLET,
    &supervision::svscanctl::APPLET,
    &supervision::background_watch::APPLET,
    &supervision::svlink::APPLET,
    &supervision::svscanboot::APPLET,
    &supervision::svunlink::APPLET,
    // Status
    &supervision::permafailon::APPLET,
    &supervision::svdt::APPLET,
    &supervision::svdt_clear::APPLET,
    &supervision::svlisten::APPLET,
    &supervision::svlisten1::APPLET,
    &supervision::svok::APPLET,
    &supervision::svperms::APPLET,
    &supervision::svstat::APPLET,
    &supervision::svwait::APPLET,
    // Notification
    &supervision::cleanfifodir::APPLET,
    &supervision::ftrig_listen::APPLET,
    &supervision::ftrig_listen1::APPLET,
    &supervision::ftrig_notify::APPLET,
    &supervision::ftrig_wait::APPLET,
    &supervision::ftrigrd::APPLET,
    &supervision::mkfifodir::APPLET,
    &supervision::notify_fd_from_socket::APPLET,
    &supervision::notify_socket_from_fd::APPLET,
    &supervision::notifyoncheck::APPLET,
    // Logging
    &logging::log::APPLET,
    &logging::socklog::APPLET,
    &logging::tai64n::APPLET,
    &logging::tai64nlocal::APPLET,
    &logging::ucspilogd::APPLET,
    // Process
    &process::applyuidgid::APPLET,
    &process::envdir::APPLET,
    &process::envuidgid::APPLET,
    &process::fghack::APPLET,
    &process::setlock::APPLET,
    &process::setsid::APPLET,
    &process::setuidgid::APPLET,
    &process::softlimit::APPLET,
    // Instances
    &instances::control::APPLET,
    &instances::create::APPLET,
    &instances::delete::APPLET,
    &instances::list::APPLET,
    &instances::maker::APPLET,
    &instances::status::APPLET,
    // FdHolding
    &fdholding::daemon::APPLET,
    &fdholding::delete::APPLET,
    &fdholding::getdump::APPLET,
    &fdholding::list::APPLET,
    &fdholding::retrieve::APPLET,
    &fdholding::setdump::APPLET,
    &fdholding::store::APPLET,
    &fdholding::transferdump::APPLET,
    &fdholding::fdholderd::APPLET,
    // Sockets
    &sockets::accessrules::CDB_FROM_FS,
    &sockets::accessrules::FS_FROM_CDB,
    &sockets::connlimit::APPLET,
    &sockets::ioconnect::APPLET,
    &sockets::ipcclient::APPLET,
    &sockets::ipcserver::APPLET,
    &sockets::ipcserver_access::APPLET,
    &sockets::ipcserverd::APPLET,
    &sockets::socketbinder::APPLET,
    &sockets::sudo::APPLET,
    &sockets::sudoc::APPLET,
    &sockets::sudod::APPLET,
    &sockets::usertree_maker::APPLET,
    // Execline
    &execline::backtick::APPLET,
    &execline::beside::BACKGROUND,
    &execline::beside::PIPELINE,
    &execline::branches::IFELSE,
    &execline::branches::IFTE,
    &execline::branches::IFTHENELSE,
    &execline::case::APPLET,
    &execline::condition::FOREGROUND,
    &execline::condition::IF,
    &execline::descriptors::FDBLOCK,
    &execline::descriptors::FDCLOSE,
    &execline::descriptors::FDMOVE,
    &execline::descriptors::FDRESERVE,
    &execline::descriptors::FDSWAP,
    &execline::descriptors::PIPERW,
    &execline::directory::CD,
    &execline::directory::POSIX_CD,
    &execline::elgetopt::APPLET,
    &execline::eltest::APPLET,
    &execline::emptyenv::APPLET,
    &execline::envfile::APPLET,
    &execline::environment::EXPORT,
    &execline::environment::UNEXPORT,
    &execline::execlineb::APPLET,
    &execline::export_array::APPLET,
    &execline::facts::GETCWD,
    &execline::facts::GETPID,
    &execline::facts::WITHSTDINAS,
    &execline::forstdin::FORBACKTICKX,
    &execline::forstdin::FORSTDIN,
    &execline::forx::APPLET,
    &execline::heredoc::APPLET,
    &execline::homeof::APPLET,
    &execline::leaving::EXEC,
    &execline::leaving::EXIT,
    &execline::loopwhilex::APPLET,
    &execline::mask::POSIX_UMASK,
    &execline::mask::UMASK,
    &execline::multisubstitute::APPLET,
    &execline::positionals::DOLLARAT,
    &execline::positionals::RUNBLOCK,
    &execline::positionals::SHIFT,
    &execline::redirfd::APPLET,
    &execline::substitute::DEFINE,
    &execline::substitute::ELGETPOSITIONALS,
    &execline::substitute::ELGLOB,
    &execline::substitute::IMPORT,
    &execline::substitute::IMPORTAS,
    &execline::substitute::MULTIDEFINE,
    &execline::trap::APPLET,
    &execline::tryexec::APPLET,
    &execline::wait::APPLET,
    // Utilities
    &sockets::alias::APPLET,
    &sockets::alias_chpst::APPLET,
    &sockets::alias_sv::APPLET,
    &utilities::cat::APPLET,
    &utilities::chmod::APPLET,
    &utilities::chown::APPLET,
    &utilities::clock::APPLET,
    &utilities::cut::APPLET,
    &utilities::dumpenv::APPLET,
    &utilities::echo::APPLET,
    &utilities::env::ENV,
    &utilities::env::PRINTENV,
    &utilities::expr::APPLET,
    &utilities::format_filter::APPLET,
    &utilities::freeramdisk::APPLET,
    &utilities::fstab2s6rc::APPLET,
    &utilities::grep::APPLET,
    &utilities::head::APPLET,
    &utilities::hiercopy::APPLET,
    &utilities::hostname::APPLET,
    &utilities::linkname::APPLET,
    &utilities::ln::APPLET,
    &utilities::logwatch::APPLET,
    &utilities::ls::APPLET,
    &utilities::maximumtime::APPLET,
    &utilities::mkdir::APPLET,
    &utilities::mkfifo::APPLET,
    &utilities::mount::MOUNT,
    &utilities::mount::UMOUNT,
    &utilities::names::BASENAME,
    &utilities::names::DIRNAME,
    &utilities::nice::APPLET,
    &utilities::nuke::APPLET,
    &utilities::pause::APPLET,
    &utilities::ps::APPLET,
    &utilities::quote::QUOTE,
    &utilities::quote::UNQUOTE,
    &utilities::quote_filter::QUOTE,
    &utilities::quote_filter::UNQUOTE,
    &utilities::rename::APPLET,
    &utilities::rmrf::APPLET,
    &utilities::rngseed::APPLET,
    &utilities::root::CHROOT,
    &utilities::root::PIVOTCHROOT,
    &utilities::seekablepipe::APPLET,
    &utilities::seq::APPLET,
    &utilities::sleep::APPLET,
    &utilities::sort::APPLET,
    &utilities::swap::OFF,
    &utilities::swap::ON,
    &utilities::sync::APPLET,
    &utilities::tai64ndiff::APPLET,
    &utilities::tail::APPLET,
    &utilities::touch::APPLET,
    &utilities::uniquename::APPLET,
    &utilities::update_symlinks::APPLET,
    &utilities::verdict::FALSE,
    &utilities::verdict::TRUE,
    // Overlay
    &overlay::init::APPLET,
    &overlay::init::STAGE1,
    &overlay::fix_attrs::APPLET,
    &overlay::justc_envdir::APPLET,
    &overlay::newfifo::APPLET,
    &overlay::logutil::SERVICE,
    &overlay::logutil::SERVICE_MAIN,
    &overlay::contenv::PRINTCONTENV,
    &overlay::contenv::WITH_CONTENV,
    &overlay::contenv::WITH_CONTENV_LEGACY,
    &overlay::with_retries::APPLET,
];

/// Names that are another applet's: its messages carry its own.
pub const ALIASES: &[(&str, &str)] =
    &[("cd", "execline-cd"), ("s6-test", "eltest"), ("umask", "execline-umask")];

/// The applet of this name.
pub fn named(name: &str) -> Option<&'static Applet> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let name = alias.map_or(name, |(_, name)| *name);
    APPLETS.iter().copied().find(|applet| applet.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Syntax;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = APPLETS.iter().map(|applet| applet.name).collect();
        assert_eq!(names.len(), APPLETS.len());
    }

    #[test]
    fn aliases_are_no_names_and_lead_to_some() {
        for (alias, name) in ALIASES {
            assert!(APPLETS.iter().all(|applet| applet.name != *alias), "{alias}");
            assert_eq!(named(alias).map(|applet| applet.name), Some(*name));
        }
    }

    #[test]
    fn options_are_unique_and_in_the_usage() {
        for applet in APPLETS {
            let usage = applet.usage();
            let letters: BTreeSet<char> = applet.options.iter().map(|o| o.letter).collect();
            assert_eq!(letters.len(), applet.options.len(), "{}", applet.name);
            let longs: Vec<&str> = applet.options.iter().filter_map(|o| o.long).collect();
            assert_eq!(longs.iter().collect::<BTreeSet<_>>().len(), longs.len(), "{}", applet.name);
            assert!(longs.is_empty() || applet.syntax == Syntax::Long, "{}", applet.name);
            for option in applet.options {
                let named = option.long.is_some_and(|name| usage.contains(name));
                assert!(named || option.has_letter(), "{}: an option without name", applet.name);
                assert!(named || usage.contains(option.letter), "{usage}: {}", option.letter);
            }
        }
    }

    #[test]
    fn texts_have_one_form() {
        for applet in APPLETS {
            assert!(!applet.about.ends_with('.') && !applet.about.is_empty(), "{}", applet.name);
            assert!(applet.about.starts_with(char::is_uppercase), "{}", applet.name);
            for option in applet.options {
                assert!(!option.help.is_empty(), "{} -{}", applet.name, option.letter);
            }
            for (code, meaning) in applet.exit_codes {
                assert!(!code.is_empty() && !meaning.is_empty(), "{}", applet.name);
            }
        }
    }
}
