//! The engine: runs training steps and inference over blocks of samples, on all threads, to the same bits for any
//! number of them.
//!
//! ```text
//! for every lane, in parallel:                      at most 16, a contiguous range of the batch each
//!     for every block of the lane, in order:        as many samples as stay in the cache
//!         forward, loss, backward                   over one arena, depth first
//!         gradients are added to the lane's
//! combine the lanes' gradients in order and update  one pass over the flat buffers, in parallel
//! ```
//!
//! How the batch is cut follows from the network and the batch alone ([`blocks`]), never from the machine. Where a layer
//! couples samples, the passes stop at the segment's end, all blocks meet, and their statistics are merged in order.
//! After the first step of a size nothing is allocated.

mod batched;
pub mod blocks;
mod coupling;
mod lane;
mod profile;
mod projected;
mod ready;
mod regions;
mod session;
mod stage;
mod stream;
mod team;
mod trainer;
mod update;

pub(crate) use coupling::coupled_step;
pub(crate) use lane::kept_row;
pub use profile::{LayerTimes, Phase, Profile, Timer};
pub(crate) use profile::{Place, Work};
pub use session::{Evaluation, Session};
pub(crate) use stage::stage;
pub use stream::Stream;
pub(crate) use team::{MOST, share};
pub use trainer::{Objective, Trainer};

/// The position of this thread in its pool. Work that is not worth splitting, as that of a single block, stays on the thread that asked
/// for it, which need not belong to a pool: then nobody else takes part, and any position will do.
fn thread() -> usize {
    rayon::current_thread_index().unwrap_or(0)
}
