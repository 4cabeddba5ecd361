//! What viewers do where nobody can know which window gets it. Our own window, which lets people in and gives rights,
//! must not take a viewer's click for the host's; where it can't be made deaf, it asks here whether that may have been one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::injector::{Action, Bell, InjectError, Injector};

/// From the act to the window that hears of it, by way of a busy desktop.
const LATELY: Duration = Duration::from_millis(700);

/// When a viewer last did something that may have been done to our own window.
#[derive(Debug, Default)]
pub struct UnseenActs(Mutex<Option<Instant>>);

impl UnseenActs {
    pub fn note(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Whether something that happens in our window now may be a viewer's doing.
    pub fn lately(&self, now: Instant) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| now.saturating_duration_since(last) < LATELY)
    }
}

/// The same injector, which notes what it does unless it spares our own windows by itself.
pub fn noted(injector: Box<dyn Injector>, acts: &Arc<UnseenActs>) -> Box<dyn Injector> {
    if injector.spares_own_windows() {
        return injector;
    }
    Box::new(Noted { injector, acts: Arc::clone(acts) })
}

struct Noted {
    injector: Box<dyn Injector>,
    acts: Arc<UnseenActs>,
}

impl Injector for Noted {
    fn inject(&mut self, action: Action) -> Result<(), InjectError> {
        // A way of the pointer does nothing to a window, and a release does as much as a press.
        if !matches!(action, Action::MoveTo(_) | Action::MoveBy { .. }) {
            self.acts.note(Instant::now());
        }
        self.injector.inject(action)
    }

    fn ready(&mut self) -> Result<(), InjectError> {
        self.injector.ready()
    }

    fn set_bell(&mut self, bell: Bell) {
        self.injector.set_bell(bell);
    }

    fn is_lent(&self) -> bool {
        self.injector.is_lent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Button;

    struct Desktop {
        spares: bool,
    }

    impl Injector for Desktop {
        fn inject(&mut self, _: Action) -> Result<(), InjectError> {
            Ok(())
        }

        fn spares_own_windows(&self) -> bool {
            self.spares
        }
    }

    #[test]
    fn clicks_count_where_windows_can_not_be_told_apart_and_moves_never_do() {
        for (spares, action, counts) in [
            (false, Action::MoveBy { dx: 1, dy: 1 }, false),
            (false, Action::Press(Button::Left), true),
            (false, Action::Release(Button::Left), true),
            (false, Action::Type('a'), true),
            (true, Action::Press(Button::Left), false),
        ] {
            let acts = Arc::new(UnseenActs::default());
            noted(Box::new(Desktop { spares }), &acts).inject(action).expect("it takes everything");
            assert_eq!(acts.lately(Instant::now()), counts, "{spares} {action:?}");
            assert!(!acts.lately(Instant::now() + LATELY), "not for ever");
        }
    }
}
