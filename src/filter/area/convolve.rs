//! A square of weights that the user writes.

use super::convolution::Convolution;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Replaces each pixel by a weighted sum of its neighbourhood: blurs, edges and reliefs of your own.
    pub struct Convolve("convolve", "Custom kernel", Area) {
        /// Nine or twenty-five numbers, row by row: the weights of the 3x3 or 5x5 pixels around each one.
        kernel: String = "0 0 0  0 1 0  0 0 0", "Kernel";
        /// What the sum is multiplied by; one divided by the sum of the weights keeps the brightness.
        factor: f32 = 1.0 in 0.001..=10.0 step 0.001 log, "Factor";
        /// What is added at the end; 1 makes black white.
        bias: f32 = 0.0 in -1.0..=1.0 step 0.01, "Bias";
    }
}

/// Weights beyond this are more likely a slip than meant.
const LARGEST: f32 = 10_000.0;

impl Prepare for Convolve {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let mut weights = read(&self.kernel).map_err(PrepareError::Because)?;
        for weight in &mut weights {
            *weight *= self.factor;
        }
        Ok(Convolution::kernel(input, &weights, self.bias * 255.0))
    }
}

/// The weights of a kernel written with spaces, commas, semicolons or new lines between them.
fn read(text: &str) -> Result<Vec<f32>, String> {
    let words = text.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';'));
    let weight = |word: &str| match word.parse::<f32>() {
        Ok(weight) if weight.abs() <= LARGEST => Ok(weight),
        Ok(_) => Err(format!("the kernel's numbers go from -{LARGEST} to {LARGEST}")),
        Err(_) => Err(format!("`{}` in the kernel is not a number", word.chars().take(20).collect::<String>())),
    };
    let weights: Vec<f32> = words.filter(|word| !word.is_empty()).map(weight).collect::<Result<_, _>>()?;
    if matches!(weights.len(), 9 | 25) {
        return Ok(weights);
    }
    Err(format!("the kernel has {} numbers; write 9 for 3x3 or 25 for 5x5 pixels", weights.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_reads_with_any_separator() {
        let wanted = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, -0.5];
        assert_eq!(read("1 2 3\n4,5, 6;7 8\t-.5"), Ok(wanted));
        assert_eq!(read(&"1 ".repeat(25)).map(|weights| weights.len()), Ok(25));
    }

    #[test]
    fn anything_else_says_what_is_wrong() {
        let wrong = |text: &str| read(text).expect_err("it is no kernel");
        assert!(wrong("").contains("0 numbers"));
        assert!(wrong(&"1 ".repeat(16)).contains("16 numbers"));
        assert!(wrong("1 2 3 four 5 6 7 8 9").contains("`four`"));
        for large in ["inf", "NaN", "1e30"] {
            assert!(wrong(&format!("1 2 3 4 {large} 6 7 8 9")).contains("10000"), "{large}");
        }
    }
}
