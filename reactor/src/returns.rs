//! Returns after a system call, at the price of returns elsewhere.
//!
//! A processor guesses where a `ret` goes from a small stack of its own, which every `call` pushes
//! to. When a system call is over, the kernel's calls are on it and ours are gone. Where Linux
//! returns from its functions in the way that guards AMD's processors against speculation (`Safe
//! RET`, see `/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow`), its entries stay
//! there, and the next `ret` of ours is guessed to go into the kernel.
//!
//! Measured on Zen 4 in a virtual machine: a function that makes a system call and returns costs
//! 430 ns more than the same compiled into its caller, and most of it does not show in the function
//! but in the kernel, which is slower for a while. That was a fifth of all time of an echo between
//! two sockets. It is the `ret`: with a jump to the same place instead, there is no difference. And
//! it is what the guess is made from: calls that do not return, done before it, take it away; too
//! few of them for all the functions that are about to return do not.
//!
//! So that is what is done here after each system call of a busy loop. Where there is
//! nothing to mend it is a few nanoseconds lost.
#![allow(unsafe_code)]
// Invariants of this file:
// 1. What the block pushes lies below the stack pointer, where the compiler keeps nothing, as the
//    block does not claim to leave the stack alone (`nostack`). It is popped before the block ends,
//    and nothing in it is ever returned to.
// 2. Registers and flags stay as they are: `call` and `lea` change none but the stack pointer.

/// How many functions may return before the next system call without a guess into the kernel. A task
/// of a few futures within each other, the executor and its loop are about eight.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const DEPTH: usize = 16;

/// Hands on what a system call returned, and makes the processor forget where the kernel's functions
/// return to. For calls that are compiled in: behind the first `ret` it is too late.
///
/// A program with a shadow stack would end here, as that counts calls and returns; Rust's standard
/// library is not built for one, so no program that it is part of has one.
#[inline(always)]
pub(crate) fn mend<R>(result: R) -> R {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    // SAFETY: (1) (2).
    unsafe {
        std::arch::asm!(
            ".rept {depth}",
            "call 2f",
            "int3", // what a wrong guess runs into: nothing
            "2:",
            ".endr",
            "lea rsp, [rsp + 8 * {depth}]",
            depth = const DEPTH,
            options(preserves_flags),
        );
    }
    result
}
