//! The places where a growing buffer may be cut.

use super::blank::{is_blank, is_block_break, is_line_break};
use super::line::Line;
use super::lines::RawLines;
use super::spaced::{self, REACH};
use super::split::{Paragraphs, measure_single};

/// The last byte offset at which `buffer` may be cut, for [`split`](super::split()).
/// The same as [`last_boundary_with`] and [`Paragraphs::Auto`].
///
/// ```
/// use copydesk::text::last_boundary;
/// assert_eq!(last_boundary("First.\n\n\nSecond.\n \nThi"), Some(9));
/// assert_eq!(last_boundary("First,\nstill the first"), None);
/// ```
pub fn last_boundary(buffer: &str) -> Option<usize> {
    last_boundary_with(buffer, Paragraphs::Auto)
}

/// The last byte offset at which `buffer` may be cut.
///
/// Splitting what is before the offset, and separately what is from it on together with whatever is appended later,
/// gives the same paragraphs as splitting everything at once, in the mode `paragraphs`. A reader can thus keep a file's
/// unfinished end in its buffer, split the finished part, and add the bytes before the cut to the later spans.
///
/// | mode | boundary |
/// |---|---|
/// | `Line` | after a line break |
/// | `Blank`, `Layout` | after a blank line, form feed or U+2029 |
/// | `Auto` | after a form feed or U+2029; after a blank line if a second one, a block of several lines or a line of more than 160 columns stands beside it, else if neither there nor at the two blank lines before and after it a sentence may go on |
///
/// `None` where there is no such place, as in a text without blank lines. The search runs backwards from the end and
/// takes time linear in what it passes over, so a buffer that had none should grow by a factor, not by a constant.
///
/// A CR at the very end is not taken for a line break, since an LF may follow.
pub fn last_boundary_with(buffer: &str, paragraphs: Paragraphs) -> Option<usize> {
    match paragraphs {
        Paragraphs::Line => last_line_end(buffer),
        Paragraphs::Blank | Paragraphs::Layout => last_blank_line(buffer),
        Paragraphs::Auto => last_certain_break(buffer),
    }
}

/// The offset after the last line break.
fn last_line_end(buffer: &str) -> Option<usize> {
    let buffer = buffer.trim_end_matches('\r');
    buffer.char_indices().rev().find(|&(_, c)| is_line_break(c)).map(|(index, c)| index + c.len_utf8())
}

/// The offset right after the last blank line, form feed or paragraph separator.
fn last_blank_line(buffer: &str) -> Option<usize> {
    let buffer = buffer.trim_end_matches('\r');
    let bytes = buffer.as_bytes();
    // Offset after a line break from which on, seen backwards, there were only blank characters.
    let mut line_end: Option<usize> = None;
    let mut position = buffer.len();
    while let Some(c) = buffer[..position].chars().next_back() {
        let after = position;
        position -= c.len_utf8();
        if is_block_break(c) {
            return Some(line_end.unwrap_or(after));
        }
        if is_line_break(c) {
            if line_end.is_some() {
                return line_end;
            }
            line_end = Some(after);
            if c == '\n' {
                while position > 0 && bytes[position - 1] == b'\r' {
                    position -= 1;
                }
            }
        } else if !is_blank(c) {
            line_end = None;
        }
    }
    line_end
}

/// The offset after the last blank line over which no paragraph can reach, whatever is appended.
fn last_certain_break(buffer: &str) -> Option<usize> {
    let mut cut = last_blank_line(buffer)?;
    // Seen backwards: the breaks between single lines, and whether a sentence may go on over each.
    let mut cuts = Vec::new();
    let mut goes_on = Vec::new();
    let mut next: Option<Line<'_>> = None;
    loop {
        let before = buffer[..cut].trim_end_matches(is_blank);
        let block_start = last_blank_line(before).unwrap_or(0);
        let single = single_line(&before[block_start..]).filter(spaced::may_be_spaced);
        let Some(line) = single.filter(|_| !ends_stretch(&buffer[before.len()..cut])) else {
            let unchecked = goes_on.len().saturating_sub(REACH).max(REACH);
            let free = (unchecked..goes_on.len()).find(|&index| spaced::ends_run(&goes_on, index));
            return Some(free.map_or(cut, |index| cuts[index]));
        };
        goes_on.push(match &next {
            Some(next) => spaced::goes_on(&line, next),
            // What follows the last blank line may still grow.
            None => spaced::can_go_on(&line),
        });
        cuts.push(cut);
        next = Some(line);
        // The breaks after the first two are not known, so the third is the first that can be judged.
        if let Some(index) = goes_on.len().checked_sub(1 + REACH).filter(|&index| index >= REACH)
            && spaced::ends_run(&goes_on, index)
        {
            return Some(cuts[index]);
        }
        if block_start == 0 {
            let unchecked = goes_on.len().saturating_sub(REACH).max(REACH);
            return (unchecked..goes_on.len())
                .find(|&index| spaced::ends_run(&goes_on, index))
                .map(|index| cuts[index]);
        }
        cut = block_start;
    }
}

/// A block as the one line that it is.
fn single_line(block: &str) -> Option<Line<'_>> {
    (!block.is_empty() && !block.contains(is_line_break)).then(|| measure_single(block))
}

/// Whether more than one blank line, or a form feed or paragraph separator, is in the blank characters between two
/// blocks.
fn ends_stretch(gap: &str) -> bool {
    gap.contains(is_block_break) || RawLines::new(gap).take(3).count() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_boundary(buffer: &str) -> Option<usize> {
        last_boundary_with(buffer, Paragraphs::Layout)
    }

    #[test]
    fn boundary_is_after_the_last_blank_line() {
        assert_eq!(last_boundary("a\n\nb"), Some(3));
        assert_eq!(last_boundary("a\n\nb\n"), Some(3));
        assert_eq!(last_boundary("a\r\n \u{a0}\r\nb"), Some(8));
        assert_eq!(last_boundary("a\n\n  "), Some(3));
        assert_eq!(last_boundary("a\u{c}b"), Some(2));
        assert_eq!(last_boundary("\n"), Some(1));
        assert_eq!(last_boundary("a\nb\n"), None);
        assert_eq!(last_boundary(""), None);
    }

    #[test]
    fn a_carriage_return_at_the_end_decides_nothing() {
        assert_eq!(last_boundary("a\r\r"), None);
        assert_eq!(last_boundary("a\r\rb"), Some(3));
    }

    #[test]
    fn every_line_end_is_a_boundary_of_lines() {
        let boundary = |buffer: &str| last_boundary_with(buffer, Paragraphs::Line);
        assert_eq!(boundary("a\r\nb"), Some(3));
        assert_eq!(boundary("a\nb\r"), Some(2));
        assert_eq!(boundary("a"), None);
    }

    #[test]
    fn in_auto_a_lone_blank_line_is_none_until_what_follows_is_known() {
        let boundary = |buffer: &str| last_boundary_with(buffer, Paragraphs::Auto);
        assert_eq!(boundary("a\n\nb"), None);
        assert_eq!(boundary("a\n\n\nb"), Some(4));
        assert_eq!(boundary("a\n\u{c}b"), Some(3));
        assert_eq!(boundary("a\nb\n\nc"), Some(5));
        assert_eq!(boundary("\n"), Some(1));
        assert_eq!(boundary(&format!("{}\n\nb", "word ".repeat(40))), Some(202));
        assert_eq!(boundary("One.\n\nTwo.\n\nThree.\n\nFour.\n\nFi"), Some(12));
    }
}
