//! A program's filter as the pipeline runs it.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::aside::{Aside, Terms};
use super::program::{Lease, Program};
use crate::filter::kernel::{Moment, Shown, TimeKernel};
use crate::geometry::Size;

pub(super) struct ProgramKernel {
    program: Arc<Program>,
    /// One line of JSON.
    params: Arc<str>,
    /// From the first frame on.
    lease: Option<Lease>,
    aside: Aside,
}

impl ProgramKernel {
    pub(super) fn new(program: Arc<Program>, size: Size, params: Arc<str>) -> Self {
        Self { program, params, lease: None, aside: Aside::new(size) }
    }
}

impl TimeKernel for ProgramKernel {
    fn run(&mut self, pixels: &mut [u8], moment: Moment) -> Shown {
        let Some(lease) = self.lease.take().or_else(|| self.program.lease()) else {
            self.aside.complain("it runs too often already; remove it elsewhere in the chain");
            return Shown::Yes;
        };
        let limits = &self.program.limits;
        let terms = Terms {
            name: self.program.spec.label,
            params: &self.params,
            animated: self.program.animated,
            wait: limits.wait,
            slow: limits.slow,
            answer_bytes: pixels.len(),
        };
        if let Some(answer) = self.aside.run(&lease, pixels, moment, &terms) {
            pixels.copy_from_slice(&answer);
        }
        self.lease = Some(lease);
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        let Ok(older) = older.downcast::<Self>() else { return };
        if Arc::ptr_eq(&older.program, &self.program) {
            self.lease = older.lease;
            self.aside.go_on_from(older.aside, older.params == self.params);
        }
    }

    fn goes_on(&self) -> bool {
        self.program.animated || !self.aside.is_settled()
    }

    fn memory(&self) -> [usize; 2] {
        self.aside.memory()
    }

    fn aside(&self) -> Option<Duration> {
        self.aside.took()
    }

    fn complaint(&self) -> Option<String> {
        self.aside.complaint()
    }
}
