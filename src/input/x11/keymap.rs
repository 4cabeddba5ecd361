//! What the keys of an X server type: pure lookups in the table that the server gives.

use xkeysym::Keysym;

/// Which key, and what has to be held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stroke {
    pub keycode: u8,
    pub shift: bool,
    pub level3: bool,
}

/// The keyboard map: some keysyms for each keycode.
#[derive(Debug, Default)]
pub struct Keymap {
    first: u8,
    per_key: usize,
    keysyms: Vec<u32>,
}

/// The columns of the core protocol's table by group and level, as the X Keyboard Extension's protocol, section 12.4,
/// lays them out: two levels of the first group, two of the second, then levels three and four of each.
const COLUMNS: [[usize; 4]; 2] = [[0, 1, 4, 5], [2, 3, 6, 7]];
const NO_SYMBOL: u32 = 0;
/// Keycode 8 would be Linux's key 0, which is none.
const LOWEST_SPARE: u8 = 9;

impl Keymap {
    /// `keysyms` has `per_key` entries for each keycode from `first` on.
    pub fn new(first: u8, per_key: u8, keysyms: Vec<u32>) -> Self {
        Self { first, per_key: usize::from(per_key).max(1), keysyms }
    }

    fn rows(&self) -> impl Iterator<Item = (u8, &[u32])> {
        let keycodes = self.first..=u8::MAX;
        keycodes.zip(self.keysyms.chunks_exact(self.per_key.max(1)))
    }

    /// How `character` is typed with the layout of this group (0 or 1), with as few modifiers as it goes.
    pub fn stroke(&self, character: char, group: usize) -> Option<Stroke> {
        let columns = COLUMNS[group.min(1)];
        let level_of = |level: usize, row: &[u32]| {
            let symbol = row.get(columns[level]).copied().unwrap_or(NO_SYMBOL);
            // A key with nothing in the second group types what the first one has, as the server does it.
            let empty = columns[..2].iter().all(|&column| row.get(column).is_none_or(|&symbol| symbol == NO_SYMBOL));
            let symbol = if empty { row.get(COLUMNS[0][level]).copied().unwrap_or(NO_SYMBOL) } else { symbol };
            types(symbol, character)
        };
        (0..4).find_map(|level| {
            let (keycode, _) = self.rows().find(|(_, row)| level_of(level, row))?;
            Some(Stroke { keycode, shift: level & 1 == 1, level3: level & 2 == 2 })
        })
    }

    /// The key that has this symbol anywhere, such as a modifier.
    pub fn bearing(&self, symbol: u32) -> Option<u8> {
        self.rows().find(|(_, row)| row.contains(&symbol)).map(|(keycode, _)| keycode)
    }

    /// Keys that type nothing, which may be lent to characters that no key has.
    pub fn spare(&self) -> Vec<u8> {
        let unused =
            |(keycode, row): &(u8, &[u32])| *keycode >= LOWEST_SPARE && row.iter().all(|&symbol| symbol == NO_SYMBOL);
        self.rows().filter(unused).map(|(keycode, _)| keycode).collect()
    }
}

/// The symbol of a character.
pub fn symbol_of(character: char) -> u32 {
    match character {
        '\n' | '\r' => xkeysym::key::Return,
        '\t' => xkeysym::key::Tab,
        '\u{8}' => xkeysym::key::BackSpace,
        '\u{1b}' => xkeysym::key::Escape,
        _ => Keysym::from_char(character).raw(),
    }
}

/// Whether a key with this symbol types this character; layouts have older symbols than Unicode for many letters.
fn types(symbol: u32, character: char) -> bool {
    if symbol == NO_SYMBOL {
        return false;
    }
    let typed = Keysym::new(symbol);
    // The keypad has digits as well, but only while Num Lock is on.
    symbol == symbol_of(character) || (!typed.is_keypad_key() && typed.key_char() == Some(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four keys: a German Q with its euro and at signs, a Cyrillic one in the second group, Return, and an unused one.
    fn keymap() -> Keymap {
        let q = [0x71, 0x51, 0, 0, 0x40, 0x7d9, 0, 0];
        let f = [0x66, 0x46, 0x6c1, 0x6e1, 0, 0, 0, 0];
        let enter = [0xff0d, 0, 0, 0, 0, 0, 0, 0];
        Keymap::new(24, 8, [q, f, enter, [0; 8]].concat())
    }

    #[test]
    fn characters_are_found_with_the_modifiers_they_need() {
        let keymap = keymap();
        let stroke = |keycode, shift, level3| Some(Stroke { keycode, shift, level3 });
        assert_eq!(keymap.stroke('q', 0), stroke(24, false, false));
        assert_eq!(keymap.stroke('Q', 0), stroke(24, true, false));
        assert_eq!(keymap.stroke('@', 0), stroke(24, false, true));
        assert_eq!(keymap.stroke('\n', 0), stroke(26, false, false));
        // Legacy symbols of Cyrillic letters, and only while their layout is on.
        assert_eq!(keymap.stroke('а', 1), stroke(25, false, false));
        assert_eq!(keymap.stroke('А', 1), stroke(25, true, false));
        assert_eq!(keymap.stroke('а', 0), None);
        // A key without a second group works in both.
        assert_eq!(keymap.stroke('\n', 1), stroke(26, false, false));
        assert_eq!(keymap.stroke('雪', 0), None);
    }

    #[test]
    fn unused_keys_and_modifiers_are_found() {
        assert_eq!(keymap().spare(), [27]);
        assert_eq!(keymap().bearing(0x7d9), Some(24));
        assert_eq!(keymap().bearing(0xfe03), None);
        assert_eq!(Keymap::default().stroke('a', 0), None);
    }

    #[test]
    fn characters_without_a_symbol_of_their_own_get_unicodes() {
        assert_eq!(symbol_of('a'), 0x61);
        assert_eq!(symbol_of('雪'), 0x0100_96ea);
    }
}
