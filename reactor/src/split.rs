//! One source as two halves: one task reads while another writes.

use std::os::fd::AsFd;
use std::sync::Arc;

use crate::source::Source;

/// The half that reads, borrowed from a source. See [`Source::split`].
#[derive(Debug)]
pub struct ReadHalf<'a, T: AsFd>(pub(crate) &'a Source<T>);

/// The half that writes, borrowed from a source. See [`Source::split`].
#[derive(Debug)]
pub struct WriteHalf<'a, T: AsFd>(pub(crate) &'a Source<T>);

/// The half that reads, for another task. See [`Source::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf<T: AsFd>(pub(crate) Arc<Source<T>>);

/// The half that writes, for another task. See [`Source::into_split`].
///
/// Dropping it does not tell the peer: close it (`AsyncWriteExt::close`) to send the end of the
/// stream. The descriptor is closed when both halves are gone.
#[derive(Debug)]
pub struct OwnedWriteHalf<T: AsFd>(pub(crate) Arc<Source<T>>);

impl<T: AsFd> Source<T> {
    /// Two halves for use within one task (two futures that are joined).
    pub fn split(&mut self) -> (ReadHalf<'_, T>, WriteHalf<'_, T>) {
        (ReadHalf(self), WriteHalf(self))
    }

    /// Two halves for two tasks. One allocation.
    pub fn into_split(self) -> (OwnedReadHalf<T>, OwnedWriteHalf<T>) {
        let both = Arc::new(self);
        (OwnedReadHalf(Arc::clone(&both)), OwnedWriteHalf(both))
    }
}

impl<T: AsFd> ReadHalf<'_, T> {
    /// The whole.
    #[must_use]
    pub fn source(&self) -> &Source<T> {
        self.0
    }
}

impl<T: AsFd> WriteHalf<'_, T> {
    /// The whole.
    #[must_use]
    pub fn source(&self) -> &Source<T> {
        self.0
    }
}

impl<T: AsFd> OwnedReadHalf<T> {
    /// The whole.
    #[must_use]
    pub fn source(&self) -> &Source<T> {
        &self.0
    }

    /// Joins the halves again. Gives them back if they are not of one source.
    ///
    /// # Errors
    ///
    /// The two halves, if they do not belong together.
    pub fn reunite(
        self,
        other: OwnedWriteHalf<T>,
    ) -> Result<Source<T>, (OwnedReadHalf<T>, OwnedWriteHalf<T>)> {
        if !Arc::ptr_eq(&self.0, &other.0) {
            return Err((self, other));
        }
        drop(other);
        match Arc::try_unwrap(self.0) {
            Ok(source) => Ok(source),
            Err(_) => unreachable!("a source has exactly two owned halves"),
        }
    }
}

impl<T: AsFd> OwnedWriteHalf<T> {
    /// The whole.
    #[must_use]
    pub fn source(&self) -> &Source<T> {
        &self.0
    }
}
