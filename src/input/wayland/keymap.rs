//! Which keys type which characters, read from the keymap that a compositor hands out; pure.
//!
//! The compositor writes it with one of xkbcommon's functions, so only that plain form has to be understood: every key
//! with its symbols level by level, nothing included from elsewhere. The kinds of keys ("types") are not read: levels
//! one to four mean the same on every layout that people write with.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::super::x11::keymap::Keymap;

/// No keymap is this large.
pub const MOST_BYTES: usize = 4 << 20;
/// Groups that a keymap may have.
const MOST_GROUPS: usize = 4;
/// Columns of a row, and which of them are the levels of its first group.
const COLUMNS: usize = 8;
const LEVELS: [usize; 4] = [0, 1, 4, 5];

/// The keys of every group, that is of every layout the user switches between; empty where nothing was understood.
pub fn parse(text: &str) -> Vec<Keymap> {
    let codes = keycodes(section(text, "xkb_keycodes"));
    let keys: Vec<(u8, Vec<Vec<u32>>)> = keys(section(text, "xkb_symbols"))
        .filter_map(|(name, body)| Some((*codes.get(name)?, groups(body))))
        .filter(|(_, groups)| !groups.is_empty())
        .collect();
    let count = keys.iter().map(|(_, groups)| groups.len()).max().unwrap_or(0).min(MOST_GROUPS);
    let keymap = |group: usize| {
        let mut rows = vec![0_u32; 256 * COLUMNS];
        for (code, groups) in &keys {
            // A key with fewer groups starts again with its first, which is what xkbcommon writes no word about.
            let levels = &groups[group % groups.len()];
            for (&column, &symbol) in LEVELS.iter().zip(levels) {
                rows[usize::from(*code) * COLUMNS + column] = symbol;
            }
        }
        Keymap::new(0, COLUMNS as u8, rows)
    };
    (0..count).map(keymap).collect()
}

/// What stands between the braces behind a word; nothing where the word is missing.
fn section<'a>(text: &'a str, word: &str) -> &'a str {
    let Some((_, rest)) = text.split_once(word) else { return "" };
    let Some((_, rest)) = rest.split_once('{') else { return "" };
    enclosed(rest)
}

/// The text up to the brace that closes what was opened before it.
fn enclosed(text: &str) -> &str {
    let mut depth = 1_usize;
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// `<AE01> = 10;`, line by line.
fn keycodes(section: &str) -> HashMap<&str, u8> {
    let statements = section.split(';').filter_map(|statement| statement.split_once('='));
    statements
        .filter_map(|(name, code)| Some((name.trim().strip_prefix('<')?.strip_suffix('>')?, code.trim().parse().ok()?)))
        .collect()
}

/// `key <AE01> { … };`, one after the other.
fn keys(section: &str) -> impl Iterator<Item = (&str, &str)> {
    section.split("key <").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once('>')?;
        let (between, rest) = rest.split_once('{')?;
        between.trim().is_empty().then(|| (name, enclosed(rest)))
    })
}

/// The symbols of each group: `[ a, A ]`, or `symbols[Group1]= [ a, A ]` for each.
fn groups(body: &str) -> Vec<Vec<u32>> {
    let list = |text: &str| -> Option<Vec<u32>> {
        let (_, rest) = text.split_once('[')?;
        let (list, _) = rest.split_once(']')?;
        Some(levels(list))
    };
    if !body.contains("symbols[") {
        // Before the list there may be `type= "…"`, but nothing with a bracket of its own.
        return list(body).into_iter().collect();
    }
    let group = |part: &str| list(part.split_once('=')?.1);
    body.split("symbols[").skip(1).filter_map(group).collect()
}

/// A level with several symbols at once, in braces, types none that is looked for.
fn levels(list: &str) -> Vec<u32> {
    let mut levels = Vec::new();
    let mut depth = 0_u32;
    for part in list.split(',') {
        let single = depth == 0 && !part.contains('{');
        if depth == 0 {
            levels.push(if single { symbol(part.trim()) } else { 0 });
        }
        depth += part.matches('{').count() as u32;
        depth = depth.saturating_sub(part.matches('}').count() as u32);
    }
    levels
}

/// A symbol by its name, as xkbcommon writes it.
fn symbol(name: &str) -> u32 {
    static NAMES: OnceLock<HashMap<&'static str, u32>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        // All that have names lie in these two ranges.
        let all = (0x20..=0xffff).chain(0x0100_0100..=0x0100_30ff);
        let named = |raw: u32| Some((xkeysym::Keysym::new(raw).name()?.trim_start_matches("XK_"), raw));
        all.rev().filter_map(named).collect()
    });
    let hexadecimal = |prefix: &str| u32::from_str_radix(name.strip_prefix(prefix)?, 16).ok();
    names
        .get(name)
        .copied()
        .or_else(|| hexadecimal("0x"))
        .or_else(|| hexadecimal("U").and_then(char::from_u32).map(|letter| xkeysym::Keysym::from_char(letter).raw()))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::super::x11::keymap::Stroke;
    use super::*;

    /// In the form that xkbcommon writes, shortened.
    const TEXT: &str = r#"xkb_keymap {
xkb_keycodes "evdev+aliases(qwertz)" {
	minimum = 8;
	maximum = 708;
	<AE01>               = 10;
	<AD03>               = 26;
	<AC01>               = 38;
	<LFSH>               = 50;
	<RALT>               = 108;
	<KP1>                = 87;
	<I600>               = 600;
	indicator 1 = "Caps Lock";
	alias <AC12>         = <BKSL>;
};
xkb_types "complete" {
	type "ONE_LEVEL" { modifiers= none; level_name[Level1]= "Any"; };
};
xkb_symbols "pc+de+us:2" {
	name[Group1]="German {not a brace}";
	name[Group2]="English (US)";
	key <AE01>               {
		type= "FOUR_LEVEL",
		symbols[Group1]= [               1,          exclam,     onesuperior,      exclamdown ],
		symbols[Group2]= [               1,          exclam ]
	};
	key <AD03>               {
		type[Group1]= "FOUR_LEVEL",
		symbols[Group1]= [ e, E, EuroSign, U20AC ],
		symbols[Group2]= [ e, E ]
	};
	key <AC01>               {	[               a,               A,   { a, b },  adiaeresis ] };
	key <LFSH>               {	[         Shift_L ] };
	key <RALT>               {
		type= "ONE_LEVEL",
		symbols[Group1]= [ ISO_Level3_Shift ], symbols[Group2]= [ 0xfe03 ]
	};
	key <KP1>                {	[          KP_End,            KP_1 ] };
	key <I600>               {	[          z ] };
	modifier_map Shift { <LFSH> };
};
};"#;

    #[test]
    fn characters_are_found_in_the_layout_that_is_on() {
        let layouts = parse(TEXT);
        assert_eq!(layouts.len(), 2);
        let stroke = |keycode, shift, level3| Some(Stroke { keycode, shift, level3 });
        assert_eq!(layouts[0].stroke('1', 0), stroke(10, false, false));
        assert_eq!(layouts[0].stroke('!', 0), stroke(10, true, false));
        assert_eq!(layouts[0].stroke('¹', 0), stroke(10, false, true));
        assert_eq!(layouts[0].stroke('€', 0), stroke(26, false, true));
        assert_eq!(layouts[0].stroke('ä', 0), stroke(38, true, true));
        assert_eq!(layouts[0].stroke('b', 0), None);
        assert_eq!(layouts[1].stroke('€', 0), None);
        // A key with one group has it in every layout.
        assert_eq!(layouts[1].stroke('A', 0), stroke(38, true, false));
        assert_eq!(layouts[0].bearing(xkeysym::key::ISO_Level3_Shift), Some(108));
        assert_eq!(layouts[1].bearing(xkeysym::key::Shift_L), Some(50));
    }

    #[test]
    fn what_is_no_keymap_has_no_keys() {
        for text in ["", "xkb_keymap {", "xkb_symbols { key <A> { [", "xkb_keycodes { <A> = 300; }; xkb_symbols { key"]
        {
            assert!(parse(text).is_empty(), "{text}");
        }
        // Cut anywhere, it is read as far as it goes.
        for end in (0..TEXT.len()).step_by(7) {
            parse(&TEXT[..end]);
        }
    }
}
