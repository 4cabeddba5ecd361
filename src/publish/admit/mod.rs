//! The door: who is let in, how, and what is written down of it. Shared by the server, which asks, and the host's side,
//! which answers.

mod backoff;
mod guests;
mod identity;
mod keys;
mod log;
mod requests;
mod secret;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::watch;

use super::access::AccessPolicy;
use super::roles::{Role, Roles};

pub use guests::{Admission, Credential, Entry, GuestInfo, Guests, Pass, Verdict};
pub use identity::{Identity, IdentityError};
pub use keys::{Key, KeyFile, Keys, KeysError, clean_name, origin};
pub use log::{Happening, LogLine, path as log_path, read as read_log};
pub use requests::{Prompt, Visitor};
pub use secret::{Digest, new_secret};

use guests::DeviceChange;
use log::AccessLog;

/// A thin, shared wrapper: every method takes the lock for a moment and none does any I/O, but for those that say so.
#[derive(Debug)]
pub struct Door {
    inside: Mutex<Inside>,
    /// Where keys, certificate and log are kept; without it they last as long as the program.
    folder: Option<PathBuf>,
    identity: OnceLock<Identity>,
    /// Another number whenever somebody may have lost something.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inside {
    guests: Guests,
    log: AccessLog,
    /// When the file of the keys was last seen to change.
    stamp: Option<SystemTime>,
    made: Option<NewToken>,
}

/// A token that was just made; its secret is shown this once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    pub name: String,
    pub secret: String,
}

/// Everything that the host's side shows, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DoorView {
    /// The eight digits, and for how many seconds they hold.
    pub code: Option<(String, u64)>,
    /// The token of the one-time link, and for how many seconds it holds.
    pub invitation: Option<(String, u64)>,
    pub prompt: Option<Prompt>,
    /// How many wait, the one that is asked about included.
    pub waiting: usize,
    pub guests: Vec<GuestInfo>,
    pub tokens: Vec<TokenInfo>,
    pub devices: Vec<DeviceInfo>,
    /// The newest line last.
    pub log: Arc<Vec<LogLine>>,
    pub new_token: Option<NewToken>,
    /// Of the certificate; empty before the first time of sharing.
    pub fingerprint: String,
}

/// A long-lived token, without its secret, which nobody knows any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    pub name: String,
    pub roles: Roles,
    pub made: String,
    pub origins: Vec<String>,
}

/// A device that may come back by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    pub name: String,
    pub roles: Roles,
    pub made: String,
    pub digest: Digest,
}

impl Default for Door {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Door {
    pub fn new(folder: Option<PathBuf>) -> Self {
        let inside = Mutex::default();
        Self { inside, folder, identity: OnceLock::new(), changes: watch::Sender::new(0) }
    }

    /// The certificate, made or read with the first who asks. This reads and may write a file.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn identity(&self, names: &[String]) -> Result<&Identity, IdentityError> {
        if self.identity.get().is_none() {
            let made = Identity::load_or_make(self.folder.as_deref(), names)?;
            let _ = self.identity.set(made);
        }
        Ok(self.identity.get().expect("it was set above, by this thread or another"))
    }

    pub fn enter(
        &self,
        credential: &Credential,
        visitor: Visitor,
        wished: Roles,
        policy: &AccessPolicy,
        now: Instant,
    ) -> Entry {
        self.with(|guests| guests.enter(credential, (visitor, wished), policy.ask, now))
    }

    pub fn poll(&self, name: &str, now: Instant) -> Entry {
        self.with(|guests| guests.poll(name, now))
    }

    /// How this word lets its bearer in, if it does: a session or a long-lived token.
    pub fn pass_of(&self, word: &[u8]) -> Option<Pass> {
        let digest = Digest::of(word);
        let inside = self.lock();
        let session = inside.guests.session(digest).map(Pass::Guest);
        let token = inside.guests.keys.token(digest).map(|_| Pass::Token(digest));
        session.or(token)
    }

    /// The pages that may show the picture of this token.
    pub fn origins_of(&self, pass: &Pass) -> Vec<String> {
        let Pass::Token(digest) = pass else { return Vec::new() };
        self.lock().guests.keys.token(*digest).map(|key| key.origins.clone()).unwrap_or_default()
    }

    /// What a pass allows at this moment, with what the host allows at all.
    pub fn roles(&self, pass: &Pass, policy: &AccessPolicy) -> Roles {
        policy.effective(pass, self.written(pass))
    }

    /// What is written down of a pass, whatever the host's switches say.
    pub fn written(&self, pass: &Pass) -> Roles {
        match pass {
            Pass::Guest(_) | Pass::Token(_) => self.lock().guests.roles(pass),
            Pass::Anyone | Pass::Standing(_) => Roles::NONE,
        }
    }

    /// What somebody with this pass is called.
    pub fn name(&self, pass: &Pass) -> Option<String> {
        self.lock().guests.name(pass)
    }

    pub fn invite(&self, now: Instant) -> Result<String, getrandom::Error> {
        self.with(|guests| guests.invite(now))
    }

    pub fn renew_code(&self, now: Instant) -> Result<(), getrandom::Error> {
        self.with(|guests| guests.renew_code(now))
    }

    pub fn answer(&self, id: u64, verdict: Verdict, now: Instant) {
        self.with(|guests| guests.answer(id, verdict, &today(), now));
    }

    pub fn set_role(&self, guest: u64, role: Role, given: bool) {
        self.with(|guests| guests.set_role(guest, role, given));
    }

    /// Gives a guest another name; one that is none changes nothing.
    pub fn rename(&self, guest: u64, name: &str) {
        self.with(|guests| guests.rename(guest, name));
    }

    pub fn remove(&self, guest: u64) {
        self.with(|guests| guests.remove(guest));
    }

    pub fn forget(&self, device: Digest) {
        self.with(|guests| guests.forget(device));
    }

    /// Ends what belongs to one time of sharing.
    pub fn clear(&self) {
        self.with(Guests::clear);
    }

    pub fn tick(&self, now: Instant) {
        let mut inside = self.lock();
        inside.guests.tick(now);
        inside.write_down();
    }

    /// Writes down that somebody began or stopped to control.
    pub fn note_control(&self, visitor: Visitor, began: bool) {
        let happening = if began { Happening::ControlBegan(visitor) } else { Happening::ControlEnded(visitor) };
        self.lock().log.note(&happening, now_text());
    }

    /// Writes down that somebody watches who came in without a session: by the standing link, by a token, or freely.
    pub fn note_entered(&self, visitor: Visitor, roles: Roles) {
        self.lock().log.note(&Happening::Entered(visitor, roles), now_text());
    }

    /// Makes a long-lived token, whose secret is shown once. This writes a file.
    ///
    /// # Errors
    /// When there is one of this name, there are too many, or the file can't be written.
    pub fn add_token(&self, name: &str, roles: Roles, origins: &[String]) -> Result<NewToken, KeysError> {
        let (key, secret) = new_key(name, roles)?;
        self.change_keys(|keys| keys.add_token(key.clone(), origins))?;
        let made = NewToken { name: clean_name(name).unwrap_or_default(), secret };
        let mut inside = self.lock();
        inside.log.note(&Happening::TokenMade { name: made.name.clone(), roles }, now_text());
        inside.made = Some(made.clone());
        Ok(made)
    }

    /// Forgets the secret of the token that was just made.
    pub fn hide_new_token(&self) {
        self.lock().made = None;
    }

    /// Ends a long-lived token at once. This writes a file.
    ///
    /// # Errors
    /// When there is none, or the file can't be written; it lets nobody in any more all the same.
    pub fn remove_token(&self, name: &str) -> Result<(), KeysError> {
        // First here, so that it counts at once whatever becomes of the file.
        self.with(|guests| guests.keys.tokens.retain(|key| key.name != name));
        self.change_keys(|keys| keys.remove_token(name))?;
        self.lock().log.note(&Happening::TokenRemoved { name: name.to_owned() }, now_text());
        Ok(())
    }

    fn change_keys(&self, change: impl Fn(&mut Keys) -> Result<(), KeysError>) -> Result<(), KeysError> {
        let Some(folder) = &self.folder else {
            let changed = change(&mut self.lock().guests.keys);
            self.changed();
            // What was taken away beforehand is gone, too.
            return match changed {
                Err(KeysError::Unknown(_)) => Ok(()),
                other => other,
            };
        };
        let keys = KeyFile::inside(folder).edit(change)?;
        self.with(|guests| guests.keys = keys);
        Ok(())
    }

    /// Follows the file of the keys, which `lenscast token` may have changed, and writes what waits for the disk. This
    /// reads and writes files.
    ///
    /// # Errors
    /// When a file can't be read or written; the sentence says which.
    pub fn follow_files(&self) -> Result<(), String> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let file = KeyFile::inside(folder);
        let (changes, lines) = {
            let mut inside = self.lock();
            (std::mem::take(&mut inside.guests.unsaved), inside.log.take_unwritten())
        };
        let mut complaint = Ok(());
        if !changes.is_empty() {
            let saved = file.edit(|keys| {
                for change in &changes {
                    match change {
                        DeviceChange::Remember(key) => keys.add_device(key.clone()),
                        DeviceChange::Forget(digest) => keys.remove_device(*digest),
                        DeviceChange::Rename(digest, name) => keys.rename_device(*digest, name),
                    }
                }
                Ok(())
            });
            complaint = saved.map(drop).map_err(|error| error.to_string());
        }
        if !lines.is_empty() {
            let written = log::append(&log::path(folder), &lines);
            complaint =
                complaint.and(written.map_err(|error| format!("The log of who was let in can't be written: {error}")));
        }
        let stamp = file.stamp();
        if let Err(error) = self.follow_keys() {
            complaint = complaint.and(Err(error.to_string()));
            // Told of once, and read again when it is another one.
            self.lock().stamp = stamp;
        }
        complaint
    }

    /// Whether the file of the keys is another one than was read last. This asks the system for the file's date.
    pub fn keys_changed(&self) -> bool {
        self.folder.as_deref().is_some_and(|folder| KeyFile::inside(folder).stamp() != self.lock().stamp)
    }

    /// Reads the file of the keys, if it is another one than was read last.
    ///
    /// # Errors
    /// When it can't be read; what was known before counts on.
    pub fn follow_keys(&self) -> Result<(), KeysError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let file = KeyFile::inside(folder);
        let stamp = file.stamp();
        if self.lock().stamp != stamp {
            let keys = file.read()?;
            self.with(|guests| guests.keys = keys);
            self.lock().stamp = stamp;
        }
        Ok(())
    }

    /// What the host's side shows.
    pub fn view(&self, now: Instant) -> DoorView {
        let inside = self.lock();
        let guests = &inside.guests;
        let held = |(text, left): (&str, std::time::Duration)| (text.to_owned(), left.as_secs_f64().ceil() as u64);
        let token = |key: &Key| TokenInfo {
            name: key.name.clone(),
            roles: key.roles,
            made: key.made.clone(),
            origins: key.origins.clone(),
        };
        let device = |key: &Key| DeviceInfo {
            name: key.name.clone(),
            roles: key.roles,
            made: key.made.clone(),
            digest: key.digest(),
        };
        DoorView {
            code: guests.code(now).map(held),
            invitation: guests.invitation(now).map(held),
            prompt: guests.prompt(now),
            waiting: guests.waiting(),
            guests: guests.list(),
            tokens: guests.keys.tokens.iter().map(token).collect(),
            devices: guests.keys.devices.iter().map(device).collect(),
            log: inside.log.recent(),
            new_token: inside.made.clone(),
            fingerprint: self.identity.get().map(|identity| identity.fingerprint.clone()).unwrap_or_default(),
        }
    }

    /// Wakes whoever has to take something away.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn with<T>(&self, change: impl FnOnce(&mut Guests) -> T) -> T {
        let mut inside = self.lock();
        let result = change(&mut inside.guests);
        inside.write_down();
        drop(inside);
        self.changed();
        result
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the door keeps its files.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

impl Inside {
    fn write_down(&mut self) {
        for happening in std::mem::take(&mut self.guests.happened) {
            self.log.note(&happening, now_text());
        }
    }
}

/// A new key of today and the secret that fits it, which is kept nowhere.
///
/// # Errors
/// When the system gives no random numbers.
pub fn new_key(name: &str, roles: Roles) -> Result<(Key, String), KeysError> {
    let secret = new_secret()?;
    Ok((Key::new(name.to_owned(), roles, &secret, today()), secret))
}

fn now_text() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}
