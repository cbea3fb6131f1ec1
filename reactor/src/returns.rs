//! Returns after a system call, at the price of returns elsewhere.
//!
//! What was measured, on Zen 4 in a virtual machine, under a Linux that guards it by `Safe RET`
//! (see `/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow`): a function that makes a
//! system call and returns costs 430 ns more than the same compiled into its caller. Most of it
//! does not show in the function but in the kernel, which is slower for a while. That was a fifth
//! of all time of an echo between two sockets. It is the first `ret`: a second and a third cost
//! nothing more, and a jump to the same place in place of the `ret` nothing at all. Calls that do
//! not return, made between the system call and the `ret`, take the cost away, if they are about
//! as many as the functions that return: two for one, eight for an echo's. The same pushes
//! without calls do not help.
//!
//! What is probable, without hardware counters to prove it: a processor guesses where a `ret` goes
//! from a small stack of its own, which every `call` pushes to. The guarded kernel returns from
//! its functions in a way that leaves its calls on that stack, so the next `ret` of ours is
//! guessed to go into the kernel, and that guess is dear.
//!
//! So the calls that do not return are made here, after each system call of a busy loop. Where
//! there is nothing to mend that is a few nanoseconds lost. A profiler that stops the program
//! between them sees a wrong caller.
#![allow(unsafe_code)]
// Invariants of this file:
// 1. What the block pushes lies below the stack pointer, where the compiler keeps nothing, as the
//    block does not claim to leave the stack alone (`nostack`). It is popped before the block ends,
//    and nothing in it is ever returned to.
// 2. Registers and flags stay as they are: `call` and `lea` change none but the stack pointer.

/// How many functions may return before the next system call without a guess into the kernel. A
/// task of a few futures within each other, the executor and its loop are about eight.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const DEPTH: usize = 16;

/// Hands on what a system call returned, and makes the processor forget where the kernel's
/// functions return to. For calls that are compiled in: behind the first `ret` it is too late.
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
