//! Anonymous pipes.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;

use crate::Reactor;
use crate::descriptor::set_nonblocking;
use crate::source::Source;

/// A new pipe, both ends registered and non-blocking.
///
/// When all writers are gone the reader gets zero bytes; when all readers are gone the writer gets
/// [`io::ErrorKind::BrokenPipe`].
///
/// # Errors
///
/// When the process or the system has no descriptors left.
pub fn pipe(reactor: &Reactor) -> io::Result<(Source<PipeReader>, Source<PipeWriter>)> {
    let (reader, writer) = io::pipe()?;
    set_nonblocking(&reader)?;
    set_nonblocking(&writer)?;
    Ok((Source::new(reactor, reader)?, Source::new(reactor, writer)?))
}

/// A descriptor of your own (one end of a pipe to a child process, say) in non-blocking mode.
///
/// The mode belongs to the file description: everybody who shares it gets it too. So this is
/// for descriptors that nobody else reads or writes; for the standard streams see
/// [`Stdin`](crate::Stdin).
///
/// # Errors
///
/// What the kernel says; [`io::ErrorKind::Unsupported`] for a regular file.
pub fn own(reactor: &Reactor, fd: impl Into<OwnedFd>) -> io::Result<Source<std::fs::File>> {
    let fd = fd.into();
    set_nonblocking(&fd)?;
    Source::new(reactor, std::fs::File::from(fd))
}
