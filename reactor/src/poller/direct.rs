//! Linux: one system call a turn.
#![allow(unsafe_code)]
// Invariants of this file:
// 1. `epoll_pwait2` writes at most `maxevents` entries to the buffer it is given, and returns how
//    many. `maxevents` is the length of the buffer.
// 2. rustix's `epoll::Event` has the kernel's layout, `struct epoll_event`.
// 3. A descriptor borrowed for a call is open during the call.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use polling::PollMode;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::io::Errno;

use crate::returns::mend;

use super::{Abilities, Direction, Event, Poller, Ready, Token, no_readiness};

/// Events taken from the kernel in one call. 64, 256 and 1,024 measured the same.
const BATCH: usize = 256;

/// epoll, with the wait done directly.
///
/// `polling`'s own wait costs five system calls on Linux (it arms a timer descriptor and re-arms
/// its notifier around each wait), this one costs one. The epoll instance is `polling`'s.
/// Adding goes past it as well, for one flag: `polling` cannot ask for `EPOLLRDHUP`, and without it
/// 'a short read means drained' would miss the end of a stream. Removing does for `crate::returns`.
///
/// `Poller::notify` of `polling` must never be used together with a direct wait (its notifier
/// is one-shot and only its own wait re-arms it), so the wake-up descriptor is our own: an
/// edge-triggered eventfd that nobody reads. Each write is an edge. Its counter is full after
/// 2^64 writes.
#[derive(Debug)]
pub struct Direct {
    poller: polling::Poller,
    eventfd: OwnedFd,
    /// The kernel has `epoll_pwait2` (Linux 5.11) and the sandbox lets us call it.
    has_pwait2: AtomicBool,
}

impl Direct {
    /// A new epoll instance.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors left.
    pub fn new() -> io::Result<Direct> {
        let poller = polling::Poller::new()?;
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let interest = polling::Event::readable(Token::WAKE.key());
        // SAFETY: (3); the eventfd is deleted from the poller in `drop`, before it is closed.
        unsafe { poller.add_with_mode(&eventfd, interest, PollMode::Edge) }?;
        Ok(Direct {
            poller,
            eventfd,
            has_pwait2: AtomicBool::new(true),
        })
    }

    /// Waits. Then calls `woken` with the number of events, and gives them to `news`.
    #[inline(always)] // into the turn: see `crate::returns`
    pub(super) fn wait_and_tell(
        &self,
        timeout: Option<Duration>,
        woken: impl FnOnce(usize),
        news: &mut impl Extend<Event>,
    ) -> io::Result<()> {
        let mut room = [const { MaybeUninit::uninit() }; BATCH];
        let result = match plan(timeout) {
            Plan::Millis(timeout) => self.wait_millis(&mut room, timeout),
            Plan::Nanos(exact, rounded) => match self.wait_nanos(&mut room, exact) {
                Some(result) => result,
                None => self.wait_millis(&mut room, Some(rounded)),
            },
        };
        let found = match result {
            Ok(found) => found,
            Err(error) => {
                woken(0);
                return match error.kind() {
                    io::ErrorKind::Interrupted => Ok(()),
                    _ => Err(error),
                };
            }
        };
        woken(found);
        // SAFETY: (1) (2): the kernel has written the first `found` entries.
        let found = unsafe { room[..found].assume_init_ref() };
        news.extend(found.iter().map(|event| Event {
            token: Token::from_key(event.data.u64() as usize),
            ready: translate(event.flags),
        }));
        Ok(())
    }

    /// `epoll_pwait2`: the one call that waits with nanoseconds. `None` if it cannot be had.
    #[inline(never)]
    fn wait_nanos(&self, room: &mut Room, timeout: Timespec) -> Option<io::Result<usize>> {
        if !self.has_pwait2.load(Ordering::Relaxed) {
            return None;
        }
        match mend(pwait2(self.poller.as_fd(), room, &timeout)) {
            // Old kernels say ENOSYS, old sandboxes EPERM.
            Err(Errno::NOSYS | Errno::PERM) => {
                self.has_pwait2.store(false, Ordering::Relaxed);
                None
            }
            result => Some(result.map_err(io::Error::from)),
        }
    }

    #[inline]
    fn wait_millis(&self, room: &mut Room, timeout: Option<Timespec>) -> io::Result<usize> {
        let result = epoll::wait(self.poller.as_fd(), &mut room[..], timeout.as_ref());
        let (found, _) = mend(result)?;
        Ok(found.len())
    }
}

/// The call itself, compiled in like those that rustix makes: see `crate::returns`.
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
#[inline(always)]
fn pwait2(epoll: BorrowedFd<'_>, room: &mut Room, timeout: &Timespec) -> Result<usize, Errno> {
    let result: isize;
    // SAFETY: (1) (2) (3); the time is borrowed and the signal mask is absent. A system call
    // changes `rcx` and `r11`.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") libc::SYS_epoll_pwait2 as isize => result,
            in("rdi") epoll.as_raw_fd(),
            in("rsi") room.as_mut_ptr(),
            in("rdx") room.len(),
            in("r10") std::ptr::from_ref(timeout),
            in("r8") std::ptr::null::<libc::sigset_t>(),
            in("r9") size_of::<libc::c_ulong>(),
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    usize::try_from(result).map_err(|_| Errno::from_raw_os_error(-(result as i32)))
}

/// The same through libc.
#[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64")))]
fn pwait2(epoll: BorrowedFd<'_>, room: &mut Room, timeout: &Timespec) -> Result<usize, Errno> {
    let no_signals = std::ptr::null::<libc::sigset_t>();
    // SAFETY: (1) (2) (3); the time is borrowed and the signal mask is absent.
    let result = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.as_raw_fd(),
            room.as_mut_ptr(),
            room.len(),
            &raw const *timeout,
            no_signals,
            size_of::<libc::c_ulong>(),
        )
    };
    usize::try_from(result)
        .map_err(|_| Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::INVAL))
}

/// Room for one batch, on the stack and not initialised.
type Room = [MaybeUninit<epoll::Event>; BATCH];

/// How to wait for this long.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// Plain `epoll_wait` says it exactly.
    Millis(Option<Timespec>),
    /// It needs nanoseconds. The second value is for when they cannot be had: whole milliseconds,
    /// rounded up, so that nobody wakes early, and at most 24 days.
    Nanos(Timespec, Timespec),
}

#[inline]
fn plan(timeout: Option<Duration>) -> Plan {
    let Some(timeout) = timeout else {
        return Plan::Millis(None);
    };
    if timeout.subsec_nanos() % 1_000_000 == 0 && timeout <= LONGEST {
        return Plan::Millis(Some(timespec(timeout)));
    }
    let millis = timeout.min(LONGEST).as_nanos().div_ceil(1_000_000);
    let rounded = Duration::from_millis(millis as u64);
    Plan::Nanos(timespec(timeout), timespec(rounded))
}

/// What `epoll_wait` can be told, in milliseconds.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

fn timespec(time: Duration) -> Timespec {
    let tv_sec = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timespec {
        tv_sec,
        tv_nsec: time.subsec_nanos().into(),
    }
}

impl Poller for Direct {
    fn abilities(&self) -> Abilities {
        Abilities {
            edges: true,
            hangups: true,
        }
    }

    fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        use epoll::EventFlags as Flags;
        let flags = Flags::IN | Flags::OUT | Flags::RDHUP | Flags::PRI | Flags::ET;
        let data = epoll::EventData::new_u64(token.key() as u64);
        match mend(epoll::add(self.poller.as_fd(), fd, data, flags)) {
            Err(Errno::PERM) => Err(no_readiness()),
            other => Ok(other?),
        }
    }

    /// Nothing to do: an edge-triggered descriptor reports by itself, for ever.
    fn modify(&self, _: BorrowedFd<'_>, _: Token, _: Direction) -> io::Result<()> {
        Ok(())
    }

    fn delete(&self, fd: BorrowedFd<'_>, _: Token) -> io::Result<()> {
        Ok(mend(epoll::delete(self.poller.as_fd(), fd))?)
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        self.wait_and_tell(timeout, |_| {}, events)
    }

    fn notify(&self) {
        // It fails only when the counter is full, and then the wait has ended anyway.
        let _ = mend(rustix::io::write(&self.eventfd, &1u64.to_ne_bytes()));
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.poller.as_fd())
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        let _ = self.poller.delete(&self.eventfd);
    }
}

/// epoll's flags in the reactor's words. An error or a hang-up makes both directions worth a try:
/// the operation will tell.
#[inline]
fn translate(flags: epoll::EventFlags) -> Ready {
    use epoll::EventFlags as Flags;
    let mut ready = Ready::NONE;
    if flags.intersects(Flags::IN | Flags::PRI | Flags::RDHUP | Flags::HUP | Flags::ERR) {
        ready = ready | Ready::READABLE;
    }
    if flags.intersects(Flags::OUT | Flags::HUP | Flags::ERR) {
        ready = ready | Ready::WRITABLE;
    }
    if flags.intersects(Flags::RDHUP | Flags::HUP | Flags::ERR | Flags::PRI) {
        ready = ready | Ready::HANGUP;
    }
    ready
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(timeout: Duration) -> Option<Duration> {
        match plan(Some(timeout)) {
            Plan::Millis(_) => None,
            Plan::Nanos(_, up) => Some(Duration::new(up.tv_sec as u64, up.tv_nsec as u32)),
        }
    }

    #[test]
    fn only_odd_times_need_nanoseconds_and_never_wait_too_short() {
        assert_eq!(plan(None), Plan::Millis(None));
        assert_eq!(rounded(Duration::ZERO), None);
        assert_eq!(rounded(Duration::from_millis(7)), None);
        assert_eq!(
            rounded(Duration::from_nanos(1)),
            Some(Duration::from_millis(1))
        );
        assert_eq!(
            rounded(Duration::from_nanos(1_000_001)),
            Some(Duration::from_millis(2))
        );
        assert_eq!(
            rounded(Duration::MAX),
            Some(Duration::from_millis(i32::MAX as u64))
        );
    }
}
