//! The input thread: takes events in order, maps them, and has the desktop carry them out. Nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::event::{PointerEvent, PointerKind};
use super::injector::{Action, InjectError, Injector};
use super::mapper::{PointerMapper, Verdict};
use crate::geometry::Geometry;
use crate::util::Worker;

/// Events that wait at most; beyond it what is not a release is dropped and counted.
const MOST_WAITING: usize = 256;
/// An injector that failed is made anew at most this often.
const NEW_INJECTOR_GAP: Duration = Duration::from_secs(2);

/// Makes an injector; called again after one failed, because a connection to the desktop does not come back.
type MakeInjector = Box<dyn FnMut() -> Result<Box<dyn Injector>, InjectError> + Send>;

/// Events by what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputStats {
    pub received: u64,
    pub injected: u64,
    pub refused: u64,
    /// Why the desktop can't be controlled.
    pub unavailable: Option<String>,
    /// The session that holds a button.
    pub holder: Option<u64>,
}

#[derive(Debug)]
enum Task {
    Event(u64, PointerEvent),
    End(u64),
    ReleaseAll,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    allowed: bool,
    closed: bool,
    /// A task was taken and is not finished.
    working: bool,
    stats: InputStats,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    mapper: Mutex<PointerMapper>,
}

/// Where events go in. Off until it is allowed.
pub struct InputHub {
    shared: Arc<Shared>,
    worker: Mutex<Worker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl InputHub {
    pub fn start(make: MakeInjector) -> Arc<Self> {
        let shared = Arc::new(Shared::default());
        let thread = Arc::clone(&shared);
        let mut desktop = DesktopSide { make, injector: None, failed_at: None };
        let worker = Worker::start("input", move || run(&thread, &mut desktop));
        Arc::new(Self { shared, worker: Mutex::new(worker) })
    }

    /// Notes the geometry of the newest frame, before anybody can see that frame.
    pub fn note_geometry(&self, geometry: &Arc<Geometry>, now: Instant) {
        lock(&self.shared.mapper).note_geometry(geometry, now);
    }

    /// Allows or forbids control. Forbidding releases everything that is held.
    pub fn allow(&self, allowed: bool) {
        let mut queue = lock(&self.shared.queue);
        if queue.allowed && !allowed {
            queue.tasks.push_back(Task::ReleaseAll);
        }
        queue.allowed = allowed;
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Queues an event of a session; returns at once. Moves that wait are replaced by newer ones.
    pub fn event(&self, session: u64, event: PointerEvent) {
        let lets_go = matches!(event.kind, PointerKind::Up(_) | PointerKind::Release);
        let mut queue = lock(&self.shared.queue);
        queue.stats.received += 1;
        if !lets_go && (!queue.allowed || queue.tasks.len() >= MOST_WAITING) {
            queue.stats.refused += 1;
            return;
        }
        let is_move = |task: &Task| matches!(task, Task::Event(owner, waiting) if *owner == session && waiting.kind == PointerKind::Move);
        if event.kind == PointerKind::Move && queue.tasks.back().is_some_and(is_move) {
            queue.tasks.pop_back();
        }
        queue.tasks.push_back(Task::Event(session, event));
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Ends a session and releases what it holds.
    pub fn end(&self, session: u64) {
        lock(&self.shared.queue).tasks.push_back(Task::End(session));
        self.shared.changed.notify_all();
    }

    pub fn stats(&self) -> InputStats {
        lock(&self.shared.queue).stats.clone()
    }

    /// Waits until everything queued so far is done; for tests and for the end of the program.
    pub fn settle(&self, deadline: Instant) {
        let mut queue = lock(&self.shared.queue);
        while !queue.tasks.is_empty() || queue.working {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue = self.shared.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Releases everything and ends the thread.
    pub fn stop(&self, deadline: Instant) {
        {
            let mut queue = lock(&self.shared.queue);
            queue.allowed = false;
            queue.tasks.push_back(Task::ReleaseAll);
            queue.closed = true;
        }
        self.shared.changed.notify_all();
        lock(&self.worker).join(deadline);
    }
}

/// The connection to the desktop, made when it is first needed.
struct DesktopSide {
    make: MakeInjector,
    injector: Option<Box<dyn Injector>>,
    failed_at: Option<Instant>,
}

impl DesktopSide {
    /// Carries the actions out; a failure drops the connection, and the next event makes a new one.
    fn carry_out(&mut self, actions: &[Action], now: Instant) -> Result<(), InjectError> {
        if self.injector.is_none() {
            if self.failed_at.is_some_and(|at| now.saturating_duration_since(at) < NEW_INJECTOR_GAP) {
                return Err(InjectError::Unavailable("it failed a moment ago".to_owned()));
            }
            self.injector = Some((self.make)().inspect_err(|_| self.failed_at = Some(now))?);
        }
        let Some(injector) = &mut self.injector else { return Ok(()) };
        for &action in actions {
            if let Err(error) = injector.inject(action) {
                self.injector = None;
                self.failed_at = Some(now);
                return Err(error);
            }
        }
        self.failed_at = None;
        Ok(())
    }
}

fn run(shared: &Shared, desktop: &mut DesktopSide) {
    let mut actions = Vec::new();
    loop {
        let mut queue = lock(&shared.queue);
        let task = loop {
            if let Some(task) = queue.tasks.pop_front() {
                break task;
            }
            if queue.closed {
                return;
            }
            queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        };
        queue.working = true;
        drop(queue);

        actions.clear();
        let now = Instant::now();
        let (verdict, holder) = {
            let mut mapper = lock(&shared.mapper);
            let verdict = match task {
                Task::Event(session, event) => Some(mapper.handle(session, &event, now, &mut actions)),
                Task::End(session) => {
                    mapper.end(session, &mut actions);
                    None
                }
                Task::ReleaseAll => {
                    mapper.release_all(&mut actions);
                    None
                }
            };
            (verdict, mapper.holder())
        };
        let result = if actions.is_empty() { Ok(()) } else { desktop.carry_out(&actions, now) };

        let mut queue = lock(&shared.queue);
        queue.working = false;
        queue.stats.holder = holder;
        match (verdict, &result) {
            (Some(Verdict::Done), Ok(())) => queue.stats.injected += 1,
            (Some(_), _) => queue.stats.refused += 1,
            (None, _) => {}
        }
        if !actions.is_empty() {
            queue.stats.unavailable = result.err().map(|error| error.to_string());
        }
        drop(queue);
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Button;
    use super::*;
    use crate::geometry::{Affine, Size};

    struct Recorder(Arc<Mutex<Vec<Action>>>);

    impl Injector for Recorder {
        fn inject(&mut self, action: Action) -> Result<(), InjectError> {
            lock(&self.0).push(action);
            Ok(())
        }
    }

    fn hub() -> (Arc<InputHub>, Arc<Mutex<Vec<Action>>>) {
        let done = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&done);
        let hub = InputHub::start(Box::new(move || Ok(Box::new(Recorder(Arc::clone(&record))))));
        let geometry = Geometry::untouched(1, Size::new(10, 10), Some(Affine::IDENTITY));
        hub.note_geometry(&Arc::new(geometry), Instant::now());
        (hub, done)
    }

    fn event(kind: PointerKind, seq: u64) -> PointerEvent {
        PointerEvent { kind, position: Some((0.5, 0.5)), epoch: Some(1), seq }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn nothing_happens_until_control_is_allowed() {
        let (hub, done) = hub();
        hub.event(1, event(PointerKind::Down(Button::Left), 1));
        hub.settle(soon());
        assert!(lock(&done).is_empty());
        assert_eq!(hub.stats().refused, 1);
    }

    #[test]
    fn forbidding_control_and_stopping_release_what_is_held() {
        for end in [(|hub| hub.allow(false)) as fn(&InputHub), |hub| hub.end(1), |hub| hub.stop(soon())] {
            let (hub, done) = hub();
            hub.allow(true);
            hub.event(1, event(PointerKind::Down(Button::Middle), 1));
            end(&hub);
            hub.settle(soon());
            assert_eq!(lock(&done).last(), Some(&Action::Release(Button::Middle)));
        }
    }
}
