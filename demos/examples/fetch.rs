//! A concurrent fetcher: many pages at once, never more than eight, with a progress bar.
//!
//! Run it: `cargo run --release --example fetch`
//!
//! Watch the bar, and then the sum: a hundred pages that take 20 to 119 ms each would be seven
//! seconds one after the other. `buffer_unordered` holds eight fetches in flight and gives each
//! page as it is ready, whatever its place in the list; the bar is drawn by the same thread that
//! fetches. The pages come from a server on this very loop, so it needs no network.

use std::time::{Duration, Instant};

use demos::processing::http;
use demos::processing::reach::Reach;
use demos::{EventLoop, HostHandle, tour_server};
use futures::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};

const PAGES: u64 = 100;
const IN_FLIGHT: usize = 8;

fn main() -> std::io::Result<()> {
    let event_loop = EventLoop::new()?;
    let handle = &HostHandle::from(event_loop.handle().clone());
    // Draws nothing when standard error is no terminal.
    let bar = ProgressBar::new(PAGES);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} pages, {eta} left");
    bar.set_style(style.expect("the template is sound"));

    let started = Instant::now();
    let (fetched, one_after_the_other) = event_loop.run(async {
        let server = tour_server::start(handle).await?;
        // Their order of length is not their order in the list.
        let delays = (0..PAGES).map(|page| 20 + page * 37 % 100);
        let urls = delays
            .clone()
            .map(|ms| format!("http://{server}/after/{ms}ms"));
        let fetches = urls.map(async |url| http::get(handle, &url, &Reach::default(), 1024).await);
        let mut pages = stream::iter(fetches).buffer_unordered(IN_FLIGHT);
        let mut fetched = 0;
        while let Some(page) = pages.next().await {
            page.map_err(std::io::Error::other)?;
            fetched += 1;
            bar.inc(1);
        }
        std::io::Result::Ok((fetched, Duration::from_millis(delays.sum())))
    })??;
    bar.finish_and_clear();
    let took = started.elapsed();
    println!("{fetched} pages, {IN_FLIGHT} at a time");
    println!("{took:.1?}; one after the other at least {one_after_the_other:.1?}");
    assert!(took < one_after_the_other, "nothing was concurrent");
    Ok(())
}
