//! Freezes the picture: the one of the moment when it was turned on stays.
//!
//! A repeat of the same picture and a new one are alike: neither is shown.

use std::any::Any;

use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Moment, Prepare, PrepareError, Shown, TimeKernel};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Keeps the picture of the moment when it is turned on. Viewers who may point still reach what is there now.
    pub struct Freeze("freeze", "Freeze", Time) {
        /// Keeps the picture.
        freeze: bool = false, "Freeze";
    }
}

impl Prepare for Freeze {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if !self.freeze {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Time(Box::new(Frozen { size: input, picture: None })))
    }
}

struct Frozen {
    size: Size,
    picture: Option<Vec<u8>>,
}

impl TimeKernel for Frozen {
    fn run(&mut self, pixels: &mut [u8], _: Moment) -> Shown {
        match &self.picture {
            Some(picture) => pixels.copy_from_slice(picture),
            None => self.picture = Some(pixels.to_vec()),
        }
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        if let Ok(older) = older.downcast::<Self>()
            && older.size == self.size
        {
            self.picture = older.picture;
        }
    }

    fn goes_on(&self) -> bool {
        false
    }

    fn memory(&self) -> [usize; 2] {
        [self.picture.as_ref().map_or(0, Vec::len), self.size.pixels() * BYTES_PER_PIXEL]
    }
}
