//! Selecting the instruction set.

use std::error::Error;
use std::fmt;

/// The environment variable that forces a kernel.
const VARIABLE: &str = "REQUEL_KERNEL";

/// Every kernel that exists, for this processor or another.
const NAMES: [&str; 4] = ["scalar", "avx2", "avx512", "neon"];

/// An instruction set that this machine has. All of them give the same bits; they only differ in speed.
///
/// A `Kernel` cannot be created for an instruction set that the machine lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel(pub(super) Isa);

/// The instruction sets that exist, whether the machine has them or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Isa {
    Scalar,
    /// Plain arrays behind the vector code, which Miri can follow.
    #[cfg(all(test, target_arch = "x86_64"))]
    Array,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// Why a kernel cannot be used.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum KernelError {
    /// No kernel has this name.
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// The kernel exists, but not on this machine.
    Unavailable {
        /// The name that was given.
        name: &'static str,
    },
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KernelError::Unknown { name } => {
                write!(f, "unknown kernel `{name}`, expected one of: {}", NAMES.join(", "))
            }
            KernelError::Unavailable { name } => {
                write!(f, "kernel `{name}` needs an instruction set that this machine lacks; it has: {}", available())
            }
        }
    }
}

impl Error for KernelError {}

/// The kernel that the environment variable `REQUEL_KERNEL` names, or the fastest that the machine has.
///
/// # Errors
/// [`KernelError`] if the variable names a kernel that does not exist or that this machine cannot run.
pub fn select() -> Result<Kernel, KernelError> {
    match std::env::var_os(VARIABLE) {
        Some(name) if !name.is_empty() => Kernel::by_name(&name.to_string_lossy()),
        _ => Ok(Kernel::fastest()),
    }
}

impl Kernel {
    /// The scalar twin, which every machine has.
    pub const SCALAR: Kernel = Kernel(Isa::Scalar);

    /// The fastest kernel of this machine.
    pub fn fastest() -> Kernel {
        *Kernel::available().last().unwrap_or(&Kernel::SCALAR)
    }

    /// Every kernel that this machine can run, slowest first.
    pub fn available() -> Vec<Kernel> {
        Isa::ALL.iter().copied().filter(|isa| isa.is_present()).map(Kernel).collect()
    }

    /// The kernel of this name: `scalar`; `avx2` and `avx512` on x86-64; `neon` on aarch64.
    ///
    /// # Errors
    /// [`KernelError`] if there is no such kernel, or not on this machine.
    pub fn by_name(name: &str) -> Result<Kernel, KernelError> {
        let isa = Isa::ALL.iter().find(|isa| isa.name() == name);
        let elsewhere = NAMES.iter().find(|known| **known == name);
        let isa = isa.ok_or_else(|| match elsewhere {
            Some(name) => KernelError::Unavailable { name },
            None => KernelError::Unknown { name: name.to_owned() },
        })?;
        if isa.is_present() { Ok(Kernel(*isa)) } else { Err(KernelError::Unavailable { name: isa.name() }) }
    }

    /// Its name, as accepted by [`Kernel::by_name`].
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Isa {
    /// Slowest first.
    const ALL: &[Isa] = &[
        Isa::Scalar,
        #[cfg(all(test, target_arch = "x86_64"))]
        Isa::Array,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512,
        #[cfg(target_arch = "aarch64")]
        Isa::Neon,
    ];

    fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            #[cfg(all(test, target_arch = "x86_64"))]
            Isa::Array => "array",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => "neon",
        }
    }

    fn is_present(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(all(test, target_arch = "x86_64"))]
            Isa::Array => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Isa::Avx2.is_present() && is_x86_feature_detected!("avx512f"),
            // Part of every aarch64, as the fused multiply-add is.
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => true,
        }
    }
}

fn available() -> String {
    Kernel::available().iter().map(|kernel| kernel.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_available_kernel_is_found_by_its_name() {
        for kernel in Kernel::available() {
            assert_eq!(Kernel::by_name(kernel.name()), Ok(kernel));
        }
        assert!(Kernel::available().contains(&Kernel::SCALAR));
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_that_exist() {
        let error = Kernel::by_name("mmx").unwrap_err();
        assert_eq!(error, KernelError::Unknown { name: "mmx".into() });
        assert!(error.to_string().contains("scalar"), "{error}");
    }
}
