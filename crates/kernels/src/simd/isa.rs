//! The levels of instruction sets, which one is active, and the way into each.

use std::fmt;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use super::{Kernel, Scalar, Simd};

/// A level of vector instructions, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Isa {
    /// Portable code, whatever the compiler's target offers without asking.
    Scalar,
    /// x86-64 with AVX2 and FMA: 8 `f32` a vector, 16 registers.
    Avx2,
    /// x86-64 with AVX-512 F, DQ, BW and VL: 16 `f32` a vector, 32 registers.
    Avx512,
}

impl Isa {
    /// Every level, worst first, whether this machine has it or not.
    pub const ALL: [Self; 3] = [Self::Scalar, Self::Avx2, Self::Avx512];

    /// The level in use: the best this machine has, or the one that the environment variable `PLYWOOD_ISA` names.
    /// Decided at the first call and kept.
    ///
    /// # Panics
    /// If `PLYWOOD_ISA` names no level, or one that this machine lacks.
    #[inline]
    pub fn active() -> Self {
        #[cfg(test)]
        if let Some(isa) = FORCED.get() {
            return isa;
        }
        static ACTIVE: OnceLock<Isa> = OnceLock::new();
        *ACTIVE.get_or_init(|| match std::env::var_os("PLYWOOD_ISA") {
            None => Self::best(),
            Some(name) => {
                Self::forced(&name.to_string_lossy()).unwrap_or_else(|message| panic!("{message}"))
            }
        })
    }

    /// The levels this machine has, worst first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// Whether this machine has the level.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The level's name, as `PLYWOOD_ISA` takes it: `scalar`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    fn best() -> Self {
        Self::available().last().unwrap_or(Self::Scalar)
    }

    /// The level called `name`, or what is wrong with asking for it.
    pub(super) fn forced(name: &str) -> Result<Self, String> {
        let Some(isa) = Self::ALL.into_iter().find(|isa| isa.name() == name) else {
            return Err(format!(
                "PLYWOOD_ISA={name}: no such level; the levels are scalar, avx2 and avx512"
            ));
        };
        if isa.is_available() {
            Ok(isa)
        } else {
            Err(format!(
                "PLYWOOD_ISA={name}: this machine lacks {name}; its best level is {}",
                Self::best()
            ))
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Runs `kernel` on `f32` vectors of the level `isa`.
#[inline]
pub(crate) fn enter_f32<K: Kernel<f32>>(isa: Isa, kernel: K) -> K::Output {
    match isa {
        Isa::Scalar => Scalar::<f32>::new().enter(kernel),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => Avx2::detect()
            .expect("the level asked for is available")
            .enter(kernel),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => Avx512::detect()
            .expect("the level asked for is available")
            .enter(kernel),
        #[cfg(not(target_arch = "x86_64"))]
        Isa::Avx2 | Isa::Avx512 => panic!("{isa} is a level of x86-64 alone"),
    }
}

/// Runs `kernel` on portable `f64` vectors, whatever the level.
#[inline]
pub(crate) fn enter_f64<K: Kernel<f64>>(_isa: Isa, kernel: K) -> K::Output {
    Scalar::<f64>::new().enter(kernel)
}

#[cfg(test)]
thread_local! {
    /// The level that [`on_every_level`] makes active on this thread.
    static FORCED: std::cell::Cell<Option<Isa>> = const { std::cell::Cell::new(None) };
}

/// Runs a test with each level of this machine active in turn, and says which ones it lacks.
#[cfg(test)]
pub(crate) fn on_every_level(test: impl Fn()) {
    for isa in Isa::ALL {
        if isa.is_available() {
            println!("level: {isa}");
            FORCED.set(Some(isa));
            test();
            FORCED.set(None);
        } else {
            println!("skipped: this machine lacks {isa}");
        }
    }
}
