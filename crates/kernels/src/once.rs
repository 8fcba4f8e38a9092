//! Ways into kernels that are compiled in this crate, once an element type.
//!
//! What is generic is compiled by every crate that uses it, and a kernel comes for every level. The functions behind
//! these ways are not generic, so crates above call them and do not compile them again.

/// Stamps a trait of the element types with a method a kernel: `method: Kernel<'_, Self>`; arguments are checked.
macro_rules! compiled_once {
    ($(#[$doc:meta])* $element:ident { $($method:ident: $kernel:ty),* $(,)? }) => {
        $(#[$doc])*
        pub(crate) trait $element: Sized {
            $(fn $method(isa: $crate::simd::Isa, kernel: $kernel);)*
        }

        $crate::once::compiled_once!(impl $element for f32 { $($method: $kernel),* });
        $crate::once::compiled_once!(impl $element for f64 { $($method: $kernel),* });
    };
    (impl $element:ident for $type:ty { $($method:ident: $kernel:ty),* }) => {
        impl $element for $type {
            $(#[inline(never)]
            fn $method(isa: $crate::simd::Isa, kernel: $kernel) {
                <$type as $crate::float::Float>::dispatch_on(isa, kernel);
            })*
        }
    };
}

pub(crate) use compiled_once;
