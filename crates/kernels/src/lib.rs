//! SIMD kernels of Plywood: matrix product, convolution, pooling, recurrent cells, normalisation.
