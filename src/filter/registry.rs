//! The closed list of built-in filters, and those that were registered beside them.

use std::sync::{PoisonError, RwLock};

use super::area::{
    AdaptiveThreshold, Bilateral, BoxBlur, Cartoon, Convolve, Edges, Emboss, GaussianBlur, Glow, Median, Morphology,
    Oil, Pixelate, Sharpen, Sketch, Sobel,
};
use super::color::{
    BrightnessContrast, ChannelMixer, ColorBalance, Curves, Exposure, FalseColor, Gamma, Grayscale, Hue, Invert,
    Levels, Lut3d, MultiplyAdd, Posterize, Saturation, Sepia, Solarize, Temperature, Threshold,
};
use super::custom::{Custom, CustomFilter};
use super::files::Files;
use super::geometric::{Crop, Flip, Kaleidoscope, LensCorrection, Pad, Perspective, Rotate, Scale, Swirl, Wave, Zoom};
use super::kernel::{Kernel, Prepare, PrepareError};
use super::key::{ChromaKey, ColorKey, LumaKey, Mask};
use super::overlay::{CursorHighlight, Image, PictureInPicture, Pointers, Text};
use super::place::{Gradient, Halftone, Redact, Scanlines, Vignette};
use super::spec::{FilterSpec, Params};
use super::time::{Delay, FrameRate, Freeze, ShowMotion, TemporalDenoise, Trails};
use crate::geometry::Size;

/// Lists the filters once: the enum, the specifications and the way from an id to a filter follow from it.
macro_rules! filters {
    ($($filter:ident,)+) => {
        /// A filter with its parameters.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Filter {
            $($filter($filter),)+
            /// Not built in.
            Custom(Custom),
        }

        static BUILT_IN: &[&FilterSpec] = &[$(&$filter::SPEC),+];

        /// A new filter with its defaults; `None` for an unknown id.
        pub fn create(id: &str) -> Option<Filter> {
            $(if id == $filter::SPEC.id {
                return Some(Filter::$filter($filter::default()));
            })+
            let registered = registered();
            let found = registered.iter().find(|registered| registered.spec.id == id)?;
            Some(Filter::Custom(Custom::new((found.create)())))
        }

        impl Filter {
            pub fn params(&self) -> &dyn Params {
                match self {
                    $(Self::$filter(params) => params,)+
                    Self::Custom(custom) => custom.params(),
                }
            }

            pub fn params_mut(&mut self) -> &mut dyn Params {
                match self {
                    $(Self::$filter(params) => params,)+
                    Self::Custom(custom) => custom.params_mut(),
                }
            }

            /// What runs on pictures of the size `input`.
            ///
            /// # Errors
            /// When the filter can't work with its parameters on such a picture.
            pub(crate) fn prepare(&self, input: Size, files: &Files) -> Result<Kernel, PrepareError> {
                match self {
                    $(Self::$filter(params) => params.prepare_with(input, files),)+
                    Self::Custom(custom) => custom.filter().prepare_with(input, files),
                }
            }
        }
    };
}

filters! {
    BrightnessContrast,
    Exposure,
    Gamma,
    Levels,
    Curves,
    Saturation,
    Hue,
    Temperature,
    ColorBalance,
    Grayscale,
    Sepia,
    Invert,
    Posterize,
    Threshold,
    Solarize,
    ChannelMixer,
    MultiplyAdd,
    FalseColor,
    Lut3d,
    Vignette,
    Gradient,
    Redact,
    Scanlines,
    Halftone,
    Crop,
    Pad,
    Scale,
    Rotate,
    Flip,
    Zoom,
    Perspective,
    LensCorrection,
    Kaleidoscope,
    Wave,
    Swirl,
    BoxBlur,
    GaussianBlur,
    Sharpen,
    Median,
    Bilateral,
    Edges,
    Sobel,
    Emboss,
    Convolve,
    Morphology,
    Pixelate,
    Cartoon,
    Sketch,
    Oil,
    Glow,
    AdaptiveThreshold,
    Delay,
    Trails,
    ShowMotion,
    TemporalDenoise,
    Freeze,
    FrameRate,
    ChromaKey,
    ColorKey,
    LumaKey,
    Mask,
    Text,
    Image,
    PictureInPicture,
    CursorHighlight,
    Pointers,
}

/// A filter that was added to the built-in ones.
struct Registered {
    spec: &'static FilterSpec,
    create: Box<dyn Fn() -> Box<dyn CustomFilter> + Send + Sync>,
}

static REGISTERED: RwLock<Vec<Registered>> = RwLock::new(Vec::new());

fn registered() -> std::sync::RwLockReadGuard<'static, Vec<Registered>> {
    REGISTERED.read().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a filter to those that chains can hold, for as long as the program runs. Chains that were read before keep it as
/// unavailable, so register before the settings are loaded.
///
/// # Errors
/// When another filter has that id.
pub fn register(
    spec: &'static FilterSpec,
    create: impl Fn() -> Box<dyn CustomFilter> + Send + Sync + 'static,
) -> Result<(), RegisterError> {
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    let mut known = BUILT_IN.iter().copied().chain(registered.iter().map(|registered| registered.spec));
    if known.any(|known| known.id == spec.id) {
        return Err(RegisterError(spec.id));
    }
    registered.push(Registered { spec, create: Box::new(create) });
    Ok(())
}

/// Why a filter could not be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is a filter `{0}` already; give yours another id")]
pub struct RegisterError(&'static str);

/// The built-in filters in the order of the catalogue.
pub fn built_in() -> &'static [&'static FilterSpec] {
    BUILT_IN
}

/// Every filter: the built-in ones in the order of the catalogue, then those that were registered.
pub fn all() -> Vec<&'static FilterSpec> {
    BUILT_IN.iter().copied().chain(registered().iter().map(|registered| registered.spec)).collect()
}

pub fn find(id: &str) -> Option<&'static FilterSpec> {
    all().into_iter().find(|spec| spec.id == id)
}

impl Filter {
    pub fn spec(&self) -> &'static FilterSpec {
        self.params().spec()
    }
}
