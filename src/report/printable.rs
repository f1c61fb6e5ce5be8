//! Text from outside, made fit for a terminal.

/// Makes control characters and invisible format characters visible: a text must not steer the terminal that shows it, nor
/// turn around or hide what stands beside it. Tabs and line breaks count as spaces.
///
/// Joiners stay, because emoji and some scripts are written with them.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control() || is_invisible(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// A name as it fits so many columns, made printable; a longer one is cut and ends in `…`.
pub(crate) fn fitting(name: &str, columns: usize) -> String {
    let name = printable(name);
    console::truncate_str(&name, columns, "…").into_owned()
}

/// Columns of a table, and of the sentences around it.
pub(super) const TABLE_COLUMNS: usize = 80;

/// How texts are broken into lines of so many columns: between words, and longer words anywhere.
pub(super) fn lines_of(columns: usize) -> textwrap::Options<'static> {
    textwrap::Options::new(columns).word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// A sentence beside a table, broken where it is wider than that.
pub(super) fn sentence(text: &str) -> String {
    textwrap::fill(text, lines_of(TABLE_COLUMNS))
}

/// Characters of Unicode's category Cf that draw nothing, and line separators; without U+200C and U+200D.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' // soft hyphen
            | '\u{61c}' // Arabic letter mark
            | '\u{180e}' // Mongolian vowel separator
            | '\u{200b}' // zero width space
            | '\u{200e}'..='\u{200f}' // left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}' // separators, embeddings and overrides of direction
            | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates of direction
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{1bca0}'..='\u{1bca3}' // shorthand
            | '\u{1d173}'..='\u{1d17a}' // musical notation
            | '\u{e0000}'..='\u{e007f}' // tags
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal_or_hides() {
        assert_eq!(printable("a\tb\r\nc"), "a b  c");
        assert_eq!(printable("\u{1b}[31mred\u{9b}0m\u{7f}\0"), "\u{fffd}[31mred\u{fffd}0m\u{fffd}\u{fffd}");
        let directions =
            ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain(['\u{200e}', '\u{200f}', '\u{61c}']);
        let hidden = ['\u{ad}', '\u{200b}', '\u{2028}', '\u{2029}', '\u{2060}', '\u{feff}', '\u{e0041}', '\u{180e}'];
        for c in directions.chain(hidden) {
            assert_eq!(printable(&format!("x{c}y")), "x\u{fffd}y", "{c:?}");
        }
    }

    #[test]
    fn what_can_be_seen_stays() {
        for text in ["A café — “quoted”, 100 %", "Привет, 世界", "👩\u{200d}💻 ❤\u{fe0f}", "مرحبا", "नमस्\u{200d}ते"]
        {
            assert_eq!(printable(text), text);
        }
    }
}
