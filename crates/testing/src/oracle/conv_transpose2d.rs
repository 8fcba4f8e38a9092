//! Transposed convolution: every place of a small image is spread over a kernel's span of a large one.
//!
//! `y[n][place(i, κ)][f] = b[f] + Σ x[n][i][c] · w[κ][f][c]`, where `place` is that of the convolution from the large image to the
//! small one; what would fall on its padding is cut off.

use super::Window;

/// What is spread with what. `window` slides over the *large* image, the output; its own output must be the small one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose2d {
    /// Images.
    pub samples: usize,
    /// How the kernel slides over the output.
    pub window: Window,
    /// Channels in.
    pub channels: usize,
    /// Channels out.
    pub filters: usize,
}

impl ConvTranspose2d {
    /// `y` `[samples][H][W][filters]` from `x` `[samples][h][w][channels]`, `weight`
    /// `[kh][kw][filters][channels]` and `bias` `[filters]`.
    #[must_use]
    pub fn forward(&self, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
        assert_eq!(bias.len(), self.filters);
        let mut y = bias.repeat(self.samples * self.window.places_in());
        self.each(|yi, xi, wi| y[yi] += x[xi] * weight[wi]);
        y
    }

    /// `dx[…] = Σ dy[…] · w[…]` over the span that the place was spread over.
    #[must_use]
    pub fn input_gradient(&self, weight: &[f64], dy: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.samples * self.window.places_out() * self.channels];
        self.each(|yi, xi, wi| dx[xi] += dy[yi] * weight[wi]);
        dx
    }

    /// `dw[…] = Σ dy[…] · x[…]`.
    #[must_use]
    pub fn weight_gradient(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let [rows, columns] = self.window.kernel;
        let mut dw = vec![0.0; rows * columns * self.filters * self.channels];
        self.each(|yi, xi, wi| dw[wi] += dy[yi] * x[xi]);
        dw
    }

    /// `db[f] = Σ dy[…][f]`.
    #[must_use]
    pub fn bias_gradient(&self, dy: &[f64]) -> Vec<f64> {
        super::matmul::column_sums(dy, self.filters)
    }

    fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        for n in 0..self.samples {
            self.window.each(|small, at, large| {
                for f in 0..self.filters {
                    for c in 0..self.channels {
                        visit(
                            (n * self.window.places_in() + large) * self.filters + f,
                            (n * self.window.places_out() + small) * self.channels + c,
                            (at * self.filters + f) * self.channels + c,
                        );
                    }
                }
            });
        }
    }
}
