//! The closed list of built-in filters.

use super::area::{Bilateral, BoxBlur, Cartoon, Edges, GaussianBlur, Median, Pixelate, Sharpen};
use super::color::{BrightnessContrast, Gamma, Grayscale, Hue, Invert, Saturation, Threshold};
use super::geometric::{Crop, Flip, Rotate, Zoom};
use super::kernel::{Kernel, Prepare, PrepareError};
use super::overlay::Text;
use super::place::Redact;
use super::spec::{FilterSpec, Params};
use crate::geometry::Size;

/// Lists the filters once: the enum, the specifications and the way from an id to a filter follow from it.
macro_rules! filters {
    ($($filter:ident,)+) => {
        /// A built-in filter with its parameters.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Filter {
            $($filter($filter),)+
        }

        static ALL: &[&FilterSpec] = &[$(&$filter::SPEC),+];

        /// A new filter with its defaults; `None` for an unknown id.
        pub fn create(id: &str) -> Option<Filter> {
            $(if id == $filter::SPEC.id {
                return Some(Filter::$filter($filter::default()));
            })+
            None
        }

        impl Filter {
            pub fn params(&self) -> &dyn Params {
                match self {
                    $(Self::$filter(params) => params,)+
                }
            }

            pub fn params_mut(&mut self) -> &mut dyn Params {
                match self {
                    $(Self::$filter(params) => params,)+
                }
            }

            /// What runs on pictures of the size `input`.
            ///
            /// # Errors
            /// When the filter can't work with its parameters on such a picture.
            pub(crate) fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
                match self {
                    $(Self::$filter(params) => params.prepare(input),)+
                }
            }
        }
    };
}

filters! {
    BrightnessContrast,
    Gamma,
    Saturation,
    Hue,
    Grayscale,
    Invert,
    Threshold,
    Redact,
    Crop,
    Rotate,
    Flip,
    Zoom,
    BoxBlur,
    GaussianBlur,
    Sharpen,
    Median,
    Bilateral,
    Edges,
    Pixelate,
    Cartoon,
    Text,
}

/// Every filter in the order of the catalogue.
pub fn all() -> &'static [&'static FilterSpec] {
    ALL
}

pub fn find(id: &str) -> Option<&'static FilterSpec> {
    ALL.iter().copied().find(|spec| spec.id == id)
}

impl Filter {
    pub fn spec(&self) -> &'static FilterSpec {
        self.params().spec()
    }
}
