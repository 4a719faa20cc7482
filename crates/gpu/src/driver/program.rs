//! [`Program`]: launches and copies in their order, and [`Runner`], which runs them and waits for their end.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use super::api::Handle;
use super::card::{Card, Inner};
use super::kernel::Kernel;
use super::memory::{Memory, Staging};
use super::span::{Numbers, Staged};
use crate::DeviceError;

/// Launches and copies, one after another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(super) commands: Vec<Command>,
}

#[derive(Clone, Debug)]
pub(super) enum Command {
    Launch(Launch),
    /// From an offset on the host to one on the device, this many bytes.
    Upload(usize, usize, usize),
    /// From an offset on the device to one on the host.
    Download(usize, usize, usize),
    /// From one offset on the device to another.
    Copy(usize, usize, usize),
    /// Fills with zeros.
    Clear(usize, usize),
}

/// A kernel with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub kernel: Kernel,
    pub blocks: [u32; 3],
    pub threads: u32,
    pub given: Vec<Argument>,
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// This many bytes from an offset in the device's memory.
    At(usize, usize),
    /// No numbers.
    Nothing,
    Count(u32),
    Number(f32),
    Shape([u32; 7]),
}

impl Program {
    pub fn upload<T>(&mut self, from: Staged<T>, to: Numbers<T>) {
        assert_eq!(from.len, to.len, "as much as there is room for");
        self.commands.push(Command::Upload(from.offset, to.offset, to.bytes().len()));
    }

    pub fn download<T>(&mut self, from: Numbers<T>, to: Staged<T>) {
        assert_eq!(from.len, to.len, "as much as there is room for");
        self.commands.push(Command::Download(from.offset, to.offset, to.bytes().len()));
    }

    pub fn copy<T>(&mut self, from: Numbers<T>, to: Numbers<T>) {
        assert_eq!(from.len, to.len, "as much as there is room for");
        self.commands.push(Command::Copy(from.offset, to.offset, to.bytes().len()));
    }

    pub fn clear<T>(&mut self, what: Numbers<T>) {
        self.commands.push(Command::Clear(what.offset, what.bytes().len()));
    }

    pub(super) fn launch(&mut self, kernel: Kernel, (blocks, threads): ([u32; 3], u32), given: Vec<Argument>) {
        if blocks.iter().all(|blocks| *blocks > 0) {
            self.commands.push(Command::Launch(Launch { kernel, blocks, threads, given }));
        }
    }
}

/// Memory of a device (which several runners may share) and of the host, and the queue in which programs run.
pub(crate) struct Runner {
    pub staging: Staging,
    memory: Arc<Memory>,
    stream: Handle,
    card: Arc<Inner>,
    graphs: Vec<Handle>,
}

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Launching {
    /// As one graph, which costs the host a single call.
    Graph,
    /// Launch by launch.
    OneByOne,
}

/// A program that was added to a runner.
#[derive(Debug)]
pub(crate) enum Taken {
    Graph(usize),
    OneByOne(Program),
}

// SAFETY: the handles are the driver's, which any thread may use; this value has them alone.
unsafe impl Send for Runner {}

impl Runner {
    pub fn new(card: &Card, memory: Arc<Memory>, staging: Staging) -> Result<Runner, DeviceError> {
        let (inner, mut stream) = (Arc::clone(&card.inner), null_mut());
        inner.enter()?;
        /// Does not wait for the work of others on the device.
        const NON_BLOCKING: u32 = 1;
        // SAFETY: the pointer is to a handle.
        inner.api.check("cuStreamCreate", unsafe { (inner.api.create_stream)(&raw mut stream, NON_BLOCKING) })?;
        Ok(Runner { staging, memory, stream, card: inner, graphs: Vec::new() })
    }

    /// Adds a program that will be run repeatedly.
    pub fn take(&mut self, program: Program, launching: Launching) -> Result<Taken, DeviceError> {
        if launching == Launching::OneByOne {
            return Ok(Taken::OneByOne(program));
        }
        self.card.enter()?;
        let (api, mut graph, mut executable) = (Arc::clone(&self.card.api), null_mut(), null_mut());
        /// Calls of other threads are not refused meanwhile.
        const THREAD_LOCAL: i32 = 1;
        // SAFETY: the stream is this runner's; nothing runs while it is captured. The graph names memory of this runner, which lives as
        // long as the graph does.
        unsafe {
            api.check("cuStreamBeginCapture", (api.begin_capture)(self.stream, THREAD_LOCAL))?;
            let queued = self.queue(&program);
            let ended = api.check("cuStreamEndCapture", (api.end_capture)(self.stream, &raw mut graph));
            queued.and(ended)?;
            let made = api.check("cuGraphInstantiate", (api.instantiate)(&raw mut executable, graph, 0));
            (api.destroy_graph)(graph);
            made?;
        }
        self.graphs.push(executable);
        Ok(Taken::Graph(self.graphs.len() - 1))
    }

    /// Runs an added program, and waits until it has finished.
    pub fn run(&mut self, taken: &Taken) -> Result<(), DeviceError> {
        match taken {
            Taken::OneByOne(program) => self.run_once(program),
            Taken::Graph(number) => {
                self.card.enter()?;
                let api = &self.card.api;
                // SAFETY: the graph is of this runner's memory, of which the staging is borrowed mutably until it has ended.
                let launched =
                    api.check("cuGraphLaunch", unsafe { (api.launch_graph)(self.graphs[*number], self.stream) });
                launched.and(self.wait())
            }
        }
    }

    /// Runs a program once, launch by launch, and waits until it has finished.
    pub fn run_once(&mut self, program: &Program) -> Result<(), DeviceError> {
        self.card.enter()?;
        let queued = self.queue(program);
        queued.and(self.wait())
    }

    fn wait(&self) -> Result<(), DeviceError> {
        // SAFETY: the stream is this runner's.
        self.card.api.check("cuStreamSynchronize", unsafe { (self.card.api.wait)(self.stream) })
    }

    fn queue(&mut self, program: &Program) -> Result<(), DeviceError> {
        program.commands.iter().try_for_each(|command| self.queue_one(command))
    }

    fn queue_one(&mut self, command: &Command) -> Result<(), DeviceError> {
        let card = Arc::clone(&self.card);
        let (api, stream) = (&card.api, self.stream);
        // SAFETY, of all of these: offsets are checked to lie within their blocks; the caller waits for the end, or captures the stream
        // into a graph whose runner does, before the staging is borrowed again.
        match command {
            Command::Upload(from, to, bytes) => {
                let (to, from) = (self.on_device(*to, *bytes), self.on_host(*from, *bytes));
                // SAFETY: see above.
                api.check("cuMemcpyHtoD", unsafe { (api.upload)(to, from, *bytes, stream) })
            }
            Command::Download(from, to, bytes) => {
                let (to, from) = (self.on_host(*to, *bytes), self.on_device(*from, *bytes));
                // SAFETY: see above.
                api.check("cuMemcpyDtoH", unsafe { (api.download)(to, from, *bytes, stream) })
            }
            Command::Copy(from, to, bytes) => {
                let (to, from) = (self.on_device(*to, *bytes), self.on_device(*from, *bytes));
                // SAFETY: see above.
                api.check("cuMemcpyDtoD", unsafe { (api.copy)(to, from, *bytes, stream) })
            }
            Command::Clear(at, bytes) => {
                let at = self.on_device(*at, *bytes);
                // SAFETY: see above.
                api.check("cuMemsetD8", unsafe { (api.fill)(at, 0, *bytes, stream) })
            }
            Command::Launch(launch) => self.queue_launch(launch),
        }
    }

    fn queue_launch(&mut self, launch: &Launch) -> Result<(), DeviceError> {
        let Launch { kernel, blocks: [x, y, z], threads, given } = launch;
        // A value, or the seven numbers of a shape, at an address that the driver copies from.
        let mut values: Vec<[u64; 4]> = given.iter().map(|argument| self.value(*argument)).collect();
        let mut pointers: Vec<*mut c_void> = values.iter_mut().map(|value| value.as_mut_ptr().cast()).collect();
        let api = &self.card.api;
        // SAFETY: the functions of `launch.rs` give every kernel arguments of its types, and check that what it reads and writes lies
        // within the spans that they are made of, which lie within this runner's memory; the driver copies the values before it returns.
        let code = unsafe {
            let function = self.card.function(*kernel);
            (api.launch)(function, *x, *y, *z, *threads, 1, 1, 0, self.stream, pointers.as_mut_ptr(), null_mut())
        };
        api.check("cuLaunchKernel", code)
    }

    /// Its bytes, least significant first, as on devices.
    fn value(&self, argument: Argument) -> [u64; 4] {
        match argument {
            Argument::At(offset, bytes) => [self.on_device(offset, bytes), 0, 0, 0],
            Argument::Nothing => [0; 4],
            Argument::Count(count) => [count.into(), 0, 0, 0],
            Argument::Number(number) => [number.to_bits().into(), 0, 0, 0],
            Argument::Shape(shape) => {
                let at = |i: usize| shape.get(i).map_or(0, |size| u64::from(*size));
                std::array::from_fn(|i| at(2 * i) | at(2 * i + 1) << 32)
            }
        }
    }

    fn on_device(&self, offset: usize, bytes: usize) -> u64 {
        assert!(offset + bytes <= self.memory.bytes, "{bytes} from {offset} of {}", self.memory.bytes);
        self.memory.address + offset as u64
    }

    fn on_host(&mut self, offset: usize, bytes: usize) -> *mut c_void {
        assert!(offset + bytes <= self.staging.len(), "{bytes} from {offset} of {}", self.staging.len());
        self.staging.at(offset)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if self.card.enter().is_ok() {
            // SAFETY: the handles are this runner's, and what ran has ended: waiting failed only where the device is lost.
            unsafe {
                (self.card.api.wait)(self.stream);
                for graph in self.graphs.drain(..) {
                    (self.card.api.destroy_executable)(graph);
                }
                (self.card.api.destroy_stream)(self.stream);
            }
        }
    }
}
