//! Errors as the user reads them.

/// An error's text, which begins small because others put words before it, as a sentence of its own.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_large_and_ends() {
        assert_eq!(sentence("the screen is gone"), "The screen is gone.");
        assert_eq!(sentence("Gone. Plug it in."), "Gone. Plug it in.");
        assert_eq!(sentence(""), "");
    }
}
