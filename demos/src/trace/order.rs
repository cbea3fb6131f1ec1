//! The first lesson: I1, I2, O2, O1, as the tour plays it.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::lessons::Lesson;
use crate::host::HostHandle;
use crate::processing::Processing;
use crate::processing::database::Database;
use crate::processing::reach::Reach;
use crate::program::display::Display;
use crate::program::session::{Ends, GRACE, Session, Settings};
use crate::program::tour::{self, Tour};

pub(super) const LESSON: Lesson = Lesson {
    title: "I1, I2, O2, O1",
    about: "Input 1 is taken first and is slow, input 2 second and quick. The loop waits for \
            neither: each output goes out when it is ready, so O2 before O1. Then a sleep, a \
            file, a query and a mistake, none of which holds up another.",
    threads: 1,
    caption: None,
};

pub(super) async fn play(handle: HostHandle) -> io::Result<()> {
    let database = Database::sample().map_err(|failure| io::Error::other(failure.0))?;
    let processing = Processing {
        handle: handle.clone(),
        database: Arc::new(database),
        max_content: 1 << 20,
        timeout: Duration::from_secs(30),
        reach: Reach::default(),
    };
    let settings = Settings {
        trace: true,
        limit: 100,
        max_line: 1024,
        grace: None,
        grace_if_told: GRACE,
    };
    let display = Display::default();
    let ends = Ends {
        incoming: tour::play(&handle).await?,
        signals: futures::channel::mpsc::unbounded().1,
        render: Tour::new(Arc::default()),
        display: display.clone(),
        numbers: Arc::default(),
    };
    // What is shown has been seen on the page.
    drop(handle.spawner.spawn_named("display", async move {
        while poll_fn(|cx| display.poll_take(cx)).await.is_some() {
            display.sent();
        }
    }));
    let _ = Session::new(Arc::new(processing), settings, ends)
        .run()
        .await;
    Ok(())
}
