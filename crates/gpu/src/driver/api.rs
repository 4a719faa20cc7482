//! The functions of the CUDA driver, found in its library at run time.

use std::ffi::{OsStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::mem::ManuallyDrop;

use libloading::Library;

use crate::DeviceError;

/// An address in the device's memory.
pub(super) type DevicePointer = u64;
/// Contexts, streams, modules, functions, graphs: the driver's own.
pub(super) type Handle = *mut c_void;

macro_rules! calls {
    ($($name:ident = $symbol:literal ($($argument:ty),*);)*) => {
        /// The driver's calls.
        pub(super) struct Api {
            $(pub $name: unsafe extern "C" fn($($argument),*) -> c_int,)*
            /// Never unloaded: the driver has its own threads.
            _library: ManuallyDrop<Library>,
        }

        impl Api {
            /// Loads the library with this name or path.
            pub fn load(library: impl AsRef<OsStr>) -> Result<Api, DeviceError> {
                // SAFETY: the driver's initialisation on loading asks nothing of the program.
                let library = unsafe { Library::new(library.as_ref()) }
                    .map_err(|error| DeviceError::NoDriver { reason: reason(&error) })?;
                Ok(Api {
                    // SAFETY: the types are those of cuda.h for these versions of the calls; the library stays loaded.
                    $($name: *unsafe { library.get($symbol.as_bytes()) }
                        .map_err(|_| DeviceError::DriverTooOld { name: $symbol })?,)*
                    _library: ManuallyDrop::new(library),
                })
            }
        }
    };
}

calls! {
    init = "cuInit" (c_uint);
    driver_version = "cuDriverGetVersion" (*mut c_int);
    device_count = "cuDeviceGetCount" (*mut c_int);
    device = "cuDeviceGet" (*mut c_int, c_int);
    device_name = "cuDeviceGetName" (*mut c_char, c_int, c_int);
    device_attribute = "cuDeviceGetAttribute" (*mut c_int, c_int, c_int);
    retain_context = "cuDevicePrimaryCtxRetain" (*mut Handle, c_int);
    release_context = "cuDevicePrimaryCtxRelease_v2" (c_int);
    set_context = "cuCtxSetCurrent" (Handle);
    memory_info = "cuMemGetInfo_v2" (*mut usize, *mut usize);
    allocate = "cuMemAlloc_v2" (*mut DevicePointer, usize);
    free = "cuMemFree_v2" (DevicePointer);
    allocate_host = "cuMemHostAlloc" (*mut *mut c_void, usize, c_uint);
    free_host = "cuMemFreeHost" (*mut c_void);
    upload = "cuMemcpyHtoDAsync_v2" (DevicePointer, *const c_void, usize, Handle);
    download = "cuMemcpyDtoHAsync_v2" (*mut c_void, DevicePointer, usize, Handle);
    copy = "cuMemcpyDtoDAsync_v2" (DevicePointer, DevicePointer, usize, Handle);
    fill = "cuMemsetD8Async" (DevicePointer, u8, usize, Handle);
    load_module = "cuModuleLoadData" (*mut Handle, *const c_void);
    unload_module = "cuModuleUnload" (Handle);
    function = "cuModuleGetFunction" (*mut Handle, Handle, *const c_char);
    launch = "cuLaunchKernel" (
        Handle, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Handle, *mut *mut c_void, *mut *mut c_void
    );
    create_stream = "cuStreamCreate" (*mut Handle, c_uint);
    destroy_stream = "cuStreamDestroy_v2" (Handle);
    wait = "cuStreamSynchronize" (Handle);
    begin_capture = "cuStreamBeginCapture_v2" (Handle, c_int);
    end_capture = "cuStreamEndCapture" (Handle, *mut Handle);
    instantiate = "cuGraphInstantiateWithFlags" (*mut Handle, Handle, c_ulonglong);
    destroy_graph = "cuGraphDestroy" (Handle);
    destroy_executable = "cuGraphExecDestroy" (Handle);
    launch_graph = "cuGraphLaunch" (Handle, Handle);
    error_name = "cuGetErrorName" (c_int, *mut *const c_char);
}

/// The error of the system's loader.
fn reason(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), reason)
}
