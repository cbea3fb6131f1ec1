//! Returns after a system call, at the price of returns elsewhere.
//!
//! What was measured, on Zen 4 in a virtual machine, under a Linux that guards it by `Safe RET`: a
//! function that makes a system call and returns costs 430 ns more than the same compiled into its
//! caller. Most of it does not show in the function but in the kernel, which is slower for a while.
//! That was a fifth of all time of an echo between two sockets. It is the first `ret`: a second and
//! a third cost nothing more, and a jump to the same place in place of the `ret` nothing at all.
//! Calls that do not return, made between the system call and the `ret`, take the cost away, if
//! they are about as many as the functions that return: two for one, eight for an echo's. The same
//! pushes without calls do not help.
//!
//! What is probable, without hardware counters to prove it: a processor guesses where a `ret` goes
//! from a small stack of its own, which every `call` pushes to. The guarded kernel returns from
//! its functions in a way that leaves its calls on that stack, so the next `ret` of ours is
//! guessed to go into the kernel, and that guess is dear.
//!
//! So the calls that do not return are made here, after each system call of a busy loop, and only
//! where the kernel says that it uses `Safe RET`. Anywhere else they would make things worse, as
//! they spoil guesses that were right: 31 ns for the calls and 4 to 8 ns for each function that
//! returns after them. They are left out as well
//!
//! * where there is a shadow stack (the processor's own copy of all return addresses, in programs
//!   that ask for it): a call that does not return would end the program at the next `ret`;
//! * in a build with `RUSTFLAGS="--cfg plain_returns"`, to compare, or for a profiler: one that
//!   stops the program between them sees a wrong caller.
#![allow(unsafe_code)]
// Invariants of this file:
// 1. What the block pushes lies below the stack pointer, where the compiler keeps nothing, as the
//    block does not claim to leave the stack alone (no `nostack`). It is popped before the block
//    ends, and nothing in it is ever returned to. A signal handler that runs in between uses the
//    stack below what was pushed.
// 2. With a shadow stack the block pushes nothing. `rdsspq` tells: it reads where the shadow stack
//    of this thread is, never at 0, and where there is none (or the processor is too old to know
//    the instruction) it does nothing, and the 0 that was there before stays.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many functions may return before the next system call without a guess into the kernel. A
/// task of a few futures within each other, the executor and its loop are about eight.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const DEPTH: usize = 16;

/// Whether returns after a system call are dear on this machine. Relaxed everywhere: it guards
/// nothing, and until it is seen calls are slower, not wrong.
static DEAR: AtomicBool = AtomicBool::new(false);

/// Where Linux tells how it guards an AMD processor's returns.
const GUARD: &str = "/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow";

/// Asks the kernel, once for the whole process. Who is not told (an older kernel, a sandbox without
/// that file) goes without [`mend`].
pub(crate) fn ask_the_kernel() {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| {
        let guard = std::fs::read_to_string(GUARD);
        let dear = guard.is_ok_and(|guard| is_safe_ret(&guard));
        DEAR.store(dear && !cfg!(plain_returns), Ordering::Relaxed);
    });
}

/// `Mitigation: Safe RET` and `Vulnerable: Safe RET, no microcode` do, `Vulnerable: Microcode, no
/// safe RET` does not.
fn is_safe_ret(guard: &str) -> bool {
    guard.contains(": Safe RET")
}

/// Hands on what a system call returned, and makes the processor forget where the kernel's
/// functions return to. For calls that are compiled in: behind the first `ret` it is too late.
#[inline(always)]
pub(crate) fn mend<R>(result: R) -> R {
    if DEAR.load(Ordering::Relaxed) {
        calls_that_do_not_return();
    }
    result
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[inline(always)]
fn calls_that_do_not_return() {
    // SAFETY: (1) (2).
    unsafe {
        std::arch::asm!(
            "rdsspq {shadow}",
            "test {shadow}, {shadow}",
            "jnz 3f",
            ".rept {depth}",
            "call 2f",
            "int3", // what a wrong guess runs into: nothing
            "2:",
            ".endr",
            "lea rsp, [rsp + 8 * {depth}]",
            "3:",
            shadow = inout(reg) 0_u64 => _,
            depth = const DEPTH,
        );
    }
}

/// Only Linux has that guard, on AMD's processors.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn calls_that_do_not_return() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_the_kernel_says_so() {
        assert!(is_safe_ret("Mitigation: Safe RET\n"));
        assert!(is_safe_ret("Vulnerable: Safe RET, no microcode\n"));
        for other in [
            "Not affected\n",
            "Mitigation: IBPB\n",
            "Mitigation: SMT disabled\n",
            "Vulnerable: Microcode, no safe RET\n",
            "Vulnerable: No microcode\n",
            "",
        ] {
            assert!(!is_safe_ret(other), "{other}");
        }
    }

    /// Deeper than the processor's own stack, so that each guess is spoiled at some time.
    #[test]
    fn every_return_finds_its_way() {
        #[inline(never)]
        fn down(depth: u64) -> u64 {
            calls_that_do_not_return();
            let sum = match depth {
                0 => 0,
                _ => std::hint::black_box(depth) + down(std::hint::black_box(depth - 1)),
            };
            calls_that_do_not_return();
            std::hint::black_box(sum)
        }
        assert_eq!(down(100), 5050);
    }
}
