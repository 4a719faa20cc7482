//! [`Memory`] on the device, and [`Staging`]: host memory that the device reads and writes directly.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use bytemuck::Pod;

use super::api::{Api, DevicePointer};
use super::card::{Card, Inner, NO_FLAGS};
use super::span::{Layout, OnDevice, OnHost, Staged};
use crate::DeviceError;

/// A block of the device's memory.
pub(crate) struct Memory {
    card: Arc<Inner>,
    pub(super) address: DevicePointer,
    pub(super) bytes: usize,
}

impl Memory {
    /// Memory for a layout, with arbitrary contents.
    pub fn new(card: &Card, layout: &Layout<OnDevice>) -> Result<Memory, DeviceError> {
        let (free, _) = card.memory()?;
        let (needed, inner) = (layout.bytes(), &card.inner);
        if needed > free {
            return Err(DeviceError::OutOfMemory { needed, free });
        }
        let mut address = 0;
        // SAFETY: the pointer is to a number of the call's type; the context is that of this thread since `memory` was asked.
        let code = unsafe { (inner.api.allocate)(&raw mut address, needed.max(1)) };
        if Api::is_out_of_memory(code) {
            return Err(DeviceError::OutOfMemory { needed, free });
        }
        inner.api.check("cuMemAlloc", code)?;
        Ok(Memory { card: Arc::clone(inner), address, bytes: needed })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.card.enter().is_ok() {
            // SAFETY: the block is of this context, and every program that names it has waited for its end.
            unsafe { (self.card.api.free)(self.address) };
        }
    }
}

/// A block of host memory, pinned so that the device reads and writes it directly.
pub(crate) struct Staging {
    card: Arc<Inner>,
    start: *mut u8,
    bytes: usize,
}

// SAFETY: the block belongs to this value alone, and may be read and written by any thread that has it.
unsafe impl Send for Staging {}

impl Staging {
    /// Memory for a layout, all zeros.
    pub fn new(card: &Card, layout: &Layout<OnHost>) -> Result<Staging, DeviceError> {
        let (inner, bytes) = (&card.inner, layout.bytes().max(1));
        inner.enter()?;
        let mut start: *mut c_void = null_mut();
        // SAFETY: the pointer is to a pointer.
        let code = unsafe { (inner.api.allocate_host)(&raw mut start, bytes, NO_FLAGS) };
        if Api::is_out_of_memory(code) || code == 0 && start.is_null() {
            return Err(DeviceError::OutOfMemory { needed: bytes, free: 0 });
        }
        inner.api.check("cuMemHostAlloc", code)?;
        let start = start.cast::<u8>();
        // SAFETY: the block has this many bytes.
        unsafe { start.write_bytes(0, bytes) };
        Ok(Staging { card: Arc::clone(inner), start, bytes })
    }

    /// Numbers in it.
    pub fn get<T: Pod>(&self, span: Staged<T>) -> &[T] {
        bytemuck::cast_slice(&self.all()[span.bytes()])
    }

    /// The same, for writing.
    pub fn get_mut<T: Pod>(&mut self, span: Staged<T>) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.all_mut()[span.bytes()])
    }

    /// Several of its spans, which do not overlap, for writing.
    pub fn get_disjoint<T: Pod, const N: usize>(&mut self, spans: [Staged<T>; N]) -> [&mut [T]; N] {
        let ranges = spans.map(Staged::bytes);
        let parts = self.all_mut().get_disjoint_mut(ranges).expect("spans that do not overlap");
        parts.map(bytemuck::cast_slice_mut)
    }

    fn all(&self) -> &[u8] {
        // SAFETY: the block has this many bytes, was initialised, and belongs to this value only: no program runs while it is borrowed,
        // because running one borrows it mutably until the program has ended.
        unsafe { std::slice::from_raw_parts(self.start, self.bytes) }
    }

    fn all_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `all`.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.bytes) }
    }

    pub(super) fn at(&mut self, offset: usize) -> *mut c_void {
        assert!(offset <= self.bytes, "{offset} of {} bytes", self.bytes);
        // SAFETY: within the block, or at its end.
        unsafe { self.start.add(offset) }.cast()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.card.enter().is_ok() {
            // SAFETY: the block is of this context, and no program runs that names it.
            unsafe { (self.card.api.free_host)(self.start.cast()) };
        }
    }
}
