//! How the lines of one block belong together: wrapped text, a list of lines, or a few short lines.

use super::blank::is_blank;

/// Widest column at which anybody wraps text; a longer line was not wrapped.
pub(super) const MAX_WRAP_COLUMNS: u16 = 160;
/// Narrowest wrapped text. Below it stand verses, tables and menus.
pub(super) const MIN_WRAP_COLUMNS: u16 = 40;
/// Lines up to this width are not paragraphs by their length alone.
const SHORT_COLUMNS: u16 = 100;
/// Nobody writes one paragraph or stanza of more short lines than this.
const MAX_SHORT_LINES: usize = 50;
/// An address or another long string of ASCII cannot be wrapped, so it says nothing about the width.
const MAX_WORD_COLUMNS: u16 = 40;
const TAB_COLUMNS: u16 = 4;

/// What the layout rules need to know of a line. Widths count characters and stop at `u16::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineShape {
    /// Columns of blank characters before the text.
    pub indent: u16,
    /// Columns from the first to the last character of the text; long words of ASCII count as 40.
    pub width: u16,
    /// Columns of the first word, long words of ASCII counting as 40.
    pub first_word: u16,
    /// The text ends with a full stop, question mark or the like, closing quotation marks and brackets aside.
    pub ends_sentence: bool,
}

impl LineShape {
    /// Measures `line`, which holds no line break.
    pub fn measure(line: &str) -> LineShape {
        let text = line.trim_start_matches(is_blank);
        let indent = line[..line.len() - text.len()]
            .chars()
            .fold(0_u16, |columns, c| columns.saturating_add(if c == '\t' { TAB_COLUMNS } else { 1 }));
        let text = text.trim_end_matches(is_blank);
        let mut width = 0_u16;
        let mut first_word = None;
        for (index, word) in text.split(char::is_whitespace).enumerate() {
            let columns = word_columns(word);
            first_word.get_or_insert(columns);
            width = width.saturating_add(columns).saturating_add(u16::from(index > 0));
        }
        LineShape { indent, width, first_word: first_word.unwrap_or(0), ends_sentence: ends_sentence(text) }
    }
}

fn word_columns(word: &str) -> u16 {
    if word.is_ascii() {
        u16::try_from(word.len()).unwrap_or(u16::MAX).min(MAX_WORD_COLUMNS)
    } else {
        u16::try_from(word.chars().count()).unwrap_or(u16::MAX)
    }
}

fn ends_sentence(text: &str) -> bool {
    let closing = |c: char| matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '*' | '_') || is_blank(c);
    text.trim_end_matches(closing).ends_with(['.', '!', '?', '…', '。', '！', '？'])
}

/// The layout of a block, from which follows at which of its line breaks a paragraph ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Wrapped at about this many columns.
    Wrapped {
        /// Columns that the lines fill.
        columns: u16,
    },
    /// One paragraph per line, but for a line as wide as the widest ones (`columns`) that breaks off amid a sentence.
    LineList {
        /// Width that hardly a line exceeds.
        columns: u16,
    },
    /// Short lines that belong together.
    Together,
}

impl Layout {
    /// Looks at the lines of a whole block. Time linear in their number.
    pub fn of(lines: &[LineShape]) -> Layout {
        if lines.len() < 2 {
            return Layout::Together;
        }
        let columns = usual_width(lines);
        if (MIN_WRAP_COLUMNS..=MAX_WRAP_COLUMNS).contains(&columns) {
            let wraps =
                lines.windows(2).filter(|pair| is_full(pair[0], pair[1], columns) && !pair[0].ends_sentence).count();
            if wraps * 3 >= lines.len() - 1 {
                return Layout::Wrapped { columns };
            }
        }
        Layout::not_wrapped(lines, columns)
    }

    /// The layout of lines of this usual width that are not wrapped text.
    pub fn not_wrapped(lines: &[LineShape], columns: u16) -> Layout {
        if lines.len() > MAX_SHORT_LINES || lines.iter().any(|line| line.width > SHORT_COLUMNS) {
            Layout::LineList { columns }
        } else {
            Layout::Together
        }
    }

    /// Whether a paragraph ends at the break between two neighbouring lines.
    pub fn ends_paragraph(self, line: LineShape, next: LineShape) -> bool {
        match self {
            Layout::Together => false,
            Layout::Wrapped { columns } => {
                line.width > MAX_WRAP_COLUMNS
                    || next.width > MAX_WRAP_COLUMNS
                    || line.ends_sentence && !is_full(line, next, columns)
            }
            Layout::LineList { columns } => {
                let breaks_off = line.width > SHORT_COLUMNS
                    && line.width <= MAX_WRAP_COLUMNS
                    && is_full(line, next, columns)
                    && !line.ends_sentence;
                !breaks_off
            }
        }
    }
}

/// The width that at most a fifth of the lines exceed: one line that sticks out must not hide that the others are wrapped.
fn usual_width(lines: &[LineShape]) -> u16 {
    width_that_few_exceed(lines.iter().map(|line| line.width), lines.len() / 5)
}

/// The least width that at most `left_out` of `widths` exceed; all beyond 160 columns count as 161.
pub(super) fn width_that_few_exceed(widths: impl Iterator<Item = u16>, mut left_out: usize) -> u16 {
    let mut count_by_width = [0_usize; MAX_WRAP_COLUMNS as usize + 2];
    let widest = count_by_width.len() - 1;
    for width in widths {
        count_by_width[usize::from(width).min(widest)] += 1;
    }
    for (width, &count) in count_by_width.iter().enumerate().rev() {
        if count > left_out {
            return width as u16;
        }
        left_out -= count;
    }
    0
}

/// Whether the next line's first word would hardly have fitted: it would reach into the last quarter of the width.
/// Not its very end, because people and mail programs wrap raggedly.
fn is_full(line: LineShape, next: LineShape, columns: u16) -> bool {
    let needed = u32::from(line.width) + 1 + u32::from(next.first_word);
    needed * 4 > u32::from(columns) * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(width: u16, ends_sentence: bool) -> LineShape {
        LineShape { indent: 0, width, first_word: 5, ends_sentence }
    }

    #[test]
    fn measures_columns_not_bytes() {
        let line = LineShape::measure("\u{feff}\t “Héllo, wörld.”  ");
        assert_eq!(line, LineShape { indent: 6, width: 15, first_word: 7, ends_sentence: true });
        assert_eq!(LineShape::measure(" \t ").width, 0);
    }

    #[test]
    fn long_addresses_do_not_widen_a_line() {
        let line = LineShape::measure(&format!("see https://example.org/{}", "x".repeat(200)));
        assert_eq!(line.width, 44);
        assert_eq!(LineShape::measure(&"字".repeat(300)).width, 300);
    }

    #[test]
    fn widths_stop_instead_of_overflowing() {
        assert_eq!(LineShape::measure(&"word ".repeat(100_000)).width, u16::MAX);
    }

    #[test]
    fn sentences_end_inside_closing_marks() {
        for text in ["Yes.", "“Really?”", "(Well…)", "so.'\"", "*Stop!*"] {
            assert!(ends_sentence(text), "{text}");
        }
        for text in ["and", "first,", "list:", "”", ""] {
            assert!(!ends_sentence(text), "{text}");
        }
    }

    #[test]
    fn full_lines_make_wrapped_text() {
        let lines = [shape(70, false), shape(68, false), shape(30, true)];
        assert_eq!(Layout::of(&lines), Layout::Wrapped { columns: 70 });
        assert!(Layout::of(&lines).ends_paragraph(lines[2], lines[0]));
        assert!(!Layout::of(&lines).ends_paragraph(lines[0], lines[1]));
    }

    #[test]
    fn one_wide_line_does_not_hide_the_wrap() {
        let mut lines = vec![shape(70, false); 12];
        lines[5] = shape(400, true);
        let layout = Layout::of(&lines);
        assert_eq!(layout, Layout::Wrapped { columns: 70 });
        assert!(layout.ends_paragraph(lines[4], lines[5]));
        assert!(layout.ends_paragraph(lines[5], lines[6]));
    }

    #[test]
    fn long_uneven_lines_are_a_list() {
        let lines = [shape(300, true), shape(20, false), shape(250, true), shape(410, true)];
        let layout = Layout::of(&lines);
        assert!(matches!(layout, Layout::LineList { .. }));
        assert!(lines.windows(2).all(|pair| layout.ends_paragraph(pair[0], pair[1])));
    }

    #[test]
    fn even_lines_that_end_sentences_are_a_list() {
        let lines = [shape(130, true), shape(140, true), shape(125, true)];
        assert!(matches!(Layout::of(&lines), Layout::LineList { .. }));
    }

    #[test]
    fn a_few_short_lines_stay_together_and_many_do_not() {
        assert_eq!(Layout::of(&[shape(28, false), shape(85, false)]), Layout::Together);
        assert_eq!(Layout::of(&[shape(35, true); 50]), Layout::Together);
        assert!(matches!(Layout::of(&[shape(35, true); 51]), Layout::LineList { .. }));
    }
}
