//! Each runtime behind the traits of [`runtime`](crate::runtime), one file each.

pub mod bare;
pub mod bare_closing;
pub mod calls;
#[cfg(feature = "compio")]
pub mod compio;
pub mod futures;
#[cfg(feature = "glommio")]
pub mod glommio;
pub mod intrusive;
pub mod joins;
pub mod memory;
#[cfg(feature = "monoio")]
pub mod monoio;
pub mod ours;
pub mod ours_threads;
pub mod schedules;
pub mod smol;
pub mod streams;
pub mod tokio;
