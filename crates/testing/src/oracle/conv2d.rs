//! Convolution as frameworks mean it (a cross-correlation): strided, dilated, padded, grouped; depthwise with as many groups as
//! channels.
//!
//! `y[n][o][f] = b[f] + Σ over places κ of the kernel and channels c of f's group: x[n][place(o, κ)][c] · w[κ][c][f]`.

use super::Window;

/// What is convolved with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Images.
    pub samples: usize,
    /// How the kernel slides.
    pub window: Window,
    /// Channels in.
    pub channels: usize,
    /// Channels out.
    pub filters: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl Conv2d {
    /// `y` `[samples][H'][W'][filters]` from `x` `[samples][H][W][channels]`, `weight`
    /// `[kh][kw][channels / groups][filters]` and `bias` `[filters]`.
    #[must_use]
    pub fn forward(&self, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
        assert_eq!(bias.len(), self.filters);
        let mut y = bias.repeat(self.samples * self.window.places_out());
        self.each(|yi, xi, wi| y[yi] += x[xi] * weight[wi]);
        y
    }

    /// `dx[…] = Σ dy[…] · w[…]` over all outputs that saw the place.
    #[must_use]
    pub fn input_gradient(&self, weight: &[f64], dy: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.samples * self.window.places_in() * self.channels];
        self.each(|yi, xi, wi| dx[xi] += dy[yi] * weight[wi]);
        dx
    }

    /// `dw[…] = Σ dy[…] · x[…]` over all places that the weight met.
    #[must_use]
    pub fn weight_gradient(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let [rows, columns] = self.window.kernel;
        let mut dw = vec![0.0; rows * columns * self.channels / self.groups * self.filters];
        self.each(|yi, xi, wi| dw[wi] += dy[yi] * x[xi]);
        dw
    }

    /// `db[f] = Σ dy[…][f]`.
    #[must_use]
    pub fn bias_gradient(&self, dy: &[f64]) -> Vec<f64> {
        super::matmul::column_sums(dy, self.filters)
    }

    /// Calls `visit` with the indices (into y, into x, into w) of every product of the sum.
    fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let per_group = self.channels / self.groups;
        let filters_per_group = self.filters / self.groups;
        for n in 0..self.samples {
            self.window.each(|out, at, place| {
                for f in 0..self.filters {
                    for c in 0..per_group {
                        let channel = f / filters_per_group * per_group + c;
                        visit(
                            (n * self.window.places_out() + out) * self.filters + f,
                            (n * self.window.places_in() + place) * self.channels + channel,
                            (at * per_group + c) * self.filters + f,
                        );
                    }
                }
            });
        }
    }
}
