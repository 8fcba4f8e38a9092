//! Tensors as text, in the manner of NumPy: nested brackets, columns aligned, long axes abbreviated.

use crate::tensor::{Storage, TensorBase, TensorView};
use std::fmt;

/// Tensors of more elements are abbreviated.
const MAX_ELEMENTS: usize = 1000;
/// Elements shown at either end of an abbreviated axis.
const EDGE: usize = 3;

impl<S: Storage> fmt::Display for TensorBase<S>
where
    S::Elem: fmt::Display,
{
    /// Writes the elements with the precision asked for (`{:.3}`), else as they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edge = if self.len() > MAX_ELEMENTS {
            EDGE
        } else {
            usize::MAX
        };
        let precision = f.precision();
        let text = |x: S::Elem| match precision {
            Some(digits) => format!("{x:.digits$}"),
            None => x.to_string(),
        };
        let mut cells = Vec::new();
        collect(&self.view(), edge, &mut |x| cells.push(text(x)));
        let width = cells.iter().map(String::len).max().unwrap_or(0);
        let mut writer = Writer {
            edge,
            width,
            cells: cells.into_iter(),
        };
        writer.write(f, self.shape(), 0)
    }
}

impl<S: Storage> fmt::Debug for TensorBase<S>
where
    S::Elem: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor {:?} ", self.shape())?;
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Whether index `i` of an axis of `len` is shown.
fn is_shown(i: usize, len: usize, edge: usize) -> bool {
    len <= edge.saturating_mul(2) || i < edge || i >= len - edge
}

/// Visits the elements that are shown, in row-major order.
fn collect<T: Copy>(view: &TensorView<'_, T>, edge: usize, visit: &mut impl FnMut(T)) {
    let Some(&len) = view.shape().first() else {
        return visit(view.item());
    };
    for i in (0..len).filter(|&i| is_shown(i, len, edge)) {
        collect(&view.select(0, i), edge, visit);
    }
}

/// Writes cells in the brackets of a shape.
struct Writer {
    edge: usize,
    width: usize,
    cells: std::vec::IntoIter<String>,
}

impl Writer {
    fn write(&mut self, f: &mut fmt::Formatter<'_>, shape: &[usize], depth: usize) -> fmt::Result {
        let Some((&len, inner)) = shape.split_first() else {
            let cell = self.cells.next().unwrap_or_default();
            return write!(f, "{cell:>width$}", width = self.width);
        };
        f.write_str("[")?;
        for i in 0..len {
            if !is_shown(i, len, self.edge) {
                if i == self.edge {
                    Self::separate(f, inner, depth)?;
                    f.write_str("…")?;
                }
                continue;
            }
            if i > 0 {
                Self::separate(f, inner, depth)?;
            }
            self.write(f, inner, depth + 1)?;
        }
        f.write_str("]")
    }

    /// Between two entries: a comma, or a new line for every axis below.
    fn separate(f: &mut fmt::Formatter<'_>, inner: &[usize], depth: usize) -> fmt::Result {
        if inner.is_empty() {
            return f.write_str(", ");
        }
        f.write_str(",")?;
        for _ in inner {
            f.write_str("\n")?;
        }
        write!(f, "{:indent$}", "", indent = depth + 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    #[test]
    fn columns_are_aligned() {
        let a = Tensor::from_vec([2, 2], vec![1.0_f32, -2.5, 10.0, 0.25]);
        assert_eq!(a.to_string(), "[[   1, -2.5],\n [  10, 0.25]]");
        assert_eq!(format!("{a:.1}"), "[[ 1.0, -2.5],\n [10.0,  0.2]]");
        assert_eq!(Tensor::scalar(2.5_f64).to_string(), "2.5");
        assert_eq!(Tensor::<f32>::zeros([0]).to_string(), "[]");
    }

    #[test]
    fn matrices_of_a_stack_stand_apart() {
        let a = Tensor::<f32>::arange(4).into_shape([2, 1, 2]);
        assert_eq!(a.to_string(), "[[[0, 1]],\n\n [[2, 3]]]");
    }

    #[test]
    fn long_axes_show_their_ends() {
        let text = Tensor::<f32>::arange(2000).to_string();
        assert_eq!(text, "[   0,    1,    2, …, 1997, 1998, 1999]");
    }
}
