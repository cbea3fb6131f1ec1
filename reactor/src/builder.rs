//! Choices for a reactor.

use std::io;
use std::sync::Arc;

use crate::Reactor;
use crate::alarm::Alarm;
use crate::observe::{Observer, Watch};
use crate::poller::{Chosen, Poller, Portable};
use crate::reactor::{Bell, Core};
use crate::returns;

/// Choices for a [`Reactor`].
#[derive(Debug, Default)]
pub struct Builder {
    poller: Option<Chosen>,
    portable: bool,
    embedded: bool,
    watch: Watch,
}

impl Builder {
    /// Waits through `polling` also where there is a shorter way, to compare the two.
    #[must_use]
    pub fn portable(mut self) -> Builder {
        self.portable = true;
        self
    }

    /// Uses this poller: a simulated one, or one of your own.
    #[must_use]
    pub fn poller(mut self, poller: impl Poller + 'static) -> Builder {
        self.poller = Some(Chosen::Other(Box::new(poller)));
        self
    }

    /// For a foreign loop, which waits for the reactor's descriptor (its
    /// [`AsFd`](std::os::fd::AsFd)) to become readable and then calls
    /// `poll(Some(Duration::ZERO))`. The waker then makes the descriptor readable also while no
    /// poll is waiting; it costs one system call a turn.
    ///
    /// A host that watches levels hears of the descriptor again as long as there is news. One that
    /// watches edges (tokio's `AsyncFd`, mio) hears once, and a poll takes 256 events at most: it
    /// has to poll until the answer is 0.
    #[must_use]
    pub fn embedded(mut self) -> Builder {
        self.embedded = true;
        self
    }

    /// Tells this observer what the reactor does.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Builder {
        self.watch = Watch::by(observer);
        self
    }

    /// The reactor.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors left.
    pub fn build(self) -> io::Result<Reactor> {
        returns::ask_the_kernel();
        let poller = match self.poller {
            Some(poller) => poller,
            None if self.portable => Chosen::Other(Box::new(Portable::new()?)),
            None => Chosen::best()?,
        };
        let abilities = poller.abilities();
        let bell = Arc::new(Bell {
            alarm: Alarm::new(self.embedded),
            poller,
        });
        let (table, starved, turn) = Default::default();
        Ok(Reactor::over(Core {
            bell,
            needs_arming: !abilities.edges || self.watch.is_on(),
            abilities,
            table,
            starved,
            turn,
            watch: self.watch,
        }))
    }
}
