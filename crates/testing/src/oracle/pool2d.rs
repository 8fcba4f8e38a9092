//! Pooling: the largest number of a window, its mean, and the mean of a whole image.
//!
//! Padding never wins, and counts neither in a mean's sum nor in its number (as in Keras). Of equal numbers the first wins, row by
//! row.

use super::Window;

/// What is pooled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    /// Images.
    pub samples: usize,
    /// How the window slides.
    pub window: Window,
    /// Channels, each pooled alone.
    pub channels: usize,
}

impl Pool2d {
    /// `y[n][o][c] = max over places of the window`; with it, for every output, the index into `x` of the winner.
    #[must_use]
    pub fn max(&self, x: &[f64]) -> (Vec<f64>, Vec<usize>) {
        let outputs = self.samples * self.window.places_out() * self.channels;
        let mut y = vec![f64::NEG_INFINITY; outputs];
        let mut winners = vec![usize::MAX; outputs];
        self.each(|yi, xi| {
            if winners[yi] == usize::MAX || x[xi] > y[yi] {
                y[yi] = x[xi];
                winners[yi] = xi;
            }
        });
        (y, winners)
    }

    /// Every output's gradient goes to the place that won.
    #[must_use]
    pub fn max_backward(&self, winners: &[usize], dy: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.samples * self.window.places_in() * self.channels];
        for (&winner, gradient) in winners.iter().zip(dy) {
            dx[winner] += gradient;
        }
        dx
    }

    /// `y[n][o][c]`: the sum over the window's places that are no padding, divided by their number.
    #[must_use]
    pub fn average(&self, x: &[f64]) -> Vec<f64> {
        let counts = self.counts();
        let mut y = vec![0.0; counts.len()];
        self.each(|yi, xi| y[yi] += x[xi]);
        y.iter()
            .zip(counts)
            .map(|(sum, count)| sum / count)
            .collect()
    }

    /// Every output's gradient goes to its places in equal parts.
    #[must_use]
    pub fn average_backward(&self, dy: &[f64]) -> Vec<f64> {
        let counts = self.counts();
        let mut dx = vec![0.0; self.samples * self.window.places_in() * self.channels];
        self.each(|yi, xi| dx[xi] += dy[yi] / counts[yi]);
        dx
    }

    fn counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.samples * self.window.places_out() * self.channels];
        self.each(|yi, _| counts[yi] += 1.0);
        counts
    }

    fn each(&self, mut visit: impl FnMut(usize, usize)) {
        for n in 0..self.samples {
            self.window.each(|out, _, place| {
                for c in 0..self.channels {
                    visit(
                        (n * self.window.places_out() + out) * self.channels + c,
                        (n * self.window.places_in() + place) * self.channels + c,
                    );
                }
            });
        }
    }
}

/// `y[n][c]`: the mean over all `places` of an image, `[samples][places][channels]`.
#[must_use]
pub fn global_average(x: &[f64], places: usize, channels: usize) -> Vec<f64> {
    let mean = |image: &[f64]| {
        let sums = super::matmul::column_sums(image, channels);
        sums.into_iter().map(|sum| sum / places as f64)
    };
    x.chunks_exact(places * channels).flat_map(mean).collect()
}

/// `dx[n][p][c] = dy[n][c] / places`.
#[must_use]
pub fn global_average_backward(dy: &[f64], places: usize, channels: usize) -> Vec<f64> {
    let spread = |row: &[f64]| {
        row.repeat(places)
            .into_iter()
            .map(|g| g / places as f64)
            .collect::<Vec<_>>()
    };
    dy.chunks_exact(channels).flat_map(spread).collect()
}
