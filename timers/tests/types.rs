//! Which public type may go to another thread, which may be shared with one, and which may be moved
//! after its first poll. A promise as a table: an auto trait is won or lost by a private field.

use std::marker::PhantomData;

use timers::*;

struct Probe<T>(PhantomData<T>);

/// A method of the type itself is found first, where its bound holds …
impl<T: Send> Probe<T> {
    fn send(&self) -> &'static str {
        "Send "
    }
}

impl<T: Sync> Probe<T> {
    fn sync(&self) -> &'static str {
        "Sync "
    }
}

impl<T: Unpin> Probe<T> {
    fn unpin(&self) -> &'static str {
        "Unpin"
    }
}

/// … and one of a trait where it does not.
trait Otherwise {
    fn send(&self) -> &'static str {
        "-    "
    }

    fn sync(&self) -> &'static str {
        "-    "
    }

    fn unpin(&self) -> &'static str {
        "-    "
    }
}

impl<T> Otherwise for Probe<T> {}

/// The table. (A function could not ask: inside it no `T` is known to be `Send`.)
macro_rules! table {
    ($($type:ty),* $(,)?) => {
        [$({
            let probe = Probe::<$type>(PhantomData);
            let (send, sync, unpin) = (probe.send(), probe.sync(), probe.unpin());
            format!("{send} {sync} {unpin} {}", stringify!($type))
        }),*]
    };
}

type NotSync = std::cell::Cell<u8>;
type NotSend = std::rc::Rc<u8>;
type Pinned = std::marker::PhantomPinned;

#[test]
fn who_may_go_where() {
    let table = table![
        Wheel<u8>,
        Wheel<NotSend>,
        Wheel<NotSync>,
        Key,
        Due<u8>,
        Slot,
        Clock,
        Hold,
        SharedTimers,
        Builder<Shared>,
        Sleep,
        Timeout<u8>,
        Timeout<Pinned>,
        Interval,
        DelayQueue<u8>,
        LocalTimers,
        Builder<Local>,
        LocalSleep,
        Timeout<u8, Local>,
        Interval<Local>,
        DelayQueue<u8, Local>,
        Shared,
        Local,
        Elapsed,
        MissedTicks,
        TimerId,
    ];
    let promised = [
        "Send  Sync  Unpin Wheel<u8>",
        "-     -     Unpin Wheel<NotSend>",
        "Send  -     Unpin Wheel<NotSync>",
        "Send  Sync  Unpin Key",
        "Send  Sync  Unpin Due<u8>",
        "Send  Sync  Unpin Slot",
        "Send  Sync  Unpin Clock",
        "Send  Sync  Unpin Hold",
        "Send  Sync  Unpin SharedTimers",
        "Send  Sync  Unpin Builder<Shared>",
        "Send  Sync  Unpin Sleep",
        "Send  Sync  Unpin Timeout<u8>",
        "Send  Sync  -     Timeout<Pinned>",
        "Send  Sync  Unpin Interval",
        "Send  Sync  Unpin DelayQueue<u8>",
        "-     -     Unpin LocalTimers",
        "Send  Sync  Unpin Builder<Local>",
        "-     -     Unpin LocalSleep",
        "-     -     Unpin Timeout<u8, Local>",
        "-     -     Unpin Interval<Local>",
        "-     -     Unpin DelayQueue<u8, Local>",
        "Send  Sync  Unpin Shared",
        "Send  Sync  Unpin Local",
        "Send  Sync  Unpin Elapsed",
        "Send  Sync  Unpin MissedTicks",
        "Send  Sync  Unpin TimerId",
    ];
    assert_eq!(table, promised, "{table:#?}");
}
