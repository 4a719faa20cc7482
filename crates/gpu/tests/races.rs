//! Threads of a block wait for each other wherever one reads what another wrote.

#![cfg(target_os = "linux")]

use requel_gpu::twin::{Waiting, races};

#[test]
fn threads_wait_for_each_other() {
    let found = races(env!("CARGO_TARGET_TMPDIR"), Waiting::AsWritten).expect("a C++ compiler with ThreadSanitizer");
    assert_eq!(found.as_deref(), Ok("no race in 15 kernels"));
}

#[test]
fn threads_that_wait_for_nobody_are_found() {
    let found = races(env!("CARGO_TARGET_TMPDIR"), Waiting::Nowhere).expect("a C++ compiler with ThreadSanitizer");
    assert!(found.expect_err("races").contains("data race"));
}
