//! A heap buffer of fixed length, zeroed and aligned to a cache line.
//!
//! Parameters, gradients, moments and arenas live in these: a 64-byte start means that no AVX-512 load at a multiple of
//! 16 `f32` crosses a cache line. Large zeroed buffers come from the system as untouched pages.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::float::Float;

/// Alignment of every buffer, in bytes: a cache line and an AVX-512 vector.
pub const ALIGNMENT: usize = 64;

/// What every allocator gives without being asked: of a larger alignment, a zeroed block is cleared by hand and so touched.
const SYSTEM_ALIGNMENT: usize = 2 * size_of::<usize>();

/// A fixed number of elements on the heap, aligned to [`ALIGNMENT`] bytes.
pub struct AlignedVec<T: Float> {
    /// The first element.
    pointer: NonNull<T>,
    /// The block it lies in.
    block: NonNull<u8>,
    len: usize,
}

impl<T: Float> AlignedVec<T> {
    /// `len` zeros. A length of 0 allocates nothing.
    ///
    /// # Panics
    /// If the size in bytes overflows `isize`.
    pub fn zeroed(len: usize) -> Self {
        if len == 0 {
            return Self {
                pointer: NonNull::dangling(),
                block: NonNull::dangling(),
                len,
            };
        }
        let layout = Self::layout(len);
        // SAFETY: the layout is not empty, since it holds the room to align in.
        let Some(block) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
            handle_alloc_error(layout)
        };
        let offset = block.align_offset(ALIGNMENT);
        assert!(offset < ALIGNMENT, "an address can be aligned");
        // SAFETY: the block is ALIGNMENT bytes longer than the elements, and the offset is below that.
        let pointer = unsafe { block.add(offset) }.cast();
        Self {
            pointer,
            block,
            len,
        }
    }

    /// A copy of `values`.
    pub fn from_slice(values: &[T]) -> Self {
        let mut copy = Self::zeroed(values.len());
        copy.copy_from_slice(values);
        copy
    }

    fn layout(len: usize) -> Layout {
        let bytes = len
            .checked_mul(T::BYTES)
            .expect("the size of a buffer fits an address");
        let padded = bytes
            .checked_add(ALIGNMENT)
            .expect("the size of a buffer fits an address");
        Layout::from_size_align(padded, SYSTEM_ALIGNMENT)
            .expect("the size of a buffer fits an address")
    }
}

impl<T: Float> Drop for AlignedVec<T> {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: the block came from `alloc_zeroed` with this very layout and is freed once.
            unsafe { dealloc(self.block.as_ptr(), Self::layout(self.len)) }
        }
    }
}

impl<T: Float> Deref for AlignedVec<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the pointer is valid for `len` elements, initialised to zero bits, which is the number 0; for
        // `len == 0` it dangles, which a slice without elements allows.
        unsafe { std::slice::from_raw_parts(self.pointer.as_ptr(), self.len) }
    }
}

impl<T: Float> DerefMut for AlignedVec<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and the buffer is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.len) }
    }
}

impl<T: Float> Clone for AlignedVec<T> {
    fn clone(&self) -> Self {
        Self::from_slice(self)
    }
}

impl<T: Float> Default for AlignedVec<T> {
    fn default() -> Self {
        Self::zeroed(0)
    }
}

impl<T: Float> PartialEq for AlignedVec<T> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl<T: Float> fmt::Debug for AlignedVec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

// SAFETY: the buffer owns its elements alone and `T` is `Send`.
unsafe impl<T: Float> Send for AlignedVec<T> {}
// SAFETY: a shared buffer gives out shared references only and `T` is `Sync`.
unsafe impl<T: Float> Sync for AlignedVec<T> {}

#[cfg(test)]
mod tests {
    use super::{ALIGNMENT, AlignedVec};

    #[test]
    fn is_zeroed_and_aligned_at_every_length() {
        for len in [0, 1, 15, 16, 17, 100_000] {
            let buffer = AlignedVec::<f32>::zeroed(len);
            assert_eq!(buffer.len(), len);
            assert!(buffer.iter().all(|&x| x.to_bits() == 0));
            assert!(len == 0 || buffer.as_ptr().addr().is_multiple_of(ALIGNMENT));
        }
    }

    #[test]
    fn a_clone_owns_its_elements() {
        let original = AlignedVec::from_slice(&[1.0_f64, 2.0, 3.0]);
        let mut copy = original.clone();
        copy[1] = 7.0;
        assert_eq!(original[..], [1.0, 2.0, 3.0]);
        assert_eq!(copy[..], [1.0, 7.0, 3.0]);
    }
}
