//! The closed list of built-in filters.

use super::color::{BrightnessContrast, Grayscale};
use super::geometric::Crop;
use super::spec::{FilterSpec, Params};

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
        }
    };
}

filters! {
    BrightnessContrast,
    Grayscale,
    Crop,
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
