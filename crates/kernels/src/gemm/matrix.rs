//! Matrices as slices with strides.

/// A matrix to read: element (i, j) is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct MatrixRef<'a, T> {
    /// The elements, the first of them (0, 0).
    pub data: &'a [T],
    /// Elements from one row to the next.
    pub row_stride: usize,
    /// Elements from one column to the next.
    pub column_stride: usize,
}

impl<'a, T> MatrixRef<'a, T> {
    /// Rows of `columns` elements, one after the other.
    pub const fn row_major(data: &'a [T], columns: usize) -> Self {
        Self {
            data,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The same elements with rows and columns exchanged.
    pub const fn transposed(self) -> Self {
        Self {
            data: self.data,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// Panics unless every element of `rows` × `columns` lies in the slice.
    pub(super) fn check(&self, name: &str, rows: usize, columns: usize) {
        let needed = extent(rows, self.row_stride, columns, self.column_stride);
        assert!(
            needed <= self.data.len(),
            "gemm: {name} of {rows}×{columns} with strides {}, {} needs {needed} elements, got {}",
            self.row_stride,
            self.column_stride,
            self.data.len()
        );
    }
}

impl<T: Copy> MatrixRef<'_, T> {
    /// Element (i, j).
    pub fn at(&self, i: usize, j: usize) -> T {
        self.data[i * self.row_stride + j * self.column_stride]
    }
}

/// A matrix to write, rows of contiguous elements: element (i, j) is `data[i * row_stride + j]`.
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    /// The elements, the first of them (0, 0).
    pub data: &'a mut [T],
    /// Elements from one row to the next, at least the number of columns.
    pub row_stride: usize,
}

impl<'a, T> MatrixMut<'a, T> {
    /// Rows of `columns` elements, one after the other.
    pub const fn row_major(data: &'a mut [T], columns: usize) -> Self {
        Self {
            data,
            row_stride: columns,
        }
    }

    /// Panics unless every element of `rows` × `columns` lies in the slice and no two rows overlap.
    pub(super) fn check(&self, rows: usize, columns: usize) {
        assert!(
            rows < 2 || self.row_stride >= columns,
            "gemm: rows of C overlap"
        );
        let needed = extent(rows, self.row_stride, columns, 1);
        assert!(
            needed <= self.data.len(),
            "gemm: C of {rows}×{columns} with rows {} apart needs {needed} elements, got {}",
            self.row_stride,
            self.data.len()
        );
    }
}

/// Elements from the first to past the last of a strided matrix.
///
/// # Panics
/// If that overflows, so that no later index can.
fn extent(rows: usize, row_stride: usize, columns: usize, column_stride: usize) -> usize {
    if rows == 0 || columns == 0 {
        return 0;
    }
    let last_row = (rows - 1).checked_mul(row_stride);
    let last_column = (columns - 1).checked_mul(column_stride);
    last_row
        .zip(last_column)
        .and_then(|(row, column)| row.checked_add(column)?.checked_add(1))
        .expect("gemm: the extent of a matrix overflows")
}
