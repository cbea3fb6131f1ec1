//! Which public type may go to another thread, and which may be shared with one: all of them in a
//! table. An auto trait is lost or won by a field that somebody adds elsewhere, without a word.

use std::marker::PhantomData;

use executor::*;

struct Probe<T>(PhantomData<T>);

/// Found first, where the bound holds …
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

/// … and these where it does not.
trait Otherwise {
    fn send(&self) -> &'static str {
        "-    "
    }

    fn sync(&self) -> &'static str {
        "-    "
    }

    fn unpin(&self) -> &'static str {
        "-"
    }
}

impl<T> Otherwise for Probe<T> {}

/// A line of the table. (A function could not: in it no type is known to be `Send`.)
macro_rules! lines {
    ($($type:ty),* $(,)?) => {{
        let mut table = String::from("\n");
        $({
            let probe = Probe::<$type>(PhantomData);
            let (send, sync, unpin) = (probe.send(), probe.sync(), probe.unpin());
            table += &format!("{send} {sync} {unpin} {}\n", stringify!($type));
        })*
        table
    }};
}

type NotSync = std::cell::Cell<u8>;
type NotSend = std::rc::Rc<u8>;
type Pinned = std::marker::PhantomPinned;

#[test]
fn who_may_go_where() {
    let table = lines![
        // one thread
        LocalExecutor<'static>,
        LocalBuilder,
        LocalSpawner<'static>,
        LocalJoinHandle<u8>,
        LocalAbortHandle,
        LocalTaskSet<'static, u8>,
        LocalMetrics,
        Entered<'static>,
        Root<'static, u8>,
        Root<'static, Pinned>,
        // several
        Executor,
        ExecutorBuilder,
        Spawner,
        JoinHandle<NotSync>,
        JoinHandle<NotSend>,
        AbortHandle,
        TaskSet<NotSync>,
        ExecutorMetrics,
        WorkerMetrics,
        ShutdownReport,
        PanicPolicy,
        ThreadPark,
        // blocking
        BlockingPool,
        BlockingBuilder,
        Blocking<fn() -> u8, u8>,
        BlockingReport,
        JobId,
        JobEnd,
        // everywhere
        JoinError,
        TaskId,
        TaskInfo<'static>,
        TaskEnd,
        YieldNow,
        Checkpoint,
    ];
    assert_eq!(table, TABLE, "{table}");
}

/// Read as a promise: a line that changes is an API that changes. A join handle may go where its
/// output may not, as only outputs that are `Send` ever get one.
const TABLE: &str = "
-     -     Unpin LocalExecutor<'static>
-     -     Unpin LocalBuilder
-     -     Unpin LocalSpawner<'static>
-     -     Unpin LocalJoinHandle<u8>
-     -     Unpin LocalAbortHandle
-     -     Unpin LocalTaskSet<'static, u8>
Send  Sync  Unpin LocalMetrics
-     -     Unpin Entered<'static>
-     -     Unpin Root<'static, u8>
-     -     - Root<'static, Pinned>
Send  Sync  Unpin Executor
Send  Sync  Unpin ExecutorBuilder
Send  Sync  Unpin Spawner
Send  Sync  Unpin JoinHandle<NotSync>
Send  Sync  Unpin JoinHandle<NotSend>
Send  Sync  Unpin AbortHandle
Send  Sync  Unpin TaskSet<NotSync>
Send  Sync  Unpin ExecutorMetrics
Send  Sync  Unpin WorkerMetrics
Send  Sync  Unpin ShutdownReport
Send  Sync  Unpin PanicPolicy
Send  Sync  Unpin ThreadPark
Send  Sync  Unpin BlockingPool
Send  Sync  Unpin BlockingBuilder
Send  Sync  Unpin Blocking<fn() -> u8, u8>
Send  Sync  Unpin BlockingReport
Send  Sync  Unpin JobId
Send  Sync  Unpin JobEnd
Send  Sync  Unpin JoinError
Send  Sync  Unpin TaskId
Send  Sync  Unpin TaskInfo<'static>
Send  Sync  Unpin TaskEnd
Send  Sync  Unpin YieldNow
Send  Sync  Unpin Checkpoint
";
