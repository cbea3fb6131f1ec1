//! Small questions and requests to the kernel about one descriptor.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, ReturnFlags};

use crate::readiness::Direction;
use crate::returns::mend;

/// Buffers that a message may consist of, on every system we know (`IOV_MAX`). With more the
/// kernel refuses it.
pub(crate) const MAX_BUFFERS: usize = 1024;

/// Asks the kernel, without waiting.
pub(crate) fn is_ready_now(fd: BorrowedFd<'_>, direction: Direction) -> io::Result<bool> {
    let flags = match direction {
        Direction::Read => PollFlags::IN | PollFlags::PRI,
        Direction::Write => PollFlags::OUT,
    };
    let mut fds = [PollFd::from_borrowed_fd(fd, flags)];
    loop {
        match mend(rustix::event::poll(&mut fds, Some(&Timespec::default()))) {
            Ok(found) => return Ok(found > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads from a stream socket.
///
/// As `std` does, but on Linux compiled into its caller: rustix needs no libc there, and the returns
/// after the call can be mended.
#[inline]
pub(crate) fn recv<T: AsFd>(socket: &T, buf: &mut [u8]) -> io::Result<usize>
where
    for<'a> &'a T: Read,
{
    #[cfg(target_os = "linux")]
    return Ok(mend(rustix::net::recv(socket, buf, RecvFlags::empty()))?.0);
    #[cfg(not(target_os = "linux"))]
    return (&*socket).read(buf);
}

/// Writes to a stream socket, without `SIGPIPE`. See [`recv`].
#[inline]
pub(crate) fn send<T: AsFd>(socket: &T, bytes: &[u8]) -> io::Result<usize>
where
    for<'a> &'a T: Write,
{
    #[cfg(target_os = "linux")]
    return Ok(mend(rustix::net::send(
        socket,
        bytes,
        rustix::net::SendFlags::NOSIGNAL,
    ))?);
    #[cfg(not(target_os = "linux"))]
    return (&*socket).write(bytes);
}

/// Writes several buffers, one after the other, to a stream socket. See [`send`].
///
/// A few short ones (the head and the body of a small answer) are copied together: that costs
/// less than having the kernel gather them.
pub(crate) fn send_vectored<T: AsFd>(socket: &T, bufs: &[IoSlice<'_>]) -> io::Result<usize>
where
    for<'a> &'a T: Write,
{
    let mut joined = [0; SHORT];
    match join(bufs, &mut joined) {
        Some(len) => send(socket, &joined[..len]),
        None => send_gathered(socket, bufs),
    }
}

/// What is short, together.
const SHORT: usize = 1024;

/// Copies all into one, if they fit. Returns how long they are.
fn join(bufs: &[IoSlice<'_>], joined: &mut [u8; SHORT]) -> Option<usize> {
    let mut len = 0;
    for buf in bufs {
        joined
            .get_mut(len..)?
            .get_mut(..buf.len())?
            .copy_from_slice(buf);
        len += buf.len();
    }
    Some(len)
}

fn send_gathered<T: AsFd>(socket: &T, bufs: &[IoSlice<'_>]) -> io::Result<usize>
where
    for<'a> &'a T: Write,
{
    #[cfg(target_os = "linux")]
    {
        use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
        let mut nothing_else = SendAncillaryBuffer::default();
        let bufs = &bufs[..bufs.len().min(MAX_BUFFERS)];
        let flags = SendFlags::NOSIGNAL;
        Ok(mend(sendmsg(socket, bufs, &mut nothing_else, flags))?)
    }
    #[cfg(not(target_os = "linux"))]
    (&*socket).write_vectored(bufs)
}

/// Reads from a Unix stream into at most `MAX_BUFFERS` buffers. Returns how much, and whether it
/// was *not* cut short by a message that carries descriptors (which are dropped, as with any read
/// that does not ask for them).
///
/// The kernel ends a read at such a message even if more bytes follow, and only `recvmsg` says so:
/// `MSG_CTRUNC`, as there was no room for the control data.
pub(crate) fn receive(
    fd: BorrowedFd<'_>,
    bufs: &mut [IoSliceMut<'_>],
) -> io::Result<(usize, bool)> {
    let mut no_room = RecvAncillaryBuffer::new(&mut []);
    let message = mend(rustix::net::recvmsg(
        fd,
        bufs,
        &mut no_room,
        RecvFlags::empty(),
    ))?;
    let cut = message.flags.contains(ReturnFlags::CTRUNC);
    Ok((message.bytes, !cut))
}

/// Non-blocking mode, for the whole file description.
pub(crate) fn set_nonblocking(fd: &impl AsFd) -> io::Result<()> {
    let flags = fcntl_getfl(fd)?;
    Ok(fcntl_setfl(fd, flags | OFlags::NONBLOCK)?)
}

/// Tells the peer of a socket that no more will come. Other descriptors have nobody to tell.
#[cfg(any(feature = "futures-io", feature = "hyper"))]
pub(crate) fn finish_writing(fd: BorrowedFd<'_>) -> io::Result<()> {
    use rustix::io::Errno;
    match rustix::net::shutdown(fd, rustix::net::Shutdown::Write) {
        // Not a socket; or the peer has closed already, and knows.
        Ok(()) | Err(Errno::NOTSOCK | Errno::NOTCONN) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
