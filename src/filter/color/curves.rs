//! Curves: any tone to any other.

use super::PointKernel;
use crate::filter::Curve;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Bends the tones along curves: first the one for all channels, then the channel's own.
    pub struct Curves("curves", "Curves", Point) {
        /// The curve of all channels.
        master: Curve = "0,0 1,1", "All channels";
        /// The curve of red.
        red: Curve = "0,0 1,1", "Red";
        /// The curve of green.
        green: Curve = "0,0 1,1", "Green";
        /// The curve of blue.
        blue: Curve = "0,0 1,1", "Blue";
    }
}

impl Prepare for Curves {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if [&self.master, &self.red, &self.green, &self.blue].iter().all(|curve| curve.is_identity()) {
            return Ok(Kernel::Identity);
        }
        let master = self.master.function();
        let [red, green, blue] = [&self.red, &self.green, &self.blue].map(Curve::function);
        Ok(Kernel::Point(PointKernel::tables([&|v| red(master(v)), &|v| green(master(v)), &|v| blue(master(v))])))
    }
}
