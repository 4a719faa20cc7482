//! [`Machine`]: what the machine has that trainings use.

use requel_nn::kernel::{Kernel, KernelError, select};

use crate::memory::Memory;

/// The resources of the machine that training uses, as one value: a program creates it and passes it down with
/// [`Registry::with_machine`](crate::Registry::with_machine). The code below reads no environment variables and uses no other resources. No
/// result depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The instruction set that networks use.
    pub kernel: Kernel,
    /// Number of threads that run at once, at least 1.
    pub threads: usize,
    /// The memory that may be used.
    pub memory: Memory,
}

impl Machine {
    /// This machine: the kernel named by the environment variable `REQUEL_KERNEL`, or the fastest one; a thread for each core that this
    /// process may use; and the memory that is available at the time of each allocation.
    ///
    /// # Errors
    /// If the variable names a kernel that does not exist or that this machine cannot run.
    pub fn detect() -> Result<Self, KernelError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Machine { kernel: select()?, threads, ..Machine::default() })
    }
}

impl Default for Machine {
    /// The fastest kernel of this processor, one thread, and the available memory.
    fn default() -> Self {
        Machine { kernel: Kernel::fastest(), threads: 1, memory: Memory::Available }
    }
}
