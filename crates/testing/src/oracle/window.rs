//! A window that slides over an image: which input place a place of the window falls on.

/// Sizes of an image and of the window over it, rows before columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the image.
    pub image: [usize; 2],
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Places from one output to the next.
    pub stride: [usize; 2],
    /// Places from one place of the window to the next.
    pub dilation: [usize; 2],
    /// Padding before and after the rows, and before and after the columns.
    pub padding: [[usize; 2]; 2],
}

impl Window {
    /// A window that moves by one place, neither dilated nor padded.
    #[must_use]
    pub fn new(image: [usize; 2], kernel: [usize; 2]) -> Self {
        Self {
            image,
            kernel,
            stride: [1, 1],
            dilation: [1, 1],
            padding: [[0, 0]; 2],
        }
    }

    /// Rows and columns of the output; none where the window does not fit.
    #[must_use]
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let [before, after] = self.padding[axis];
            let span = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            match (before + self.image[axis] + after).checked_sub(span) {
                Some(room) => room / self.stride[axis] + 1,
                None => 0,
            }
        })
    }

    /// The index (row · columns + column) of the input place under place `at` of the window of output `out`, unless that is padding.
    #[must_use]
    pub fn place(&self, out: [usize; 2], at: [usize; 2]) -> Option<usize> {
        let along = |axis: usize| {
            let padded = out[axis] * self.stride[axis] + at[axis] * self.dilation[axis];
            let place = padded.checked_sub(self.padding[axis][0])?;
            (place < self.image[axis]).then_some(place)
        };
        Some(along(0)? * self.image[1] + along(1)?)
    }

    /// Calls `visit` with (output index, window index, input index) of every place that is no padding, outputs and then places of the
    /// window in ascending order.
    pub fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let [rows, columns] = self.output();
        for out in 0..rows * columns {
            for at in 0..self.kernel[0] * self.kernel[1] {
                let out_place = [out / columns, out % columns];
                let at_place = [at / self.kernel[1], at % self.kernel[1]];
                if let Some(place) = self.place(out_place, at_place) {
                    visit(out, at, place);
                }
            }
        }
    }

    /// Places of the input.
    #[must_use]
    pub fn places_in(&self) -> usize {
        self.image[0] * self.image[1]
    }

    /// Places of the output.
    #[must_use]
    pub fn places_out(&self) -> usize {
        self.output()[0] * self.output()[1]
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn padding_has_no_place() {
        let mut window = Window::new([2, 3], [2, 2]);
        window.padding = [[1, 0], [0, 1]];
        assert_eq!(window.output(), [2, 3]);
        let mut places = Vec::new();
        window.each(|out, at, place| places.push((out, at, place)));
        assert_eq!(places[..3], [(0, 2, 0), (0, 3, 1), (1, 2, 1)]);
        assert_eq!(places.last(), Some(&(5, 2, 5)));
    }

    #[test]
    fn a_window_that_does_not_fit_has_no_output() {
        assert_eq!(Window::new([2, 5], [3, 3]).output(), [0, 3]);
    }
}
