//! The input thread's side of the desktop: makes the injector, and makes it anew or keeps it when it fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::injector::{Action, Bell, InjectError, Injector};

/// An injector that failed is made anew at most this often.
const NEW_INJECTOR_GAP: Duration = Duration::from_secs(2);

/// Makes an injector; called again after one failed, because a connection to the desktop does not come back.
pub type MakeInjector = Box<dyn FnMut() -> Result<Box<dyn Injector>, InjectError> + Send>;

/// The connection to the desktop, made when it is first needed.
pub struct DesktopSide {
    make: MakeInjector,
    bell: Bell,
    injector: Option<Box<dyn Injector>>,
    failed_at: Option<Instant>,
}

impl DesktopSide {
    pub fn new(make: MakeInjector, bell: Bell) -> Self {
        Self { make, bell, injector: None, failed_at: None }
    }

    /// Carries the actions out, and leaves out the rest of a text once it is `interrupted`; a failure drops the
    /// connection, and the next event makes a new one.
    pub fn carry_out(
        &mut self,
        actions: &[Action],
        now: Instant,
        interrupted: impl Fn() -> bool,
    ) -> Result<(), InjectError> {
        if self.injector.is_none() {
            if self.failed_at.is_some_and(|at| now.saturating_duration_since(at) < NEW_INJECTOR_GAP) {
                return Err(InjectError::Unavailable("it failed a moment ago".to_owned()));
            }
            self.make(now)?;
        }
        let Some(injector) = &mut self.injector else { return Ok(()) };
        let mut skipped = None;
        for &action in actions {
            if matches!(action, Action::Type(_)) && interrupted() {
                continue;
            }
            if let Err(error) = injector.inject(action) {
                if matches!((&error, action), (InjectError::Skipped(_), Action::Type(_))) {
                    // The rest of a text is worth more than nothing.
                    skipped = Some(error);
                    continue;
                }
                if error.keeps_injector() {
                    return Err(error);
                }
                self.injector = None;
                self.failed_at = Some(now);
                return Err(error);
            }
        }
        self.failed_at = None;
        skipped.map_or(Ok(()), Err)
    }

    /// Makes a new injector, and says whether it is ready.
    pub fn open(&mut self, now: Instant) -> Result<(), InjectError> {
        self.make(now)?;
        self.ready()
    }

    fn make(&mut self, now: Instant) -> Result<(), InjectError> {
        // The old one first: a desktop is not lent twice.
        self.injector = None;
        let mut injector = (self.make)().inspect_err(|_| self.failed_at = Some(now))?;
        injector.set_bell(Arc::clone(&self.bell));
        self.injector = Some(injector);
        self.failed_at = None;
        Ok(())
    }

    /// There is an injector, and its desktop does not let it do anything now.
    pub fn is_waiting(&mut self) -> bool {
        self.ready().is_err()
    }

    /// Gives back a desktop that is only lent.
    pub fn give_back(&mut self) -> Result<(), InjectError> {
        if self.injector.as_ref().is_some_and(|injector| injector.is_lent()) {
            self.injector = None;
        }
        self.ready()
    }

    /// Whether the injector, if there is one, could do something now.
    pub fn ready(&mut self) -> Result<(), InjectError> {
        self.injector.as_mut().map_or(Ok(()), |injector| injector.ready())
    }
}
