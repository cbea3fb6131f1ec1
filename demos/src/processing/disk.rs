//! `read PATH`: a whole file, as text.
//!
//! Blocking calls, for the blocking pool: no kernel tells when a disk is ready (epoll refuses
//! regular files with EPERM), so waiting for a disk takes a thread.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use super::reach::Reach;
use super::{Answer, Failure, into_text};
use crate::program::escape::shortened;
use crate::program::quantity::grouped;

/// Reads the file at `path`, if that is within `reach`, and if it has at most `limit` bytes and
/// is UTF-8 text.
///
/// # Errors
/// A sentence that says which file and what is wrong with it.
pub fn read(path: &str, reach: &Reach, limit: usize) -> Result<Answer, Failure> {
    let shown = format!("`{}`", shortened(path));
    let path = reach.file(path)?;
    // A named pipe would hold this thread until somebody writes to it; non-blocking, the open
    // comes back and the pipe is refused below. Regular files do not mind the flag.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let open = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path);
    let mut file = open.map_err(|error| Failure(explain(&shown, &error)))?;
    let about = file
        .metadata()
        .map_err(|error| Failure(explain(&shown, &error)))?;
    refuse_what_is_no_file(&shown, &about)?;
    let bytes = read_at_most(&mut file, limit).map_err(|error| Failure(explain(&shown, &error)))?;
    let Some(bytes) = bytes else {
        let limit = grouped(limit);
        return Err(Failure(format!(
            "{shown} has more than the limit of {limit} bytes (--max-content)"
        )));
    };
    let length = bytes.len();
    Ok(Answer::Text {
        http_status: None,
        bytes: length,
        text: into_text(bytes, &shown)?,
    })
}

fn refuse_what_is_no_file(shown: &str, about: &Metadata) -> Result<(), Failure> {
    let kind = about.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () => "something else",
    };
    Err(Failure(format!("{shown} is {what}, not a file")))
}

/// `None` if there is more. The size a file tells is no help: in /proc it is 0, and a log grows.
fn read_at_most(file: &mut File, limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}

fn explain(shown: &str, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => match std::env::current_dir() {
            Ok(here) => format!("there is no file {shown} (looked from {})", here.display()),
            Err(_) => format!("there is no file {shown}"),
        },
        ErrorKind::PermissionDenied => format!("{shown} may not be read by this user"),
        ErrorKind::NotADirectory => format!("a part of {shown} is not a directory"),
        ErrorKind::InvalidFilename => format!("{shown} is longer than a path may be"),
        _ if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            format!("{shown} is a socket or device without anybody behind it, not a file")
        }
        _ => format!("{shown} cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str, limit: usize) -> String {
        read(path, &Reach::default(), limit).unwrap_err().0
    }

    #[test]
    fn a_file_is_read_whole() {
        let Ok(Answer::Text {
            bytes,
            text,
            http_status: None,
        }) = read("Cargo.toml", &Reach::default(), 1 << 20)
        else {
            panic!("the manifest is there");
        };
        assert_eq!(bytes, text.len());
        assert!(text.starts_with("[package]"));
    }

    #[test]
    fn what_is_no_file_is_named() {
        assert_eq!(refused("/", 9), "`/` is a directory, not a file");
        assert_eq!(
            refused("/dev/zero", 9),
            "`/dev/zero` is a device, not a file"
        );
        assert!(
            refused("no/such/file", 9)
                .starts_with("there is no file `no/such/file` (looked from /")
        );
        assert_eq!(
            refused("Cargo.toml/x", 9),
            "a part of `Cargo.toml/x` is not a directory"
        );
        assert!(refused("a\0b", 9).contains("cannot be read"));
        assert!(refused(&"x".repeat(9000), 9).ends_with("is longer than a path may be"));
    }

    #[test]
    fn a_pipe_without_a_writer_holds_nobody() {
        let path = std::env::temp_dir().join(format!("handrolled-pipe-{}", std::process::id()));
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()));
        let message = refused(path.to_str().expect("a plain path"), 9);
        std::fs::remove_file(&path).expect("it was just made");
        assert!(message.ends_with("is a pipe, not a file"), "{message}");
    }

    #[test]
    fn the_limit_holds_where_the_file_tells_no_size() {
        assert!(refused("/proc/self/maps", 100).contains("more than the limit of 100 bytes"));
        assert!(read("/proc/self/stat", &Reach::default(), 4096).is_ok());
    }

    #[test]
    fn bytes_that_are_no_text() {
        let path = std::env::temp_dir().join(format!("handrolled-bytes-{}", std::process::id()));
        std::fs::write(&path, b"ok \xff").expect("the temporary directory takes files");
        let message = refused(path.to_str().expect("a plain path"), 9);
        std::fs::remove_file(&path).expect("it was just made");
        assert!(
            message.ends_with("is not UTF-8 text (from byte 3 on)"),
            "{message}"
        );
    }
}
