//! Whose packet is it: the table behind the one UDP port. Pure; every part of it is bounded.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::stun::{self, Packet, Transaction};

/// Names of one session: the newest, and that of before a restart of ICE.
const UFRAGS: usize = 2;
/// Addresses one viewer is heard from: its interfaces, and those of its networks of before.
const ADDRESSES: usize = 16;
/// Questions of ours that are not answered yet, of all sessions.
const TRANSACTIONS: usize = 4096;

/// Sessions with their ends `E`, one for each of this computer's addresses.
pub struct Table<E> {
    sessions: HashMap<u64, Session<E>>,
    ufrags: HashMap<String, u64>,
    addresses: HashMap<SocketAddr, u64>,
    transactions: HashMap<Transaction, u64>,
    /// The oldest first; some are answered already.
    asked: VecDeque<Transaction>,
    newest: u64,
}

struct Session<E> {
    ends: Vec<(IpAddr, Arc<E>)>,
    ufrags: VecDeque<String>,
    addresses: VecDeque<SocketAddr>,
}

impl<E> Default for Table<E> {
    fn default() -> Self {
        Self {
            sessions: HashMap::new(),
            ufrags: HashMap::new(),
            addresses: HashMap::new(),
            transactions: HashMap::new(),
            asked: VecDeque::new(),
            newest: 0,
        }
    }
}

impl<E> Table<E> {
    /// A session without anything yet.
    pub fn enter(&mut self) -> u64 {
        self.newest += 1;
        let session = Session { ends: Vec::new(), ufrags: VecDeque::new(), addresses: VecDeque::new() };
        self.sessions.insert(self.newest, session);
        self.newest
    }

    /// Forgets a session and whatever leads to it.
    pub fn leave(&mut self, id: u64) {
        let Some(session) = self.sessions.remove(&id) else { return };
        for ufrag in session.ufrags {
            self.ufrags.remove(&ufrag);
        }
        for address in session.addresses {
            if self.addresses.get(&address) == Some(&id) {
                self.addresses.remove(&address);
            }
        }
        self.transactions.retain(|_, of| *of != id);
        self.asked.retain(|transaction| self.transactions.contains_key(transaction));
    }

    /// Where a session takes what is sent to this address of the computer.
    pub fn add_end(&mut self, id: u64, address: IpAddr, end: Arc<E>) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.ends.retain(|(known, _)| *known != address);
            session.ends.push((address, end));
        }
    }

    /// The name by which the other side asks for a session.
    pub fn add_ufrag(&mut self, id: u64, ufrag: &str) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.ufrags.iter().any(|known| known == ufrag) {
            return;
        }
        session.ufrags.push_back(ufrag.to_owned());
        self.ufrags.insert(ufrag.to_owned(), id);
        if session.ufrags.len() > UFRAGS
            && let Some(oldest) = session.ufrags.pop_front()
        {
            self.ufrags.remove(&oldest);
        }
    }

    /// Notes a question that a session sends, because the answer names nobody.
    pub fn note_sent(&mut self, id: u64, packet: &[u8]) {
        let Packet::Request { transaction, .. } = stun::read(packet) else { return };
        if self.transactions.insert(transaction, id).is_none() {
            self.asked.push_back(transaction);
        }
        if self.asked.len() > TRANSACTIONS
            && let Some(oldest) = self.asked.pop_front()
        {
            self.transactions.remove(&oldest);
        }
    }

    /// The end that a packet from `from` to this address of the computer belongs to; `None` when it is nobody's.
    pub fn find(&mut self, packet: &[u8], from: SocketAddr, to: Option<IpAddr>) -> Option<Arc<E>> {
        let by_address = |table: &Self| table.addresses.get(&from).copied();
        let id = match stun::read(packet) {
            Packet::Request { ufrag: Some(ufrag), .. } => {
                let id = *self.ufrags.get(ufrag)?;
                self.learn(id, from);
                id
            }
            Packet::Response(transaction) => self.transactions.remove(&transaction).or_else(|| by_address(self))?,
            Packet::Request { ufrag: None, .. } | Packet::Other => by_address(self)?,
        };
        let ends = &self.sessions.get(&id)?.ends;
        let end = ends.iter().find(|(address, _)| Some(*address) == to);
        let end = end.or_else(|| ends.iter().find(|(address, _)| address.is_ipv4() == from.is_ipv4()))?;
        Some(Arc::clone(&end.1))
    }

    /// From now on, what comes from this address belongs to the session. ICE makes sure of it before it sends anything
    /// there; another session's name is nothing that others know.
    fn learn(&mut self, id: u64, from: SocketAddr) {
        let before = self.addresses.insert(from, id);
        if before == Some(id) {
            return;
        }
        if let Some(other) = before.and_then(|before| self.sessions.get_mut(&before)) {
            other.addresses.retain(|address| *address != from);
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.addresses.push_back(from);
        if session.addresses.len() > ADDRESSES
            && let Some(oldest) = session.addresses.pop_front()
        {
            self.addresses.remove(&oldest);
        }
    }

    /// Sessions, and whatever leads to one.
    pub fn size(&self) -> (usize, usize) {
        (self.sessions.len(), self.ufrags.len() + self.addresses.len() + self.transactions.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::peer::udp::stun::packet;

    fn from(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 9], port))
    }

    fn table(sessions: &[&'static str]) -> (Table<String>, Vec<u64>) {
        let mut table = Table::default();
        let ids = sessions.iter().map(|ufrag| {
            let id = table.enter();
            table.add_ufrag(id, ufrag);
            for host in ["192.168.1.7", "127.0.0.1", "fd00::7"] {
                let host: IpAddr = host.parse().unwrap();
                table.add_end(id, host, Arc::new(format!("{ufrag} at {host}")));
            }
            id
        });
        let ids = ids.collect();
        (table, ids)
    }

    const HOST: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 7)));
    const MEDIA: &[u8] = &[0x80, 96, 0, 1];

    fn found(table: &mut Table<String>, packet: &[u8], port: u16) -> Option<String> {
        table.find(packet, from(port), HOST).map(|end| end.to_string())
    }

    #[test]
    fn a_check_by_name_makes_an_address_known_and_media_follows() {
        let (mut table, _) = table(&["one", "two"]);
        assert_eq!(found(&mut table, MEDIA, 1), None, "nobody has been heard from there");
        assert_eq!(found(&mut table, &packet(1, 1, "nobody:x"), 1), None);
        assert_eq!(found(&mut table, &packet(1, 1, "one:x"), 1).as_deref(), Some("one at 192.168.1.7"));
        assert_eq!(found(&mut table, &packet(1, 2, "two:x"), 2).as_deref(), Some("two at 192.168.1.7"));
        assert_eq!(found(&mut table, MEDIA, 1).as_deref(), Some("one at 192.168.1.7"));
        assert_eq!(found(&mut table, MEDIA, 2).as_deref(), Some("two at 192.168.1.7"));
        // A browser that comes back gets the port of one that left: its name counts.
        assert_eq!(found(&mut table, &packet(1, 3, "two:x"), 1).as_deref(), Some("two at 192.168.1.7"));
        assert_eq!(found(&mut table, MEDIA, 1).as_deref(), Some("two at 192.168.1.7"));
    }

    #[test]
    fn answers_find_who_asked_even_from_where_nobody_was_heard() {
        let (mut table, ids) = table(&["one", "two"]);
        table.note_sent(ids[1], &packet(1, 9, "theirs:two"));
        assert_eq!(found(&mut table, &packet(0x0101, 9, ""), 5).as_deref(), Some("two at 192.168.1.7"));
        assert_eq!(found(&mut table, &packet(0x0101, 9, ""), 5), None, "it is answered once");
    }

    #[test]
    fn packets_come_out_at_the_address_they_were_sent_to() {
        let (mut table, _) = table(&["one"]);
        let check = packet(1, 1, "one:x");
        let at = |table: &mut Table<String>, to: Option<&str>| {
            table.find(&check, from(1), to.map(|to| to.parse().unwrap())).map(|end| end.to_string())
        };
        assert_eq!(at(&mut table, Some("127.0.0.1")).as_deref(), Some("one at 127.0.0.1"));
        for unknown in [None, Some("10.1.1.1")] {
            assert_eq!(at(&mut table, unknown).as_deref(), Some("one at 192.168.1.7"));
        }
    }

    #[test]
    fn nothing_grows_and_nothing_stays() {
        let (mut table, ids) = table(&["one", "two"]);
        for port in 1..1_000 {
            let _ = found(&mut table, &packet(1, 1, "one:x"), port);
        }
        for restart in 0..100 {
            table.add_ufrag(ids[0], &format!("again{restart}"));
        }
        for number in 0..10_000_u32 {
            let mut question = packet(1, 1, "x:one");
            question[8..12].copy_from_slice(&number.to_be_bytes());
            table.note_sent(ids[0], &question);
        }
        assert_eq!(table.size(), (2, UFRAGS + 1 + ADDRESSES + TRANSACTIONS));
        assert!(found(&mut table, &packet(1, 1, "again99:x"), 7).is_some());
        assert!(found(&mut table, &packet(1, 1, "one:x"), 7).is_none(), "a name of long ago");
        table.leave(ids[0]);
        assert_eq!(table.size(), (1, 1));
        assert!(table.asked.is_empty());
        table.leave(ids[1]);
        assert_eq!(table.size(), (0, 0));
    }
}
