//! The standard streams, without harm to those who share them.
//!
//! Non-blocking mode is a flag of the *file description*, and the description of a standard stream
//! is usually shared: with the shell that started us, with a program at the other end of the
//! pipeline, with the other standard streams if all are one terminal. Setting the flag there makes
//! *their* reads and writes fail. So the flag is left alone, and one of three ways is taken:
//!
//! | what it is | how it is read or written |
//! |---|---|
//! | terminal, pipe | opened a second time (`/dev/fd/0`), which makes a description of our own |
//! | socket | `recv` and `send` with `MSG_DONTWAIT`, non-blocking for one call |
//! | what cannot be opened again | `poll(2)` first, and only then one `read` or `write` |
//!
//! The last way blocks if somebody else who shares the descriptor is faster between the two calls.
//! A regular file (and `/dev/null`) is always ready: reading it means reading the disk, and that is
//! for a blocking pool.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::net::{RecvFlags, SendFlags};
use rustix::stdio;

use crate::Reactor;
use crate::descriptor::is_ready_now;
use crate::readiness::Direction;
use crate::source::Source;

/// Room that a pipe has at least when it is called writable (POSIX: `PIPE_BUF`, never less than
/// this). One write of so much does not block.
const SURE_ROOM: usize = 512;

/// Standard input as a source.
///
/// It bypasses the buffer of [`std::io::Stdin`]: use one or the other. With the feature
/// `futures-io` it is an `AsyncRead`.
#[derive(Debug)]
pub struct Stdin {
    source: Source<Way>,
}

impl Stdin {
    /// Registers standard input. Changes no flags.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if it is a regular file or a device such as `/dev/null`, which
    /// have no readiness: read it on a blocking pool. What the kernel says if it is closed.
    pub fn new(reactor: &Reactor) -> io::Result<Stdin> {
        let way = Way::to(stdio::stdin(), "/dev/fd/0", OFlags::RDONLY)?;
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

/// Standard output or standard error as a source.
///
/// It bypasses the buffer of [`std::io::Stdout`]: flush what `print!` left there first. With the
/// feature `futures-io` it is an `AsyncWrite`; closing it does nothing, since others share it.
#[derive(Debug)]
pub struct Stdout {
    source: Source<Way>,
}

impl Stdout {
    /// Registers standard output. Changes no flags.
    ///
    /// # Errors
    ///
    /// As for [`Stdin::new`].
    pub fn new(reactor: &Reactor) -> io::Result<Stdout> {
        let way = Way::to(stdio::stdout(), "/dev/fd/1", OFlags::WRONLY)?;
        Ok(Stdout {
            source: Source::new(reactor, way)?,
        })
    }

    /// Registers standard error. Changes no flags.
    ///
    /// # Errors
    ///
    /// As for [`Stdin::new`].
    pub fn stderr(reactor: &Reactor) -> io::Result<Stdout> {
        let way = Way::to(stdio::stderr(), "/dev/fd/2", OFlags::WRONLY)?;
        Ok(Stdout {
            source: Source::new(reactor, way)?,
        })
    }

    /// Writes some of `bytes`; waits while the reader is too slow. Returns how many. When the future
    /// is dropped before it is ready, nothing has been written.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenPipe`] if nobody reads any more, and what else the kernel says.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.source.write_with(|mut way| way.write(bytes)).await
    }

    /// Writes all of `bytes`. Dropping the future may leave a part written.
    ///
    /// # Errors
    ///
    /// As for [`write`](Stdout::write).
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

/// How it is read or written; see the table at the top.
#[derive(Debug)]
enum Way {
    Reopened(File),
    Socket(BorrowedFd<'static>),
    Shared(BorrowedFd<'static>),
}

impl Way {
    fn to(fd: BorrowedFd<'static>, path: &str, access: OFlags) -> io::Result<Way> {
        match FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode) {
            FileType::RegularFile | FileType::Directory | FileType::BlockDevice => {
                let what = "this standard stream is a file, which has no readiness to wait for: \
                            read or write it on a blocking pool";
                Err(io::Error::new(ErrorKind::Unsupported, what))
            }
            FileType::Socket => Ok(Way::Socket(fd)),
            // It fails without /dev/fd, or if the terminal is another user's.
            _ => Ok(reopen(path, access).map_or(Way::Shared(fd), Way::Reopened)),
        }
    }
}

/// The same terminal or pipe under a file description of our own. On Linux `/dev/fd/0` is a link
/// to `/proc/self/fd/0`. Elsewhere opening it only duplicates the descriptor, flags included: there
/// it must not be used.
fn reopen(path: &str, access: OFlags) -> io::Result<File> {
    if !cfg!(target_os = "linux") {
        return Err(ErrorKind::Unsupported.into());
    }
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

impl AsFd for Way {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Way::Reopened(file) => file.as_fd(),
            Way::Socket(fd) | Way::Shared(fd) => *fd,
        }
    }
}

impl Read for &Way {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Way::Reopened(file) => (&mut &*file).read(buf),
            Way::Socket(fd) => Ok(rustix::net::recv(fd, buf, RecvFlags::DONTWAIT)?.0),
            Way::Shared(fd) if is_ready_now(*fd, Direction::Read)? => {
                Ok(rustix::io::read(fd, buf)?)
            }
            Way::Shared(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for &Way {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Way::Reopened(file) => (&mut &*file).write(bytes),
            Way::Socket(fd) => Ok(rustix::net::send(fd, bytes, SendFlags::DONTWAIT)?),
            Way::Shared(fd) if is_ready_now(*fd, Direction::Write)? => {
                Ok(rustix::io::write(fd, &bytes[..bytes.len().min(SURE_ROOM)])?)
            }
            Way::Shared(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // nothing is held back here
    }
}

#[cfg(feature = "futures-io")]
mod traits {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_io::{AsyncRead, AsyncWrite};

    use super::{Stdin, Stdout};

    impl AsyncRead for Stdin {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.source).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Stdout {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.source).poll_write(cx, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
}
