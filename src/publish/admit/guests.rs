//! Who is let in and what they may do: a state machine that is told the time, bounded everywhere. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::keys::{Key, Keys, clean_name};
use super::log::Happening;
use super::requests::{Answer, Prompt, Requests, Visitor};
use super::secret::{Digest, new_code, new_secret};
use crate::publish::roles::{Role, Roles};

/// A one-time link is good for so long.
pub const INVITATION_TIME: Duration = Duration::from_secs(120);
/// A code is good for so long, and for so many wrong tries.
pub const CODE_TIME: Duration = Duration::from_secs(300);
pub const WRONG_TRIES: u32 = 5;
/// The oldest gives way.
const MOST_INVITATIONS: usize = 16;
const MOST_GUESTS: usize = 64;

/// What somebody shows at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Out of a one-time link.
    Token(String),
    /// The eight digits that the host shows.
    Code(String),
    /// What a device that was let in before keeps.
    Device(String),
}

/// What becomes of an attempt to enter. There is one refusal for everything that can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Refused,
    /// The host is asked; the page asks again under this name.
    Waiting {
        name: String,
    },
    Allowed(Admission),
}

/// Somebody was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    pub session: String,
    pub roles: Roles,
    /// What the device may keep, where the host said so.
    pub device: Option<String>,
}

/// What the host answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Deny,
    Allow { roles: Roles, remember: bool },
}

/// How somebody was let in, which decides what they may do from moment to moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Nothing was shown: only where anyone may watch.
    Anyone,
    /// The standing link; the digest of its secret, so that another secret ends it.
    Standing(Digest),
    Guest(u64),
    /// A long-lived token.
    Token(Digest),
}

/// One line of the list of guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestInfo {
    pub id: u64,
    pub visitor: Visitor,
    pub roles: Roles,
    /// Whether the device may come back by itself.
    pub remembered: bool,
}

#[derive(Debug)]
struct Guest {
    visitor: Visitor,
    roles: Roles,
    session: Digest,
    device: Option<Digest>,
}

#[derive(Debug)]
struct Invitation {
    token: String,
    digest: Digest,
    until: Instant,
}

#[derive(Debug)]
struct Code {
    digits: String,
    digest: Digest,
    until: Instant,
    wrong: u32,
}

/// Everything about who is in, who asks, and what lets them.
#[derive(Debug, Default)]
pub struct Guests {
    invitations: Vec<Invitation>,
    code: Option<Code>,
    backoff: Backoff,
    requests: Requests,
    guests: BTreeMap<u64, Guest>,
    pub keys: Keys,
    last_id: u64,
    /// Devices that were remembered or forgotten and are not in the file yet.
    pub unsaved: Vec<DeviceChange>,
    /// What happened since somebody last took it.
    pub happened: Vec<Happening>,
}

/// A change of what is remembered, for the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChange {
    Remember(Key),
    Forget(Digest),
    Rename(Digest, String),
}

impl Guests {
    /// A new one-time link's token.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn invite(&mut self, now: Instant) -> Result<String, getrandom::Error> {
        let token = new_secret()?;
        if self.invitations.len() >= MOST_INVITATIONS {
            self.invitations.remove(0);
        }
        let digest = Digest::of(token.as_bytes());
        self.invitations.push(Invitation { token: token.clone(), digest, until: now + INVITATION_TIME });
        Ok(token)
    }

    /// The newest invitation that still holds, and for how long it does.
    pub fn invitation(&self, now: Instant) -> Option<(&str, Duration)> {
        let newest = self.invitations.last().filter(|invitation| now < invitation.until)?;
        Some((&newest.token, newest.until - now))
    }

    /// Another code; the old one is worthless from now on.
    ///
    /// # Errors
    /// When the system gives no random numbers; there is no code then.
    pub fn renew_code(&mut self, now: Instant) -> Result<(), getrandom::Error> {
        self.code = None;
        let digits = new_code()?;
        self.code = Some(Code { digest: Digest::of(digits.as_bytes()), digits, until: now + CODE_TIME, wrong: 0 });
        Ok(())
    }

    /// The code, and for how long it holds.
    pub fn code(&self, now: Instant) -> Option<(&str, Duration)> {
        let code = self.code.as_ref().filter(|code| now < code.until)?;
        Some((&code.digits, code.until - now))
    }

    /// Somebody wants to come in. `ask` says whether the host wants to be asked.
    pub fn enter(
        &mut self,
        credential: &Credential,
        (visitor, wished): (Visitor, Roles),
        ask: bool,
        now: Instant,
    ) -> Entry {
        self.tick(now);
        let address = visitor.address;
        if self.backoff.waits(address, now) {
            return Entry::Refused;
        }
        let known = match credential {
            Credential::Token(token) => self.take_invitation(token).then_some(None),
            Credential::Code(digits) => self.try_code(digits, now).then_some(None),
            Credential::Device(secret) => {
                let digest = Digest::of(secret.as_bytes());
                self.keys.device(digest).map(|key| Some((digest, key.name.clone(), key.roles)))
            }
        };
        let Some(device) = known else {
            // A page shows what it kept by itself, and 128 bits need no protection against guessing.
            if !matches!(credential, Credential::Device(_)) {
                self.backoff.wrong(address, now);
                self.happened.push(Happening::Refused(visitor));
            }
            return Entry::Refused;
        };
        self.backoff.right(address);
        if let Some((digest, name, roles)) = device {
            let visitor = Visitor { name, ..visitor };
            return self.admit(visitor, roles, Some(digest)).map_or(Entry::Refused, Entry::Allowed);
        }
        let visitor = self.named(visitor);
        if !ask {
            return self.admit(visitor, Roles::WATCH, None).map_or(Entry::Refused, Entry::Allowed);
        }
        let Ok(name) = new_secret() else { return Entry::Refused };
        let id = self.new_id();
        if !self.requests.join(id, &name, visitor.clone(), wished, now) {
            return Entry::Refused;
        }
        self.happened.push(Happening::Asked(visitor, wished));
        Entry::Waiting { name }
    }

    /// What became of a request to come in.
    pub fn poll(&mut self, name: &str, now: Instant) -> Entry {
        self.tick(now);
        match self.requests.poll(name, now) {
            None | Some(Answer::Denied) => Entry::Refused,
            Some(Answer::Waiting) => Entry::Waiting { name: name.to_owned() },
            Some(Answer::Allowed(admission)) => Entry::Allowed(admission),
        }
    }

    /// Whom the host is asked about now.
    pub fn prompt(&self, now: Instant) -> Option<Prompt> {
        self.requests.prompt(now)
    }

    pub fn waiting(&self) -> usize {
        self.requests.waiting()
    }

    /// The host's answer to a prompt; one that is not shown any more changes nothing. `made` is today's date.
    pub fn answer(&mut self, id: u64, verdict: Verdict, made: &str, now: Instant) {
        let Some(visitor) = self.requests.shown(id) else { return };
        let answer = match verdict {
            Verdict::Deny => {
                self.happened.push(Happening::Denied(visitor));
                Answer::Denied
            }
            Verdict::Allow { roles, remember } => {
                let kept = if remember { new_secret().ok() } else { None };
                let digest = kept.as_ref().map(|kept| Digest::of(kept.as_bytes()));
                if let Some(kept) = &kept {
                    let key = Key::new(visitor.name.clone(), roles, kept, made.to_owned());
                    self.keys.add_device(key.clone());
                    self.unsaved.push(DeviceChange::Remember(key));
                }
                match self.admit(visitor, roles, digest) {
                    Some(admission) => Answer::Allowed(Admission { device: kept, ..admission }),
                    None => Answer::Denied,
                }
            }
        };
        self.requests.decide(id, answer, now);
    }

    /// The guest whose session this is.
    pub fn session(&self, digest: Digest) -> Option<u64> {
        let fits = |found, (id, guest): (&u64, &Guest)| if guest.session == digest { Some(*id) } else { found };
        self.guests.iter().fold(None, fits)
    }

    /// What a pass allows at this moment, as far as it is written down here.
    pub fn roles(&self, pass: &Pass) -> Roles {
        match pass {
            Pass::Guest(id) => self.guests.get(id).map(|guest| guest.roles).unwrap_or_default(),
            Pass::Token(digest) => self.keys.token(*digest).map(|key| key.roles).unwrap_or_default(),
            Pass::Anyone | Pass::Standing(_) => Roles::NONE,
        }
    }

    /// What a guest or a token is called.
    pub fn name(&self, pass: &Pass) -> Option<String> {
        match pass {
            Pass::Guest(id) => self.guests.get(id).map(|guest| guest.visitor.name.clone()),
            Pass::Token(digest) => self.keys.token(*digest).map(|key| key.name.clone()),
            Pass::Anyone | Pass::Standing(_) => None,
        }
    }

    /// Gives or takes a role; without watching a guest is gone.
    pub fn set_role(&mut self, id: u64, role: Role, given: bool) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        let roles = if given { guest.roles.with(role) } else { guest.roles.without(role) };
        if roles.is_empty() {
            return self.remove(id);
        }
        if roles != guest.roles {
            guest.roles = roles;
            self.happened.push(Happening::Roles(guest.visitor.clone(), roles));
        }
    }

    /// Gives a guest the name that the host knows; a device that is remembered keeps it.
    pub fn rename(&mut self, id: u64, name: &str) {
        let (Some(guest), Some(name)) = (self.guests.get_mut(&id), clean_name(name)) else { return };
        if guest.visitor.name == name {
            return;
        }
        let before = guest.visitor.clone();
        guest.visitor.name.clone_from(&name);
        if let Some(device) = guest.device {
            self.keys.rename_device(device, &name);
            self.unsaved.push(DeviceChange::Rename(device, name.clone()));
        }
        self.happened.push(Happening::Renamed(before, name));
    }

    /// Ends a guest's session at once; a device that was remembered is forgotten.
    pub fn remove(&mut self, id: u64) {
        let Some(guest) = self.guests.remove(&id) else { return };
        self.happened.push(Happening::Removed(guest.visitor));
        if let Some(device) = guest.device {
            self.forget(device);
        }
    }

    /// Forgets a device, and ends the sessions that it began.
    pub fn forget(&mut self, device: Digest) {
        self.keys.remove_device(device);
        self.unsaved.push(DeviceChange::Forget(device));
        let its: Vec<u64> =
            self.guests.iter().filter(|(_, guest)| guest.device == Some(device)).map(|(id, _)| *id).collect();
        for id in its {
            if let Some(guest) = self.guests.remove(&id) {
                self.happened.push(Happening::Removed(guest.visitor));
            }
        }
    }

    /// Ends everything that belongs to one time of sharing: sessions, requests, invitations and the code.
    pub fn clear(&mut self) {
        self.invitations.clear();
        self.code = None;
        self.requests.clear();
        for (_, guest) in std::mem::take(&mut self.guests) {
            self.happened.push(Happening::Left(guest.visitor));
        }
    }

    /// The guests, the first one on top.
    pub fn list(&self) -> Vec<GuestInfo> {
        let info = |(id, guest): (&u64, &Guest)| GuestInfo {
            id: *id,
            visitor: guest.visitor.clone(),
            roles: guest.roles,
            remembered: guest.device.is_some(),
        };
        self.guests.iter().map(info).collect()
    }

    /// Moves on with the time.
    pub fn tick(&mut self, now: Instant) {
        self.invitations.retain(|invitation| now < invitation.until);
        for visitor in self.requests.tick(now) {
            self.happened.push(Happening::Denied(visitor));
        }
    }

    fn take_invitation(&mut self, token: &str) -> bool {
        let digest = Digest::of(token.as_bytes());
        // All of them are compared, whichever fits.
        let place = self
            .invitations
            .iter()
            .enumerate()
            .fold(None, |found, (place, invitation)| if invitation.digest == digest { Some(place) } else { found });
        place.map(|place| self.invitations.remove(place)).is_some()
    }

    fn try_code(&mut self, digits: &str, now: Instant) -> bool {
        let given = Digest::of(digits.as_bytes());
        let Some(code) = self.code.as_mut().filter(|code| now < code.until) else { return false };
        if code.digest == given {
            return true;
        }
        code.wrong += 1;
        if code.wrong >= WRONG_TRIES {
            // Without random numbers there is no code any more, which is safe.
            let _ = self.renew_code(now);
            self.happened.push(Happening::CodeRenewed);
        }
        false
    }

    /// A place and a session; `None` where there are too many guests or no random numbers.
    fn admit(&mut self, visitor: Visitor, roles: Roles, device: Option<Digest>) -> Option<Admission> {
        // Whoever comes back with the same device takes the place of before.
        if device.is_some() {
            self.guests.retain(|_, guest| guest.device != device);
        }
        if self.guests.len() >= MOST_GUESTS || roles.is_empty() {
            return None;
        }
        let session = new_secret().ok()?;
        let id = self.new_id();
        self.happened.push(Happening::Entered(visitor.clone(), roles));
        let digest = Digest::of(session.as_bytes());
        self.guests.insert(id, Guest { visitor, roles, session: digest, device });
        Some(Admission { session, roles, device: None })
    }

    /// Gives a name to whoever has none.
    fn named(&self, visitor: Visitor) -> Visitor {
        let number = self.last_id + 1;
        let name = clean_name(&visitor.name).unwrap_or_else(|| format!("Guest {number}"));
        Visitor { name, ..visitor }
    }

    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Whether this source has to wait; for the tests.
    pub fn backs_off(&self, address: IpAddr, now: Instant) -> bool {
        self.backoff.waits(address, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(last: u8) -> Visitor {
        Visitor { name: "Anna".to_owned(), address: [192, 0, 2, last].into(), browser: Some("Firefox".to_owned()) }
    }

    fn try_token(guests: &mut Guests, token: &str, last: u8, now: Instant) -> Entry {
        guests.enter(&Credential::Token(token.to_owned()), (visitor(last), Roles::WATCH), false, now)
    }

    fn try_code(guests: &mut Guests, code: &str, last: u8, now: Instant) -> Entry {
        guests.enter(&Credential::Code(code.to_owned()), (visitor(last), Roles::WATCH), false, now)
    }

    fn session(entry: &Entry) -> Digest {
        let Entry::Allowed(admission) = entry else { panic!("{entry:?}") };
        Digest::of(admission.session.as_bytes())
    }

    #[test]
    fn an_invitation_lets_in_once_and_for_two_minutes() {
        let (mut guests, start) = (Guests::default(), Instant::now());
        let token = guests.invite(start).unwrap();
        let entry = try_token(&mut guests, &token, 1, start);
        let id = guests.session(session(&entry)).unwrap();
        assert_eq!(guests.roles(&Pass::Guest(id)), Roles::WATCH);
        assert_eq!(try_token(&mut guests, &token, 2, start), Entry::Refused);
        let late = guests.invite(start).unwrap();
        assert_eq!(guests.invitation(start).map(|(token, _)| token), Some(late.as_str()));
        assert_eq!(try_token(&mut guests, &late, 3, start + INVITATION_TIME), Entry::Refused);
        assert_eq!(guests.invitation(start + INVITATION_TIME), None);
    }

    #[test]
    fn five_wrong_tries_change_the_code_from_however_many_addresses() {
        let (mut guests, now) = (Guests::default(), Instant::now());
        guests.renew_code(now).unwrap();
        let code = guests.code(now).unwrap().0.to_owned();
        let wrong = if code == "00000000" { "00000001" } else { "00000000" };
        for source in 1..=4 {
            assert_eq!(try_code(&mut guests, wrong, source, now), Entry::Refused);
            assert_eq!(guests.code(now).unwrap().0, code);
        }
        assert_eq!(try_code(&mut guests, wrong, 5, now), Entry::Refused);
        assert_ne!(guests.code(now).unwrap().0, code);
        assert_eq!(try_code(&mut guests, &code, 6, now), Entry::Refused);
        let renewed = guests.code(now).unwrap().0.to_owned();
        assert!(matches!(try_code(&mut guests, &renewed, 7, now), Entry::Allowed(_)));
        assert_eq!(try_code(&mut guests, &renewed, 8, now + CODE_TIME), Entry::Refused);
    }

    #[test]
    fn who_was_wrong_is_refused_even_when_right_until_the_wait_is_over() {
        let (mut guests, start) = (Guests::default(), Instant::now());
        assert_eq!(try_token(&mut guests, "wrong", 1, start), Entry::Refused);
        let token = guests.invite(start).unwrap();
        assert_eq!(try_token(&mut guests, &token, 1, start + Duration::from_secs(9)), Entry::Refused);
        assert!(matches!(try_token(&mut guests, &token, 1, start + Duration::from_secs(10)), Entry::Allowed(_)));
        // A page shows what it kept by itself: that costs nobody a wait.
        let device = Credential::Device("forgotten".to_owned());
        assert_eq!(guests.enter(&device, (visitor(2), Roles::WATCH), false, start), Entry::Refused);
        assert!(!guests.backs_off(visitor(2).address, start));
    }

    #[test]
    fn the_host_answers_and_a_remembered_device_comes_back_until_it_is_forgotten() {
        let (mut guests, now) = (Guests::default(), Instant::now());
        let token = guests.invite(now).unwrap();
        let wished = Roles::WATCH.with(Role::Click);
        let entry = guests.enter(&Credential::Token(token), (visitor(1), wished), true, now);
        let Entry::Waiting { name } = entry else { panic!("{entry:?}") };
        assert!(matches!(guests.poll(&name, now), Entry::Waiting { .. }));
        let prompt = guests.prompt(now).unwrap();
        assert_eq!((prompt.visitor.name.as_str(), prompt.wished), ("Anna", wished));
        guests.answer(prompt.id + 1, Verdict::Allow { roles: Roles::ALL, remember: true }, "", now);
        assert!(guests.list().is_empty());
        guests.answer(prompt.id, Verdict::Allow { roles: wished, remember: true }, "2026-11-21", now);
        let Entry::Allowed(admission) = guests.poll(&name, now) else { panic!("not let in") };
        assert_eq!(admission.roles, wished);
        let device = Credential::Device(admission.device.clone().unwrap());
        let again = guests.enter(&device, (visitor(9), Roles::WATCH), true, now);
        let id = guests.session(session(&again)).unwrap();
        assert_eq!(guests.list().len(), 1, "the same device takes its own place");
        assert_eq!(guests.session(Digest::of(admission.session.as_bytes())), None);
        guests.remove(id);
        assert_eq!(guests.roles(&Pass::Guest(id)), Roles::NONE);
        assert_eq!(guests.enter(&device, (visitor(9), Roles::WATCH), true, now), Entry::Refused);
        assert!(guests.keys.devices.is_empty());
        assert!(matches!(guests.unsaved.as_slice(), [DeviceChange::Remember(_), DeviceChange::Forget(_)]));
    }

    #[test]
    fn another_name_is_clean_and_stays_with_the_device() {
        let (mut guests, now) = (Guests::default(), Instant::now());
        let token = guests.invite(now).unwrap();
        let entry = guests.enter(&Credential::Token(token), (visitor(1), Roles::WATCH), true, now);
        let Entry::Waiting { name } = entry else { panic!("{entry:?}") };
        let prompt = guests.prompt(now).unwrap();
        guests.answer(prompt.id, Verdict::Allow { roles: Roles::WATCH, remember: true }, "2026-11-21", now);
        let Entry::Allowed(admission) = guests.poll(&name, now) else { panic!("not let in") };
        let id = guests.list()[0].id;
        guests.happened.clear();
        for none in ["Anna", " \u{202e} ", ""] {
            guests.rename(id, none);
            assert_eq!((guests.list()[0].visitor.name.as_str(), guests.happened.len()), ("Anna", 0), "{none:?}");
        }
        guests.rename(id, " Aunt\u{202e} Anna ");
        assert_eq!(guests.name(&Pass::Guest(id)).as_deref(), Some("Aunt Anna"));
        assert_eq!(guests.happened, [Happening::Renamed(visitor(1), "Aunt Anna".to_owned())]);
        // What the device says of itself when it comes back counts less.
        let device = Credential::Device(admission.device.unwrap());
        guests.enter(&device, (visitor(9), Roles::WATCH), true, now);
        assert_eq!(guests.list()[0].visitor.name, "Aunt Anna");
        assert!(matches!(guests.unsaved.last(), Some(DeviceChange::Rename(_, name)) if name == "Aunt Anna"));
    }

    #[test]
    fn a_no_and_no_answer_look_alike_to_whoever_asked() {
        let (mut guests, start) = (Guests::default(), Instant::now());
        let ask = |guests: &mut Guests, now| {
            let token = guests.invite(now).unwrap();
            let entry = guests.enter(&Credential::Token(token), (visitor(1), Roles::WATCH), true, now);
            let Entry::Waiting { name } = entry else { panic!("{entry:?}") };
            name
        };
        let first = ask(&mut guests, start);
        let id = guests.prompt(start).unwrap().id;
        guests.answer(id, Verdict::Deny, "", start);
        assert_eq!(guests.poll(&first, start), Entry::Refused);
        let second = ask(&mut guests, start);
        for second_passed in 0..30 {
            let now = start + Duration::from_secs(second_passed);
            assert!(matches!(guests.poll(&second, now), Entry::Waiting { .. }));
        }
        assert_eq!(guests.poll(&second, start + Duration::from_secs(30)), Entry::Refused);
        assert_eq!(guests.poll("nonsense", start), Entry::Refused);
    }

    #[test]
    fn roles_are_given_and_taken_and_the_end_of_sharing_ends_all() {
        let (mut guests, now) = (Guests::default(), Instant::now());
        let token = guests.invite(now).unwrap();
        let entry = try_token(&mut guests, &token, 1, now);
        let id = guests.session(session(&entry)).unwrap();
        guests.set_role(id, Role::Type, true);
        assert_eq!(guests.roles(&Pass::Guest(id)), Roles::WATCH.with(Role::Type));
        guests.set_role(id, Role::Type, false);
        assert_eq!(guests.roles(&Pass::Guest(id)), Roles::WATCH);
        let open = guests.invite(now).unwrap();
        guests.renew_code(now).unwrap();
        guests.clear();
        assert_eq!((guests.roles(&Pass::Guest(id)), guests.code(now)), (Roles::NONE, None));
        assert_eq!(try_token(&mut guests, &open, 2, now), Entry::Refused);
        let token = guests.invite(now).unwrap();
        let entry = try_token(&mut guests, &token, 3, now);
        guests.set_role(guests.session(session(&entry)).unwrap(), Role::Watch, false);
        assert!(guests.list().is_empty());
    }

    #[test]
    fn guests_and_invitations_are_bounded() {
        let (mut guests, now) = (Guests::default(), Instant::now());
        let tokens: Vec<String> = (0..=MOST_INVITATIONS).map(|_| guests.invite(now).unwrap()).collect();
        assert_eq!(try_token(&mut guests, &tokens[0], 1, now), Entry::Refused);
        for number in 0..MOST_GUESTS {
            let token = guests.invite(now).unwrap();
            let entry = try_token(&mut guests, &token, number as u8 + 2, now);
            assert!(matches!(entry, Entry::Allowed(_)), "{number}");
        }
        let token = guests.invite(now).unwrap();
        assert_eq!(try_token(&mut guests, &token, 200, now), Entry::Refused);
    }
}
