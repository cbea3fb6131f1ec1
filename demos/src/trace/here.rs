//! This thread's sheet: where it is, and until when.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::thread::AccessError;

use super::recorder::Shared;
use super::sheet::Sheet;

thread_local! {
    // Without a destructor, so that to reach it is one instruction; `END` has it dropped.
    static SHEET: RefCell<ManuallyDrop<Option<Sheet>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };

    static END: End = const { End };
}

/// Its drop is the end of the thread, or comes shortly before.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        // What runs yet after this has no sheet, and tells nothing.
        drop(ManuallyDrop::into_inner(SHEET.take()));
    }
}

/// From now on a sheet of this thread is dropped at its end.
///
/// # Errors
/// It is at its end.
pub(super) fn until_its_end() -> Result<(), AccessError> {
    END.try_with(|_| ())
}

/// Calls `write` with this thread's sheet for the recorder; makes one if need be.
#[inline]
pub(super) fn with<T: Default>(shared: &Arc<Shared>, write: impl FnOnce(&mut Sheet) -> T) -> T {
    let written = SHEET.try_with(|sheet| {
        let Ok(mut sheet) = sheet.try_borrow_mut() else {
            return T::default(); // a notice within a notice
        };
        // One call of `write`, so that it is compiled into its place.
        let sheet = match &mut **sheet {
            Some(sheet) if Arc::ptr_eq(&sheet.shared, shared) => Some(sheet),
            other => Sheet::replace(other, shared),
        };
        sheet.map(write).unwrap_or_default()
    });
    written.unwrap_or_default()
}

/// Calls `write` with this thread's sheet for the recorder if there is one and nothing is unseen,
/// for a notice in the middle of work: whether that wrote all there was to write. If not, `with`
/// does. `write` calls nothing that is not compiled into its place: so the whole has no registers
/// to save.
#[inline(always)]
pub(super) fn quickly(shared: &Arc<Shared>, write: impl FnOnce(&mut Sheet) -> bool) -> bool {
    let written = SHEET.try_with(|sheet| match sheet.try_borrow_mut().as_deref_mut() {
        Ok(sheet) => match &mut **sheet {
            Some(sheet) if Arc::ptr_eq(&sheet.shared, shared) => {
                !shared.unseen.is_used() && write(sheet)
            }
            _ => false,
        },
        Err(_) => false,
    });
    written.unwrap_or(false) // `with` would not be compiled into its place
}

/// Calls `write` with this thread's sheet, if it has one.
#[inline]
pub(super) fn with_current<T: Default>(write: impl FnOnce(&mut Sheet) -> T) -> T {
    let written = SHEET.try_with(|sheet| match sheet.try_borrow_mut() {
        Ok(mut sheet) => sheet.as_mut().map(write).unwrap_or_default(),
        _ => T::default(),
    });
    written.unwrap_or_default()
}
