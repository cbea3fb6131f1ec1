//! The live list of a worker's home: every task that has ever been suspended there and is not yet
//! complete, so that a shutdown finds also those that nobody will ever wake.
//!
//! A task enters at its first suspension, not at its spawn: one that ends in its first poll never
//! pays for the lock. Until then it is in a queue, where a shutdown finds it just as well.

use super::home::Home;
use super::task::{Listed, Runnable};
use crate::sync::Mutex;

/// The tasks by place, and the places that are free.
#[derive(Default)]
struct Places {
    tasks: Vec<Option<Listed>>,
    free: Vec<u32>,
}

/// A locked table: eight bytes a task, and no pointers from task to task.
#[derive(Default)]
pub(super) struct LiveList(Mutex<Places>);

impl LiveList {
    /// Lists a task of which the caller holds the run right.
    fn insert(&self, task: Listed) -> u32 {
        let mut places = self.0.lock();
        if let Some(place) = places.free.pop() {
            places.tasks[place as usize] = Some(task);
            return place;
        }
        let place = u32::try_from(places.tasks.len()).expect("fewer than four thousand million");
        places.tasks.push(Some(task));
        place
    }

    fn remove(&self, place: u32) {
        let mut places = self.0.lock();
        places.tasks[place as usize] = None;
        places.free.push(place);
    }

    pub(super) fn len(&self) -> usize {
        let places = self.0.lock();
        places.tasks.len() - places.free.len()
    }

    /// Takes the run right of every task that is idle. The tasks stay on the list.
    pub(super) fn claim_idle(&self) -> Vec<Runnable> {
        let places = self.0.lock();
        places
            .tasks
            .iter()
            .flatten()
            .filter_map(Listed::claim_idle)
            .collect()
    }
}

/// Puts a task on the live list of `home` before its first suspension.
pub(super) fn settle(home: &Home, task: &Runnable) {
    let place = home.live.insert(task.listed());
    task.settle(home, place);
}

/// Takes a task off the list it is on, if it is on one, before it completes.
pub(super) fn unsettle(task: &Runnable) {
    if let Some(place) = task.place() {
        task.home().live.remove(place);
        task.unsettle();
    }
}
