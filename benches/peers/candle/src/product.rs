//! A matrix product by the crate gemm, whose only interface is a function over raw pointers.

use crate::worker::{Drive, Refusal, Work};
use gemm::Parallelism;

/// The product into memory that is there already, as all contestants have it.
pub fn begin(work: &Work, driver: &mut dyn Drive) -> Result<(), Refusal> {
    let [a, b] = work.factors();
    let &Work {
        m, k, n, threads, ..
    } = work;
    let mut c = vec![0.0f32; m * n];
    let parallelism = if threads == 1 {
        Parallelism::None
    } else {
        Parallelism::Rayon(threads)
    };
    let stride = |columns: usize| columns as isize;
    driver.drive(&mut || {
        // SAFETY: all three are row-major and as long as their sizes say: `a` m·k, `b` k·n, `c` m·n.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c.as_mut_ptr(),
                1,
                stride(n),
                false,
                a.as_ptr(),
                1,
                stride(k),
                b.as_ptr(),
                1,
                stride(n),
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
        Ok(None)
    })
}
