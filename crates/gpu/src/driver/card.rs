//! [`Driver`] and [`Card`]: the driver's library, and a device with the kernels loaded.

use std::ffi::{CStr, CString, OsStr, c_int, c_uint};
use std::fmt;
use std::ptr::null_mut;
use std::sync::Arc;

use super::api::{Api, Handle};
use super::kernel::Kernel;
use crate::DeviceError;

/// The kernels in the form that the driver loads, compiled from `kernels/requel.cu` by `cargo xtask ptx`.
pub(super) const PTX: &str = include_str!("../../kernels/requel.ptx");

/// The driver's library.
#[cfg(windows)]
const LIBRARY: &str = "nvcuda.dll";
#[cfg(not(windows))]
const LIBRARY: &str = "libcuda.so.1";

/// Error numbers, as in cuda.h.
const OUT_OF_MEMORY: c_int = 2;
const NO_DEVICE: c_int = 100;
/// Attribute numbers, as in cuda.h.
const MULTIPROCESSORS: c_int = 16;
const MAJOR: c_int = 75;
const MINOR: c_int = 76;

/// The CUDA driver of this machine.
#[derive(Clone)]
pub struct Driver {
    api: Arc<Api>,
    devices: usize,
}

/// A device that networks are computed on, with the kernels loaded. A clone is the same device.
#[derive(Clone)]
pub struct Card {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub api: Arc<Api>,
    context: Handle,
    device: c_int,
    module: Handle,
    functions: Vec<Handle>,
    ordinal: usize,
    name: String,
    capability: (i32, i32),
    multiprocessors: i32,
}

// SAFETY: the driver's calls may be made from any thread, and its handles are the same in all of them; each call here makes the
// context that of the calling thread first.
unsafe impl Send for Inner {}
// SAFETY: as above; nothing in here changes after it is made.
unsafe impl Sync for Inner {}

impl Driver {
    /// The system's driver.
    ///
    /// # Errors
    /// [`DeviceError::NoDriver`] if there is none; [`DeviceError::NoDevice`] if it finds no device.
    pub fn system() -> Result<Driver, DeviceError> {
        Driver::at(LIBRARY)
    }

    /// The library at a path, or with a name that the system's loader finds.
    ///
    /// # Errors
    /// As [`Driver::system`].
    pub fn at(library: impl AsRef<OsStr>) -> Result<Driver, DeviceError> {
        let api = Api::load(library)?;
        // SAFETY: the flags are 0, as they must be.
        match unsafe { (api.init)(0) } {
            0 => {}
            NO_DEVICE => return Err(DeviceError::NoDevice),
            code => return Err(api.fault("cuInit", code)),
        }
        let mut devices = 0;
        // SAFETY: the pointer is to a number of the call's type.
        api.check("cuDeviceGetCount", unsafe { (api.device_count)(&raw mut devices) })?;
        let devices = usize::try_from(devices).unwrap_or(0);
        if devices == 0 {
            return Err(DeviceError::NoDevice);
        }
        Ok(Driver { api: Arc::new(api), devices })
    }

    /// The number of devices, at least 1.
    pub fn devices(&self) -> usize {
        self.devices
    }

    /// The CUDA version of the driver, such as (12, 4).
    pub fn version(&self) -> (i32, i32) {
        let mut version = 0;
        // SAFETY: the pointer is to a number of the call's type.
        unsafe { (self.api.driver_version)(&raw mut version) };
        (version / 1000, version % 1000 / 10)
    }

    /// The device with this number, counted from 0.
    ///
    /// # Errors
    /// [`DeviceError::NoSuchDevice`], or another error of the driver.
    pub fn card(&self, ordinal: usize) -> Result<Card, DeviceError> {
        let api = &self.api;
        if ordinal >= self.devices {
            return Err(DeviceError::NoSuchDevice { ordinal, count: self.devices });
        }
        let (mut device, mut context, mut module) = (0, null_mut(), null_mut());
        // SAFETY: the pointers are to values of the calls' types; the context is released when `inner` is dropped.
        unsafe {
            api.check("cuDeviceGet", (api.device)(&raw mut device, ordinal as c_int))?;
            api.check("cuDevicePrimaryCtxRetain", (api.retain_context)(&raw mut context, device))?;
        }
        let mut inner = Inner {
            api: Arc::clone(api),
            context,
            device,
            module,
            functions: Vec::new(),
            ordinal,
            name: device_name(api, device),
            capability: (attribute(api, device, MAJOR), attribute(api, device, MINOR)),
            multiprocessors: attribute(api, device, MULTIPROCESSORS),
        };
        inner.enter()?;
        let text = CString::new(PTX).expect("PTX is text");
        // SAFETY: the text ends in a zero, and the context is that of this thread.
        api.check("cuModuleLoadData", unsafe { (api.load_module)(&raw mut module, text.as_ptr().cast()) })?;
        inner.module = module;
        for kernel in Kernel::ALL {
            let (name, mut function) = (CString::new(kernel.name()).expect("a name"), null_mut());
            // SAFETY: the name ends in a zero, and the module is loaded.
            api.check("cuModuleGetFunction", unsafe {
                (api.function)(&raw mut function, inner.module, name.as_ptr())
            })?;
            inner.functions.push(function);
        }
        Ok(Card { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("devices", &self.devices).finish_non_exhaustive()
    }
}

impl Card {
    /// Its number, counted from 0.
    pub fn ordinal(&self) -> usize {
        self.inner.ordinal
    }

    /// Its name according to the driver.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Its compute capability, such as (9, 0).
    pub fn capability(&self) -> (i32, i32) {
        self.inner.capability
    }

    /// The number of its multiprocessors.
    pub fn multiprocessors(&self) -> i32 {
        self.inner.multiprocessors
    }

    /// Free bytes of its memory, and total bytes.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn memory(&self) -> Result<(usize, usize), DeviceError> {
        let inner = &self.inner;
        inner.enter()?;
        let (mut free, mut total) = (0, 0);
        // SAFETY: the pointers are to numbers of the call's type.
        inner.api.check("cuMemGetInfo", unsafe { (inner.api.memory_info)(&raw mut free, &raw mut total) })?;
        Ok((free, total))
    }
}

#[cfg(feature = "twin")]
impl Card {
    /// Loses the device on purpose, for tests of the consequences: a kernel that traps ends its context, and with it everything that this
    /// process has on the device. No other process notices.
    ///
    /// # Errors
    /// [`DeviceError::Lost`] if it worked, which is the purpose.
    pub fn lose(&self) -> Result<(), DeviceError> {
        let inner = &self.inner;
        inner.enter()?;
        let (mut module, mut function) = (null_mut(), null_mut());
        let (text, name) = (CString::new(TRAP).expect("PTX is text"), CString::new("requel_trap").expect("a name"));
        // SAFETY: both texts end in a zero, the context is that of this thread, and the kernel takes nothing. The default queue is null.
        unsafe {
            inner.api.check("cuModuleLoadData", (inner.api.load_module)(&raw mut module, text.as_ptr().cast()))?;
            inner.api.check("cuModuleGetFunction", (inner.api.function)(&raw mut function, module, name.as_ptr()))?;
            let queue = null_mut();
            let launched = (inner.api.launch)(function, 1, 1, 1, 1, 1, 1, 0, queue, null_mut(), null_mut());
            inner.api.check("cuLaunchKernel", launched)?;
            inner.api.check("cuStreamSynchronize", (inner.api.wait)(queue))
        }
    }
}

/// A kernel that ends its context.
#[cfg(feature = "twin")]
const TRAP: &str =
    ".version 8.0\n.target sm_75\n.address_size 64\n.visible .entry requel_trap()\n{\n    trap;\n    ret;\n}\n";

impl fmt::Display for Card {
    /// Such as `cuda:0 (NVIDIA H100)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cuda:{} ({})", self.ordinal(), self.name())
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card({self})")
    }
}

impl Inner {
    /// Makes the device's context current in this thread, which every call needs.
    pub fn enter(&self) -> Result<(), DeviceError> {
        // SAFETY: the context is retained until this is dropped.
        self.api.check("cuCtxSetCurrent", unsafe { (self.api.set_context)(self.context) })
    }

    pub fn function(&self, kernel: Kernel) -> Handle {
        self.functions[kernel as usize]
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.enter().is_ok() && !self.module.is_null() {
            // SAFETY: nobody has the module's functions any more.
            unsafe { (self.api.unload_module)(self.module) };
        }
        // SAFETY: what was allocated in the context keeps `self` alive, so nothing of it is left.
        unsafe { (self.api.release_context)(self.device) };
    }
}

impl Api {
    /// Turns the result code of a call into a `Result`.
    pub fn check(&self, call: &'static str, code: c_int) -> Result<(), DeviceError> {
        if code == 0 { Ok(()) } else { Err(self.fault(call, code)) }
    }

    /// Whether an allocation was refused.
    pub fn is_out_of_memory(code: c_int) -> bool {
        code == OUT_OF_MEMORY
    }

    fn fault(&self, call: &'static str, code: c_int) -> DeviceError {
        let mut name = std::ptr::null();
        // SAFETY: the driver writes a pointer to a text of its own, which is never freed, or leaves it alone.
        let error = unsafe {
            let known = (self.error_name)(code, &raw mut name) == 0 && !name.is_null();
            if known { CStr::from_ptr(name).to_string_lossy().into_owned() } else { "an unknown error".to_owned() }
        };
        DeviceError::Lost { call, error, code }
    }
}

fn device_name(api: &Api, device: c_int) -> String {
    let mut name = [0; 128];
    // SAFETY: the length is that of the room; the driver ends the text in a zero.
    let known = unsafe { (api.device_name)(name.as_mut_ptr(), name.len() as c_int, device) } == 0;
    // SAFETY: as above.
    if known { unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned() } else { String::new() }
}

fn attribute(api: &Api, device: c_int, attribute: c_int) -> i32 {
    let mut value = 0;
    // SAFETY: the pointer is to a number of the call's type.
    unsafe { (api.device_attribute)(&raw mut value, attribute, device) };
    value
}

/// The kind of pinned memory: none in particular.
pub(super) const NO_FLAGS: c_uint = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_an_error_that_names_it() {
        let error = Driver::at("libno-such-driver.so.1").unwrap_err();
        assert!(matches!(&error, DeviceError::NoDriver { reason } if reason.contains("libno-such-driver")), "{error}");
    }

    #[test]
    fn a_library_that_is_no_driver_is_too_old() {
        // The C library, which every program has.
        let found = ["libc.so.6", "libSystem.dylib", "msvcrt.dll"].map(|name| Driver::at(name).unwrap_err());
        assert!(found.contains(&DeviceError::DriverTooOld { name: "cuInit" }), "{found:?}");
    }
}
