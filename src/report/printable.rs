//! Text from outside, made fit for a terminal.

/// Makes control characters visible: a text must not steer the terminal that shows it. Tabs and line breaks count as
/// spaces.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// A name as it fits so many columns, made printable; a longer one is cut and ends in `…`.
pub(crate) fn fitting(name: &str, columns: usize) -> String {
    let name = printable(name);
    console::truncate_str(&name, columns, "…").into_owned()
}
