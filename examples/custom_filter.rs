//! A filter of your own in one file, in an otherwise ordinary Lenscast.
//!
//! ```text
//! cargo run --example custom_filter                       # the window; the filter is under "Added"
//! cargo run --example custom_filter -- list
//! cargo run --example custom_filter -- serve --source pattern --filter picket_lines:every=6,strength=0.8
//! ```
//!
//! What is declared here once is a card with sliders in the window, `--filter` on the command line, and an entry of
//! `GET /api/v1/filters`; it is saved in chains and clamped wherever it comes from. `docs/extending.md` tells the rest.

use std::process::ExitCode;

use lenscast::filter::prelude::*;

params! {
    /// Darkens every few lines, as an old screen does.
    pub struct Scanlines("picket_lines", "Picket lines", External) {
        /// How dark the lines become; 0 changes nothing.
        strength: f32 = 0.5 in 0.0..=1.0 step 0.01, "Strength", Fraction;
        /// From one dark line to the next.
        every: i32 = 4 in 2..=64 step 1, "Distance", Pixels;
        /// What the lines become.
        color: Color = BLACK, "Colour";
    }
}

impl Prepare for Scanlines {
    /// Called when a parameter or the picture's size changes, never per frame.
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.strength == 0.0 {
            return Ok(Kernel::Identity);
        }
        // As 8 bits, so that a frame needs whole numbers only.
        let strength = (self.strength * 255.0).round() as u32;
        Ok(Kernel::Draw(Box::new(Lines {
            stride: input.width as usize * 4,
            every: usize::try_from(self.every).unwrap_or(2),
            strength,
            added: self.color.to_rgba().map(|level| u32::from(level) * strength),
        })))
    }
}

/// What runs on each frame.
struct Lines {
    stride: usize,
    every: usize,
    strength: u32,
    added: [u32; 4],
}

impl DrawKernel for Lines {
    fn draw(&mut self, pixels: &mut [u8], _scene: &Scene<'_>) {
        for row in pixels.chunks_exact_mut(self.stride).step_by(self.every) {
            for pixel in row.chunks_exact_mut(4) {
                for (level, added) in pixel[..3].iter_mut().zip(self.added) {
                    *level = ((u32::from(*level) * (255 - self.strength) + added + 127) / 255) as u8;
                }
            }
        }
    }
}

fn main() -> ExitCode {
    // Before anything else, so that saved chains find it.
    if let Err(error) = register(&Scanlines::SPEC, || Box::new(Scanlines::default())) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    lenscast::start::from_command_line()
}
