//! Reads `.cube` files: Adobe's *Cube LUT Specification* 1.0, with the input ranges that Resolve writes.

/// The largest side of a cube. The look of a screen does not get better beyond 65, and the table grows with its cube.
pub(super) const MOST_SIDE: usize = 65;
/// The most entries of a curve, from the specification.
const MOST_ENTRIES: usize = 65_536;

/// A look. Values are 0 to 1, and may lie outside of it.
#[derive(Debug, PartialEq)]
pub(super) enum Lut {
    /// A curve a channel.
    Curves { domain: [[f32; 3]; 2], values: Vec<[f32; 3]> },
    /// `side` entries along each axis, red changing fastest. The fourth number is nothing and makes them quick to read.
    Cube { domain: [[f32; 3]; 2], side: usize, values: Vec<[f32; 4]> },
}

/// # Errors
/// A sentence about what is wrong, with its line.
pub(super) fn read(bytes: &[u8]) -> Result<Lut, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "this is neither a .cube file nor a PNG".to_owned())?;
    let (mut curve, mut cube) = (None, None);
    let mut domain = [[0.0; 3], [1.0; 3]];
    let mut values = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let wrong = |what: &str| format!("line {}: {what}", index + 1);
        let line = line.split('#').next().unwrap_or_default().trim();
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        match first {
            "TITLE" => {}
            "LUT_1D_SIZE" => {
                curve = Some(size(words.next(), MOST_ENTRIES).ok_or_else(|| wrong("a curve has 2 to 65536 entries"))?);
            }
            "LUT_3D_SIZE" => {
                cube = Some(
                    size(words.next(), MOST_SIDE).ok_or_else(|| wrong("a cube has 2 to 65 entries along a side"))?,
                );
            }
            "DOMAIN_MIN" => domain[0] = three(words).ok_or_else(|| wrong("DOMAIN_MIN needs three numbers"))?,
            "DOMAIN_MAX" => domain[1] = three(words).ok_or_else(|| wrong("DOMAIN_MAX needs three numbers"))?,
            "LUT_1D_INPUT_RANGE" | "LUT_3D_INPUT_RANGE" => {
                let number = |word: Option<&str>| word?.parse::<f32>().ok().filter(|number| number.is_finite());
                let range = number(words.next()).zip(number(words.next()));
                let (least, most) = range.ok_or_else(|| wrong("an input range needs two numbers"))?;
                domain = [[least; 3], [most; 3]];
            }
            word if word.starts_with(|letter: char| letter.is_ascii_alphabetic()) => {
                return Err(wrong("this word is not known in a .cube file"));
            }
            _ => {
                if values.len() >= MOST_SIDE * MOST_SIDE * MOST_SIDE {
                    return Err(wrong("there are far too many entries"));
                }
                values.push(three(line.split_whitespace()).ok_or_else(|| wrong("an entry is three numbers"))?);
            }
        }
    }
    if (0..3).any(|channel| domain[1][channel] <= domain[0][channel]) {
        return Err("DOMAIN_MAX has to be above DOMAIN_MIN".to_owned());
    }
    let expect = |wanted: usize| {
        let found = values.len();
        if found == wanted { Ok(()) } else { Err(format!("there should be {wanted} entries and there are {found}")) }
    };
    match (curve, cube) {
        (Some(entries), None) => {
            expect(entries)?;
            Ok(Lut::Curves { domain, values })
        }
        (None, Some(side)) => {
            expect(side * side * side)?;
            Ok(Lut::Cube { domain, side, values: values.iter().map(|[r, g, b]| [*r, *g, *b, 0.0]).collect() })
        }
        (Some(_), Some(_)) => Err("it holds a curve and a cube; save them as two files".to_owned()),
        (None, None) => Err("it says neither LUT_1D_SIZE nor LUT_3D_SIZE, so it is no .cube file".to_owned()),
    }
}

fn size(word: Option<&str>, most: usize) -> Option<usize> {
    word?.parse().ok().filter(|size| (2..=most).contains(size))
}

fn three<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<[f32; 3]> {
    let mut next = || words.next()?.parse::<f32>().ok().filter(|number| number.is_finite());
    let numbers = [next()?, next()?, next()?];
    words.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cube_is_read_with_comments_title_and_domain() {
        let text = "# made by hand\nTITLE \"a # b\"\nLUT_3D_SIZE 2\r\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 2 1 # wide\n\n\
                    0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1e0 1\n";
        let Ok(Lut::Cube { domain, side, values }) = read(text.as_bytes()) else {
            panic!("{:?}", read(text.as_bytes()))
        };
        assert_eq!((side, domain, values.len()), (2, [[0.0; 3], [1.0, 2.0, 1.0]], 8));
        assert_eq!(values[1], [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_curve_is_read() {
        let read = read(b"LUT_1D_SIZE 2\nLUT_1D_INPUT_RANGE 0.0 2.0\n0 0 0\n1 0.5 0.25");
        assert_eq!(read, Ok(Lut::Curves { domain: [[0.0; 3], [2.0; 3]], values: vec![[0.0; 3], [1.0, 0.5, 0.25]] }));
    }

    #[test]
    fn damaged_files_are_refused_with_a_sentence() {
        let long = format!("LUT_3D_SIZE 65\n{}", "0 0 0\n".repeat(300_000));
        for (text, says) in [
            ("", "neither LUT_1D_SIZE"),
            ("LUT_3D_SIZE 0\n", "2 to 65"),
            ("LUT_3D_SIZE 1000000\n", "2 to 65"),
            ("LUT_1D_SIZE 1\n0 0 0\n", "2 to 65536"),
            ("LUT_1D_SIZE 2\n0 0 0\n", "there should be 2 entries and there are 1"),
            ("LUT_1D_SIZE 2\n0 0\n1 1 1\n", "line 2"),
            ("LUT_1D_SIZE 2\n0 0 nan\n1 1 1\n", "line 2"),
            ("LUT_1D_SIZE 2\nDOMAIN_MIN 1 1 1\n0 0 0\n1 1 1\n", "above DOMAIN_MIN"),
            ("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n", "two files"),
            ("<html>", "three numbers"),
            ("hello world", "not known"),
            (&long, "far too many"),
        ] {
            let error = read(text.as_bytes()).expect_err(says);
            assert!(error.contains(says), "{error}");
        }
        assert!(read(&[0xff, 0xfe, 0x00]).is_err());
    }
}
