//! The non-generic way into the cells, so that crates above do not compile them again: a cell is large, a loop over steps
//! for every level and pass.

use super::{gru, inputs, lstm, simple};
use crate::once::compiled_once;

compiled_once! {
    /// The passes of all cells, at the level `isa`; arguments are checked.
    RnnElement {
        simple_advance: simple::AdvancePass<'_, Self>,
        simple_forward: simple::ForwardPass<'_, Self>,
        simple_backward: simple::BackwardPass<'_, Self>,
        gru_advance: gru::AdvancePass<'_, Self>,
        gru_forward: gru::ForwardPass<'_, Self>,
        gru_backward: gru::BackwardPass<'_, Self>,
        project: inputs::ProjectPass<'_, Self>,
        lstm_advance: lstm::AdvancePass<'_, Self>,
        lstm_forward: lstm::ForwardPass<'_, Self>,
        lstm_backward: lstm::BackwardPass<'_, Self>,
    }
}
