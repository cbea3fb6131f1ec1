//! Standard input, without harm to those who share it.
//!
//! Non-blocking mode is a flag of the *file description*, and the description of standard input
//! is usually shared: with the shell that started us, with a program at the other end of the
//! pipeline, with standard output if all are one terminal. Setting the flag there makes *their*
//! reads fail. So the flag is left alone, and one of three ways is taken:
//!
//! | what it is | how it is read |
//! |---|---|
//! | terminal, pipe | opened a second time (`/dev/fd/0`), which makes a description of our own |
//! | socket | `recv` with `MSG_DONTWAIT`, non-blocking for one call |
//! | what cannot be opened again | `poll(2)` first, and only then one `read` |
//!
//! The last way blocks if somebody else who shares the descriptor takes the bytes between the two
//! calls. A regular file (and `/dev/null`) is always ready: reading it means reading the disk, and
//! that is for a blocking pool.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::net::RecvFlags;

use crate::Reactor;
use crate::descriptor::is_ready_now;
use crate::readiness::Direction;
use crate::source::Source;

/// Standard input as a source.
///
/// It bypasses the buffer of [`std::io::Stdin`]: use one or the other. With the feature
/// `futures-io` it is an `AsyncRead`.
#[derive(Debug)]
pub struct Stdin {
    source: Source<Way>,
}

/// How it is read; see the table at the top.
#[derive(Debug)]
enum Way {
    Reopened(File),
    Socket(io::Stdin),
    Shared(io::Stdin),
}

impl Stdin {
    /// Registers standard input. Changes no flags.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if it is a regular file or a device such as `/dev/null`, which
    /// have no readiness: read it on a blocking pool. What the kernel says if it is closed.
    pub fn new(reactor: &Reactor) -> io::Result<Stdin> {
        let stdin = io::stdin();
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&stdin)?.st_mode);
        let way = match kind {
            FileType::RegularFile | FileType::Directory | FileType::BlockDevice => {
                return Err(no_readiness());
            }
            FileType::Socket => Way::Socket(stdin),
            _ => match reopen() {
                Ok(file) => Way::Reopened(file),
                Err(_) => Way::Shared(stdin), // no /dev/fd, or the terminal is another user's
            },
        };
        Ok(Stdin {
            source: Source::new(reactor, way)?,
        })
    }

    /// Reads what there is, at most `buf.len()` bytes; waits if there is nothing. Zero is the end.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// What the kernel says; `EIO` for a background job whose terminal has gone.
    pub async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.source.read_with(|mut way| way.read(buf)).await
    }
}

fn no_readiness() -> io::Error {
    let what = "standard input is a file, which has no readiness to wait for: \
                read it on a blocking pool";
    io::Error::new(ErrorKind::Unsupported, what)
}

/// The same terminal or pipe under a file description of our own. On Linux `/dev/fd/0` is a link
/// to `/proc/self/fd/0`. Elsewhere opening it only duplicates the descriptor, flags included: there
/// it must not be used.
fn reopen() -> io::Result<File> {
    if !cfg!(target_os = "linux") {
        return Err(ErrorKind::Unsupported.into());
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(
        "/dev/fd/0",
        flags,
        Mode::empty(),
    )?))
}

impl AsFd for Way {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Way::Reopened(file) => file.as_fd(),
            Way::Socket(stdin) | Way::Shared(stdin) => stdin.as_fd(),
        }
    }
}

impl Read for &Way {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Way::Reopened(file) => (&mut &*file).read(buf),
            Way::Socket(stdin) => Ok(rustix::net::recv(stdin, buf, RecvFlags::DONTWAIT)?.0),
            Way::Shared(stdin) if is_ready_now(stdin.as_fd(), Direction::Read)? => {
                Ok(rustix::io::read(stdin, buf)?)
            }
            Way::Shared(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

#[cfg(feature = "futures-io")]
impl futures_io::AsyncRead for Stdin {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut [u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.source).poll_read(cx, buf)
    }
}
