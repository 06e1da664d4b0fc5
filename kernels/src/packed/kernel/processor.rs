//! Which processor is at hand, and how work is compiled for it.
#![expect(unsafe_code, reason = "a function for some processors has to be called on these alone")]

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use super::{lanes::Lanes, plain::Plain};

/// Work that is compiled for each kind of processor: what it calls has to be inlined into it.
pub trait Work {
    /// What comes out.
    type Output;

    /// # Safety
    /// The processor is of that kind.
    unsafe fn run<L: Lanes>(self) -> Self::Output;
}

/// A kind of processor. One is made only where it is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processor(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Plain,
}

impl Processor {
    /// All kinds that the processor at hand is of, the best first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut kinds = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                kinds.push(Self(Kind::Avx512));
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                kinds.push(Self(Kind::Avx2));
            }
        }
        kinds.push(Self(Kind::Plain));
        kinds
    }

    /// The best kind that the processor at hand is of.
    #[must_use]
    pub fn here() -> Self {
        Self::all()[0]
    }

    /// Rows of a tile.
    #[must_use]
    pub fn tile_rows(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => Avx512::ROWS,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Avx2::ROWS,
            Kind::Plain => Plain::ROWS,
        }
    }

    /// Runs what is compiled for it.
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        // SAFETY: it was made where the processor at hand is of the kind.
        unsafe {
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => run_avx512(work),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => run_avx2(work),
                Kind::Plain => work.run::<Plain>(),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn run_avx512<W: Work>(work: W) -> W::Output {
    // SAFETY: as the caller says.
    unsafe { work.run::<Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<W: Work>(work: W) -> W::Output {
    // SAFETY: as the caller says.
    unsafe { work.run::<Avx2>() }
}
