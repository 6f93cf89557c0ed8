//! The programs around supervised services (contract s6 §1.1 to §1.3).

pub mod background_watch;
pub mod cleanfifodir;
pub mod daemons;
pub mod ftrig_listen;
pub mod ftrig_listen1;
pub mod ftrig_notify;
pub mod ftrig_wait;
pub mod ftrigrd;
pub mod mkfifodir;
pub mod notify_fd_from_socket;
pub mod notify_socket_from_fd;
pub mod notifyoncheck;
pub mod permafailon;
pub mod svc;
pub mod svdt;
pub mod svdt_clear;
pub mod svlink;
pub mod svlisten;
pub mod svlisten1;
pub mod svok;
pub mod svperms;
pub mod svscanboot;
pub mod svscanctl;
pub mod svstat;
pub mod svunlink;
pub mod svwait;

mod listening;
mod notification;
mod waiting;
