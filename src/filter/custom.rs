//! Filters that are not built in: written in Rust by somebody else, or declared by another program.

use std::fmt;

use super::kernel::Prepare;
use super::spec::Params;

/// What a filter has to be to take part. Everything that `params!` declares and that implements [`Prepare`] is one.
pub trait CustomFilter: Params + Prepare + fmt::Debug + Send + Sync {
    fn clone_box(&self) -> Box<dyn CustomFilter>;
}

impl<T: Params + Prepare + fmt::Debug + Clone + Send + Sync + 'static> CustomFilter for T {
    fn clone_box(&self) -> Box<dyn CustomFilter> {
        Box::new(self.clone())
    }
}

/// A registered filter with its parameters.
#[derive(Debug)]
pub struct Custom(Box<dyn CustomFilter>);

impl Custom {
    pub fn new(filter: Box<dyn CustomFilter>) -> Self {
        Self(filter)
    }

    pub(super) fn filter(&self) -> &dyn CustomFilter {
        &*self.0
    }

    pub(super) fn params(&self) -> &dyn Params {
        &*self.0
    }

    pub(super) fn params_mut(&mut self) -> &mut dyn Params {
        &mut *self.0
    }
}

impl Clone for Custom {
    fn clone(&self) -> Self {
        Self(self.0.clone_box())
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        let (spec, others) = (self.0.spec(), other.0.spec());
        std::ptr::eq(spec, others) && spec.params.iter().all(|param| self.0.get(param.id) == other.0.get(param.id))
    }
}
