//! The most that one core can multiply and add: chains of fused multiply-adds that never leave the registers.

use super::clock::Clock;
use plywood::kernels::{Float, Kernel, Simd};
use std::hint::black_box;

/// Independent chains: more than the latency of a multiply-add times the units that do it, and fewer than registers.
const CHAINS: usize = 12;
/// Links of a chain in one run.
const LINKS: usize = 4096;

struct Chains {
    factor: f32,
    term: f32,
}

impl Kernel<f32> for Chains {
    /// Floating-point operations done, and the sum that keeps them from being left out.
    type Output = (usize, f32);

    #[inline(always)]
    fn run<S: Simd<Elem = f32>>(self, simd: S) -> (usize, f32) {
        let (factor, term) = (simd.splat(self.factor), simd.splat(self.term));
        let mut chains = [simd.zero(); CHAINS];
        for _ in 0..LINKS {
            for chain in &mut chains {
                *chain = simd.mul_add(*chain, factor, term);
            }
        }
        let mut sum = simd.zero();
        for chain in chains {
            sum = simd.add(sum, chain);
        }
        (2 * CHAINS * LINKS * S::LANES, simd.reduce_sum(sum))
    }
}

/// GFLOP/s of one core at the active level.
pub(super) fn gflops(clock: Clock) -> f64 {
    let run = || {
        f32::dispatch(Chains {
            factor: black_box(0.5),
            term: black_box(1.0),
        })
    };
    let flops = run().0 as f64;
    let seconds = clock.seconds(|| {
        black_box(run());
    });
    flops / seconds / 1e9
}

/// GFLOP/s of so many threads at the same time.
pub(super) fn together(clock: Clock, threads: usize) -> Result<f64, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| error.to_string())?;
    Ok(pool.broadcast(|_| gflops(clock)).into_iter().sum())
}
