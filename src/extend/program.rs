//! A program that declared itself, the filter that it is, and the processes that run for it.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::declaration::Declaration;
use super::fault::Fault;
use super::kernel::ProgramKernel;
use super::link::Link;
use super::process::Process;
use super::service;
use crate::filter::kernel::{Kernel, Prepare};
use crate::filter::{FilterSpec, ParamError, ParamValue, Params, PrepareError};
use crate::geometry::Size;
use crate::util::Worker;

/// How often one program may run at the same time; each time in a chain is a process of its own.
const MOST_PROCESSES: usize = 8;

/// How long a program is waited for, and for what.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Its first line, at every start.
    pub declaration: Duration,
    /// Its first answer, before which it may have much to load.
    pub first_answer: Duration,
    /// Any other answer; then it is ended.
    pub answer: Duration,
    /// Before it is started again after its first failure; then twice and four times as long.
    pub pause: Duration,
    /// How long a process that nobody uses is kept: moving a slider before it in the chain must not start it anew.
    pub idle: Duration,
    /// How long the pipeline waits for the answer to this very frame, if the program has been that fast lately.
    pub wait: Duration,
    /// A program that takes longer for a picture is bypassed.
    pub slow: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            declaration: Duration::from_secs(5),
            first_answer: Duration::from_secs(20),
            answer: Duration::from_secs(5),
            pause: Duration::from_secs(1),
            idle: Duration::from_secs(10),
            // Less than a frame at 30 a second: a picture that is one frame late would show a moving thing and its effect
            // apart, while waiting this long at worst halves the rate.
            wait: Duration::from_millis(25),
            slow: Duration::from_millis(500),
        }
    }
}

/// A program that the user installed.
pub struct Program {
    pub path: PathBuf,
    pub spec: &'static FilterSpec,
    pub(super) animated: bool,
    /// The line that it declared itself with.
    pub(super) declared: Vec<u8>,
    pub(super) limits: Limits,
    links: Mutex<Vec<(Arc<Link>, Worker)>>,
    closed: AtomicBool,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("path", &self.path).field("id", &self.spec.id).finish_non_exhaustive()
    }
}

impl Program {
    /// Starts the program once to hear what it is, and ends it again.
    ///
    /// # Errors
    /// When it can't be started or does not declare itself.
    pub fn open(path: PathBuf, limits: Limits) -> Result<Arc<Self>, Fault> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut process = Process::start(&path, &name)?;
        let declared = process.declaration(limits.declaration)?;
        drop(process);
        let Declaration { spec, animated } = Declaration::read(&declared)?;
        Ok(Arc::new(Self {
            path,
            spec,
            animated,
            declared,
            limits,
            links: Mutex::default(),
            closed: AtomicBool::new(false),
        }))
    }

    /// A filter with the program's defaults.
    pub fn filter(self: &Arc<Self>) -> ProgramFilter {
        let values = self.spec.params.iter().map(|param| param.kind.default_value()).collect();
        ProgramFilter { program: Arc::clone(self), values }
    }

    /// How many processes run for it, at most.
    pub fn processes(&self) -> usize {
        self.links().iter().filter(|(_, worker)| !worker.is_finished()).count()
    }

    /// Ends every process; none is started any more.
    pub fn close(&self, deadline: Instant) {
        self.closed.store(true, Ordering::Release);
        // Not under the lock, which the threads take to say that they end.
        let mut links = std::mem::take(&mut *self.links());
        for (link, _) in &links {
            link.close();
        }
        for (_, worker) in &mut links {
            worker.join(deadline);
        }
    }

    fn links(&self) -> MutexGuard<'_, Vec<(Arc<Link>, Worker)>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process for one filter of a chain: one that nobody uses at the moment, or a new one. `None` when there are too
    /// many, or everything ends.
    pub(super) fn lease(self: &Arc<Self>) -> Option<Lease> {
        let mut links = self.links();
        links.retain(|(_, worker)| !worker.is_finished());
        if self.closed.load(Ordering::Acquire) {
            return None;
        }
        if let Some((link, _)) = links.iter().find(|(link, _)| !link.is_used.load(Ordering::Acquire)) {
            link.is_used.store(true, Ordering::Release);
            return Some(Lease(Arc::clone(link)));
        }
        if links.len() >= MOST_PROCESSES {
            return None;
        }
        let link = Arc::new(Link::default());
        let (thread, program) = (Arc::clone(&link), Arc::clone(self));
        let worker = Worker::start("program", move || service::serve(&thread, &program));
        links.push((Arc::clone(&link), worker));
        Some(Lease(link))
    }

    /// Whether a link's thread may end because nobody uses it; nobody will from then on.
    pub(super) fn let_go(&self, link: &Link) -> bool {
        let mut links = self.links();
        let found = links.iter().position(|(known, _)| std::ptr::eq(&**known, link));
        match found {
            Some(at) if !link.is_used.load(Ordering::Acquire) => {
                // Dropping the worker leaves its thread, which is this one, to its end.
                links.swap_remove(at);
                true
            }
            Some(_) => false,
            // Everything ends, and whoever closes this waits for the thread.
            None => true,
        }
    }
}

/// The right to use a process; it goes back when this is dropped.
pub(super) struct Lease(Arc<Link>);

impl std::ops::Deref for Lease {
    type Target = Link;
    fn deref(&self) -> &Link {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.is_used.store(false, Ordering::Release);
    }
}

/// The program with its parameters, as a chain holds it.
#[derive(Debug, Clone)]
pub struct ProgramFilter {
    program: Arc<Program>,
    /// In the order of the specification.
    values: Vec<ParamValue>,
}

impl Params for ProgramFilter {
    fn spec(&self) -> &'static FilterSpec {
        self.program.spec
    }

    fn get(&self, id: &str) -> Option<ParamValue> {
        let at = self.program.spec.params.iter().position(|param| param.id == id)?;
        self.values.get(at).cloned()
    }

    fn set(&mut self, id: &str, value: &ParamValue) -> Result<(), ParamError> {
        let spec = self.program.spec;
        let (param, kept) = spec
            .params
            .iter()
            .zip(&mut self.values)
            .find(|(param, _)| param.id == id)
            .ok_or_else(|| spec.unknown(id))?;
        *kept = param.accept(value)?;
        Ok(())
    }
}

impl Prepare for ProgramFilter {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let values = self.program.spec.params.iter().zip(&self.values).map(|(param, value)| {
            // A number that JSON can't hold was refused when it was set.
            (param.id.to_owned(), serde_json::to_value(value).unwrap_or(Value::Null))
        });
        let params = format!("{}\n", Value::Object(values.collect::<Map<_, _>>()));
        Ok(Kernel::Time(Box::new(ProgramKernel::new(Arc::clone(&self.program), input, params.into()))))
    }
}
