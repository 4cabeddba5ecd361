//! The input thread: takes events in order, maps them, and has the desktop carry them out. Nobody waits for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::baton::{Baton, BatonWish, Holder};
use super::desktop_side::{DesktopSide, MakeInjector};
use super::event::{InputEvent, PointerKind};
use super::injector::{Bell, InjectError};
use super::mapper::{PointerMapper, Verdict};
use crate::geometry::{Geometry, Point, Source};
use crate::util::Worker;

/// Events that wait at most; beyond it what is not a release is dropped and counted.
const MOST_WAITING: usize = 256;
/// What waited longer is aimed at a picture that is gone.
const MOST_WAIT: Duration = Duration::from_millis(500);
/// Viewers can do nothing for so long after the person at the host did something.
const LOCAL_FIRST: Duration = Duration::from_secs(3);
/// Whoever did something within this time is shown as controlling.
const CONTROLS: Duration = Duration::from_secs(3);

/// Events by what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputStats {
    pub received: u64,
    pub injected: u64,
    pub refused: u64,
    /// Why the desktop can't be controlled.
    pub unavailable: Option<String>,
    /// That is because it asks the person at the host just now.
    pub asking: bool,
    /// The session that holds a button or a key.
    pub holder: Option<u64>,
}

/// Who controls the desktop now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Control {
    pub holder: Holder,
    /// The holder did something in the last seconds.
    pub busy: bool,
    /// Sessions that ask for it, the longest waiting first.
    pub asking: Vec<u64>,
    /// The person at the host is using the mouse or keyboard, so viewers wait.
    pub local: bool,
}

impl InputStats {
    fn note(&mut self, error: Option<&InjectError>) {
        self.asking = error == Some(&InjectError::Asking);
        self.unavailable = error.map(ToString::to_string);
    }
}

#[derive(Debug)]
enum Task {
    Event(u64, InputEvent, Instant),
    /// Lets go what a session holds; it goes on.
    Release(u64),
    End(u64),
    ReleaseAll,
    /// Makes a new injector.
    Open,
    /// Gives back a desktop that is only lent.
    GiveBack,
    /// Looks whether the injector is ready.
    Look,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    allowed: bool,
    closed: bool,
    /// A task was taken and is not finished.
    working: bool,
    stats: InputStats,
    baton: Baton,
    /// When the holder did something, and when the person at the host did.
    acted: Option<Instant>,
    local: Option<Instant>,
}

impl Queue {
    fn is_local(&self, now: Instant) -> bool {
        self.local.is_some_and(|at| now.saturating_duration_since(at) < LOCAL_FIRST)
    }

    /// Changes who has the desktop; whoever loses it lets go.
    fn pass(&mut self, change: impl FnOnce(&mut Baton)) {
        let before = self.baton.holder();
        change(&mut self.baton);
        if let Holder::Session(session) = before
            && self.baton.holder() != before
        {
            self.acted = None;
            self.tasks.push_back(Task::Release(session));
        }
    }
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    mapper: Mutex<PointerMapper>,
    /// Grows when everything has to be let go, which does not wait for the end of a long text.
    interrupts: AtomicU64,
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
        let hub = Arc::downgrade(&shared);
        let bell: Bell = Arc::new(move || {
            if let Some(shared) = hub.upgrade() {
                lock(&shared.queue).tasks.push_back(Task::Look);
                shared.changed.notify_all();
            }
        });
        let mut desktop = DesktopSide::new(make, bell);
        let worker = Worker::start("input", move || run(&thread, &mut desktop));
        Arc::new(Self { shared, worker: Mutex::new(worker) })
    }

    /// Notes the geometry of the newest frame, before anybody can see that frame.
    pub fn note_geometry(&self, geometry: &Arc<Geometry>, now: Instant) {
        lock(&self.shared.mapper).note_geometry(geometry, now);
    }

    /// Allows or forbids control. Forbidding releases everything that is held, and gives back a desktop that is lent.
    /// True when it was forbidden before and is allowed now.
    pub fn allow(&self, allowed: bool) -> bool {
        let mut queue = lock(&self.shared.queue);
        if queue.allowed && !allowed {
            self.release_all(&mut queue);
            queue.tasks.push_back(Task::GiveBack);
        }
        let begins = allowed && !queue.allowed;
        queue.allowed = allowed;
        drop(queue);
        self.shared.changed.notify_all();
        begins
    }

    /// Opens the desktop now, before the first event needs it; a desktop that asks its user does so, again if need be.
    pub fn open(&self) {
        self.push(Task::Open);
    }

    /// Where on the captured picture a place of the shown one comes from.
    pub fn source_at(&self, epoch: u32, place: (f64, f64), now: Instant) -> Option<Point<Source>> {
        lock(&self.shared.mapper).source_at(epoch, place, now)
    }

    /// Queues an event of a session; returns at once. Moves that wait are replaced by newer ones.
    pub fn event(&self, session: u64, event: InputEvent, now: Instant) {
        let moves = |event: &InputEvent| matches!(event, InputEvent::Pointer(event) if event.kind == PointerKind::Move);
        let is_move = moves(&event);
        let mut queue = lock(&self.shared.queue);
        queue.stats.received += 1;
        if !event.lets_go() {
            let mut allowed = queue.allowed && queue.tasks.len() < MOST_WAITING && !queue.is_local(now);
            if allowed {
                queue.pass(|baton| allowed = baton.lets(session, is_move, now));
            }
            if !allowed {
                queue.stats.refused += 1;
                return;
            }
            queue.acted = Some(now);
        }
        if queue.tasks.len() >= MOST_WAITING {
            // What lets something go is never left out; of a flood of them one is enough, which lets go everything.
            let released = queue.tasks.iter().any(|task| matches!(task, Task::Release(owner) if *owner == session));
            if !released {
                queue.tasks.push_back(Task::Release(session));
            }
            return;
        }
        let waits = |task: &Task| matches!(task, Task::Event(owner, waiting, _) if *owner == session && moves(waiting));
        if is_move && queue.tasks.back().is_some_and(waits) {
            queue.tasks.pop_back();
        }
        queue.tasks.push_back(Task::Event(session, event, now));
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Releases what a session holds; the session may go on.
    pub fn release(&self, session: u64) {
        self.push(Task::Release(session));
    }

    /// Ends a session and releases what it holds.
    pub fn end(&self, session: u64) {
        lock(&self.shared.queue).baton.leave(session);
        self.push(Task::End(session));
    }

    /// The person at the host did something: viewers let go, and wait for a few seconds.
    pub fn local_activity(&self, now: Instant) {
        let mut queue = lock(&self.shared.queue);
        // A hand that goes on moving releases once.
        let begins = !queue.is_local(now);
        queue.local = Some(now);
        if begins {
            self.release_all(&mut queue);
        }
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// A viewer asks for the desktop, or gives it away.
    pub fn wish(&self, session: u64, wish: BatonWish) {
        lock(&self.shared.queue).pass(|baton| baton.wish(session, wish));
        self.shared.changed.notify_all();
    }

    /// The person at the host decides who has the desktop.
    pub fn give(&self, holder: Holder) {
        lock(&self.shared.queue).pass(|baton| baton.give(holder));
        self.shared.changed.notify_all();
    }

    /// Who controls the desktop now.
    pub fn control(&self, now: Instant) -> Control {
        let queue = lock(&self.shared.queue);
        let busy = queue.acted.is_some_and(|at| now.saturating_duration_since(at) < CONTROLS);
        Control {
            holder: queue.baton.holder(),
            busy: busy || queue.stats.holder.is_some(),
            asking: queue.baton.asking().collect(),
            local: queue.is_local(now),
        }
    }

    fn release_all(&self, queue: &mut Queue) {
        queue.tasks.push_back(Task::ReleaseAll);
        self.shared.interrupts.fetch_add(1, Ordering::Relaxed);
    }

    fn push(&self, task: Task) {
        lock(&self.shared.queue).tasks.push_back(task);
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
            self.release_all(&mut queue);
            queue.closed = true;
        }
        self.shared.changed.notify_all();
        lock(&self.worker).join(deadline);
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
        let interrupts = shared.interrupts.load(Ordering::Relaxed);
        let interrupted = || shared.interrupts.load(Ordering::Relaxed) != interrupts;
        drop(queue);

        actions.clear();
        let now = Instant::now();
        if matches!(task, Task::Open | Task::GiveBack | Task::Look) {
            let result = match task {
                Task::Open => desktop.open(now),
                Task::GiveBack => desktop.give_back(),
                _ => desktop.ready(),
            };
            let waits = desktop.is_waiting();
            if waits {
                // Nothing is down any more on a desktop that is gone.
                lock(&shared.mapper).release_all(&mut actions);
            }
            let mut queue = lock(&shared.queue);
            queue.working = false;
            if waits {
                queue.stats.holder = None;
            }
            queue.stats.note(result.err().as_ref());
            drop(queue);
            shared.changed.notify_all();
            continue;
        }
        let (verdict, holder) = {
            let mut mapper = lock(&shared.mapper);
            let verdict = match task {
                Task::Event(_, event, since)
                    if !event.lets_go() && now.saturating_duration_since(since) > MOST_WAIT =>
                {
                    Some(Verdict::Refused)
                }
                Task::Event(session, event, _) => Some(mapper.handle(session, &event, now, &mut actions)),
                Task::Release(session) => {
                    mapper.release(session, &mut actions);
                    None
                }
                Task::End(session) => {
                    mapper.end(session, &mut actions);
                    None
                }
                Task::ReleaseAll => {
                    mapper.release_all(&mut actions);
                    None
                }
                // Tended to above.
                Task::Open | Task::GiveBack | Task::Look => None,
            };
            (verdict, mapper.holder())
        };
        let result = if actions.is_empty() { Ok(()) } else { desktop.carry_out(&actions, now, interrupted) };
        let mut holder = holder;
        if result.is_err() && desktop.is_waiting() {
            // Nothing went down, and whoever thinks so presses again once it can.
            lock(&shared.mapper).release_all(&mut actions);
            holder = None;
        }

        let mut queue = lock(&shared.queue);
        queue.working = false;
        queue.stats.holder = holder;
        match (verdict, &result) {
            (Some(Verdict::Done), Ok(())) => queue.stats.injected += 1,
            (Some(_), _) => queue.stats.refused += 1,
            (None, _) => {}
        }
        let error = result.err();
        if let Some(error) = &error
            && error.is_passing()
        {
            tracing::debug!("an event was left out: {error}");
        } else if !actions.is_empty() {
            queue.stats.note(error.as_ref());
        }
        drop(queue);
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::{Button, PointerEvent};
    use super::super::injector::{Action, Injector};
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

    fn event(kind: PointerKind, seq: u64) -> InputEvent {
        InputEvent::Pointer(PointerEvent { kind, position: Some((0.5, 0.5)), epoch: Some(1), seq, time: None })
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn nothing_happens_until_control_is_allowed() {
        let (hub, done) = hub();
        hub.event(1, event(PointerKind::Down(Button::Left), 1), Instant::now());
        hub.settle(soon());
        assert!(lock(&done).is_empty());
        assert_eq!(hub.stats().refused, 1);
    }

    #[test]
    fn forbidding_control_and_stopping_release_what_is_held() {
        for end in [
            (|hub| _ = hub.allow(false)) as fn(&InputHub),
            |hub| hub.end(1),
            |hub| hub.release(1),
            |hub| hub.local_activity(Instant::now()),
            |hub| hub.give(Holder::Host),
            |hub| hub.give(Holder::Session(2)),
            |hub| hub.wish(1, BatonWish::GiveAway),
            |hub| hub.stop(soon()),
        ] {
            let (hub, done) = hub();
            hub.allow(true);
            hub.event(1, event(PointerKind::Down(Button::Middle), 1), Instant::now());
            end(&hub);
            hub.settle(soon());
            assert_eq!(lock(&done).last(), Some(&Action::Release(Button::Middle)));
        }
    }

    #[test]
    fn the_person_at_the_host_comes_first() {
        let (hub, done) = hub();
        hub.allow(true);
        let start = Instant::now();
        hub.local_activity(start);
        hub.event(1, event(PointerKind::Down(Button::Left), 1), start + Duration::from_millis(2_900));
        hub.settle(soon());
        assert_eq!((lock(&done).len(), hub.stats().refused), (0, 1));
        assert!(hub.control(start).local);
        hub.event(1, event(PointerKind::Down(Button::Left), 2), start + Duration::from_millis(3_100));
        hub.settle(soon());
        assert_eq!(hub.stats().injected, 1);
    }

    #[test]
    fn a_second_viewer_waits_until_the_first_gives_the_desktop_away() {
        let (hub, _) = hub();
        hub.allow(true);
        let now = Instant::now();
        hub.event(1, event(PointerKind::Down(Button::Left), 1), now);
        hub.event(2, event(PointerKind::Down(Button::Left), 1), now);
        hub.wish(2, BatonWish::Ask);
        let control = hub.control(now);
        assert_eq!((control.holder, control.busy, control.asking), (Holder::Session(1), true, vec![2]));
        hub.end(1);
        hub.event(2, event(PointerKind::Down(Button::Left), 2), now);
        hub.settle(soon());
        assert_eq!((hub.stats().injected, hub.stats().refused), (2, 1));
    }

    #[test]
    fn a_flood_of_releases_is_bounded_and_still_lets_go() {
        let (open, wait) = std::sync::mpsc::channel::<()>();
        let done = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&done);
        struct Gated(Option<std::sync::mpsc::Receiver<()>>, Arc<Mutex<Vec<Action>>>);
        impl Injector for Gated {
            fn inject(&mut self, action: Action) -> Result<(), InjectError> {
                // The desktop is stuck with the first.
                if let Some(wait) = self.0.take() {
                    let _ = wait.recv();
                }
                lock(&self.1).push(action);
                Ok(())
            }
        }
        let mut wait = Some(wait);
        let hub = InputHub::start(Box::new(move || Ok(Box::new(Gated(wait.take(), Arc::clone(&record))))));
        let geometry = Geometry::untouched(1, Size::new(10, 10), Some(Affine::IDENTITY));
        hub.note_geometry(&Arc::new(geometry), Instant::now());
        hub.allow(true);
        hub.event(1, event(PointerKind::Down(Button::Left), 1), Instant::now());
        for seq in 2..10_000 {
            hub.event(1, event(PointerKind::Up(Button::Right), seq), Instant::now());
        }
        assert!(lock(&hub.shared.queue).tasks.len() <= MOST_WAITING + 1);
        open.send(()).expect("the desktop waits");
        hub.settle(soon());
        assert_eq!(lock(&done).last(), Some(&Action::Release(Button::Left)));
    }

    #[test]
    fn a_long_text_stops_when_everything_has_to_be_let_go() {
        struct Slow(Arc<AtomicU64>);
        impl Injector for Slow {
            fn inject(&mut self, _: Action) -> Result<(), InjectError> {
                self.0.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
                Ok(())
            }
        }
        let typed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&typed);
        let hub = InputHub::start(Box::new(move || Ok(Box::new(Slow(Arc::clone(&count))))));
        hub.allow(true);
        hub.event(1, InputEvent::Text("x".repeat(4_000)), Instant::now());
        while typed.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        hub.allow(false);
        hub.settle(soon());
        assert!(typed.load(Ordering::Relaxed) < 4_000);
    }
}
