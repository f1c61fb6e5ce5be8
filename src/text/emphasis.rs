//! Marks of Markdown and of mail in front of lines and around words.

use super::blank::{is_blank, is_line_break};
use super::marks::{QuotePrefix, is_heading};
use super::markup::is_quotation_mark;

/// The text without the mark of a heading at its beginning and with quotation marks for quote marks in front of lines;
/// `None` where there are none.
pub(super) fn without_line_marks(text: &str) -> Option<String> {
    if !text.contains(['>', '#']) {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut quoted = String::new();
    let (mut changed, mut first) = (false, true);
    for line in text.split_inclusive(is_line_break) {
        let content = line.trim_start_matches(is_blank);
        if let Some(length) = quote_marks(content) {
            changed = true;
            quoted.push_str(&content[length..]);
            quoted.push('\n');
        } else if content.is_empty() && !quoted.is_empty() {
            quoted.push('\n');
        } else {
            push_quoted(&mut plain, &mut quoted);
            let is_heading = first && is_heading(content);
            changed |= is_heading;
            plain.push_str(if is_heading { content.trim_start_matches('#') } else { line });
        }
        first &= content.is_empty();
    }
    push_quoted(&mut plain, &mut quoted);
    changed.then_some(plain)
}

/// Bytes of the quote marks that a line begins with. Faces and arrows have the sign too.
fn quote_marks(line: &str) -> Option<usize> {
    let QuotePrefix { depth, length } = QuotePrefix::of(line);
    let initials = line.bytes().take_while(u8::is_ascii_uppercase).count();
    let marked = line[..length].ends_with(is_blank) || initials == 0 && length == line.len();
    let begins = depth == 1 && line[length..].starts_with(|c: char| c.is_alphanumeric() || is_quotation_mark(c));
    (depth > 0 && line[initials..].starts_with('>') && initials != 1 && (marked || initials == 0 && begins))
        .then_some(length)
}

/// Appends quoted lines between quotation marks, unless they have their own.
fn push_quoted(plain: &mut String, quoted: &mut String) {
    let content = quoted.trim_matches(is_blank);
    if !content.is_empty() {
        let mark = |has_mark: bool| if has_mark { "" } else { "\"" };
        let (first, last) = (mark(content.starts_with(is_quotation_mark)), mark(content.ends_with(is_quotation_mark)));
        plain.extend(["\n", first, content, last, "\n"]);
    }
    quoted.clear();
}

/// Marks in a row that mean something: `*`, `**`, `***`, the same of `_`, and `~~`.
const KINDS: usize = 7;

/// The text without the marks of emphasis around words; `None` where there are none.
pub(super) fn without_emphasis(text: &str) -> Option<String> {
    if !text.contains(['*', '_', '~']) {
        return None;
    }
    let mut marks: Vec<(usize, usize)> = Vec::new();
    let mut open: [Option<(usize, usize)>; KINDS] = [None; KINDS];
    let mut before = None;
    let mut characters = text.char_indices().peekable();
    while let Some((start, c)) = characters.next() {
        let mut end = start + c.len_utf8();
        if matches!(c, '*' | '_' | '~') {
            while characters.next_if(|&(_, next)| next == c).is_some() {
                end += 1;
            }
            let after = characters.peek().map(|&(_, c)| c);
            if let Some(kind) = kind(c, end - start) {
                if closes(before, after)
                    && let Some((open_start, open_end)) = open[kind]
                    && !is_code_name(&text[open_start..end])
                {
                    marks.extend([(open_start, open_end), (start, end)]);
                    open[kind] = None;
                } else if opens(before, after) {
                    open[kind] = Some((start, end));
                }
            }
        }
        before = Some(c);
    }
    if marks.is_empty() {
        return None;
    }
    marks.sort_unstable();
    let mut plain = String::with_capacity(text.len());
    let mut written = 0;
    for (start, end) in marks {
        plain.push_str(&text[written..start]);
        written = end;
    }
    plain.push_str(&text[written..]);
    Some(plain)
}

/// Which of the [`KINDS`] a row of marks is.
fn kind(mark: char, length: usize) -> Option<usize> {
    match (mark, length) {
        ('*', 1..=3) => Some(length - 1),
        ('_', 1..=3) => Some(length + 2),
        ('~', 2) => Some(6),
        _ => None,
    }
}

/// Whether marks between these characters may begin an emphasis.
fn opens(before: Option<char>, after: Option<char>) -> bool {
    let apart = |c: char| c.is_whitespace() || is_quotation_mark(c) || "'‘([{—–-/>*_~.,:;!?".contains(c);
    let begins = |c: char| c.is_alphanumeric() || is_quotation_mark(c) || "'‘([*_~@#$£€¿¡".contains(c);
    before.is_none_or(apart) && after.is_some_and(begins)
}

/// Whether marks between these characters may end an emphasis.
fn closes(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(|c| !c.is_whitespace()) && after.is_none_or(|c| !c.is_alphanumeric())
}

/// Whether it is a name such as `__init__`.
fn is_code_name(text: &str) -> bool {
    text.starts_with("__") && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let lines = without_line_marks(text).unwrap_or(text.to_owned());
        let plain = without_emphasis(&lines).unwrap_or(lines);
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn emphasis_goes() {
        for (text, plain) in [
            ("**We won.**", "We won."),
            ("It was *never* __good__ enough, ~~Ben~~ said.", "It was never __good__ enough, Ben said."),
            ("__We won,__ \"*of course*\" _(again)_", "We won, \"of course\" (again)"),
            ("***All*** of **_it_**!", "All of it!"),
        ] {
            assert_eq!(read(text), plain);
        }
    }

    #[test]
    fn other_uses_of_the_signs_stay() {
        for text in [
            "5 * 3 * 2",
            "a*b*c",
            "snake_case and _private",
            "*.rs or *.txt",
            "f*** off, a**",
            "def f(*args, **kwargs)",
            "__init__",
            "from $5* per day",
            "____",
            "~5 or ~/x",
            "#tag",
            "C# is",
            "x > y",
            "->",
            ">:(",
            ">= 5",
            ">>>Click<<<",
            "<3",
        ] {
            assert_eq!(read(text), text.trim_end());
        }
    }

    #[test]
    fn marks_in_front_of_lines_become_quotation_marks() {
        for (text, plain) in [
            ("> We won.\n> Again.\n\nNo.", "\"We won. Again.\" No."),
            (">> \"We won.\"\n>\nNo.", "\"We won.\" No."),
            (">We won.", "\"We won.\""),
            ("JD> We won.", "\"We won.\""),
            ("## Results of the day", "Results of the day"),
            ("Text\n# Not the first line", "Text # Not the first line"),
        ] {
            assert_eq!(read(text), plain);
        }
    }
}
