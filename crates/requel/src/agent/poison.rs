//! Numbers that tests inject in place of computed ones.

use std::cell::Cell;

thread_local! {
    /// Where, at which update of the agent (counted from 0), and what.
    static POISON: Cell<Option<(&'static str, u64, f32)>> = const { Cell::new(None) };
}

/// Injects `value` at `site` of the update with this number, once, in this thread.
pub(crate) fn put(site: &'static str, update: u64, value: f32) {
    POISON.set(Some((site, update, value)));
}

/// The number to inject at `site` of an update.
pub(crate) fn take(site: &str, update: u64) -> Option<f32> {
    let (_, _, value) = POISON.get().filter(|(at, number, _)| *at == site && *number == update)?;
    POISON.set(None);
    Some(value)
}
