//! [`Machine`]: what the machine has that trainings use.

use requel_nn::kernel::{Kernel, KernelError, select};

use crate::memory::Memory;

/// What trainings use of the machine that they run on, as one value: a program makes it and passes it down, by
/// [`Registry::with_machine`](crate::Registry::with_machine). Nothing below reads a variable of the environment or looks for more than
/// is in here. No result depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The instructions that networks compute with.
    pub kernel: Kernel,
    /// Threads that run at once, at least 1.
    pub threads: usize,
    /// The memory that may be taken.
    pub memory: Memory,
}

impl Machine {
    /// This machine: the kernel that the environment variable `REQUEL_KERNEL` names, or the fastest that there is; a thread for each
    /// core that this process may use; and the memory that is available whenever some is about to be taken.
    ///
    /// # Errors
    /// If the variable names a kernel that does not exist or that this machine cannot run.
    pub fn detect() -> Result<Self, KernelError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Machine { kernel: select()?, threads, ..Machine::default() })
    }
}

impl Default for Machine {
    /// The fastest kernel of this processor, one thread, and the memory that is available.
    fn default() -> Self {
        Machine { kernel: Kernel::fastest(), threads: 1, memory: Memory::Available }
    }
}
