//! What is known of a line besides its width.

use super::blank::is_blank;
use super::layout::LineShape;
use super::marks::{Opening, ends_softly, is_table_row, is_unspaced};

/// What the rules need to know of a line, its quote marks aside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Without quote marks and blank edges.
    pub text: &'a str,
    pub shape: LineShape,
    pub opening: Opening,
    /// Ends where nobody ends a paragraph.
    pub ends_softly: bool,
    /// Begins a numbered item or one with a bullet.
    pub is_item: bool,
}

impl<'a> Line<'a> {
    /// Measures a line without its line break and without its quote marks.
    pub fn measure(line: &'a str) -> Line<'a> {
        let mut shape = LineShape::measure(line);
        let text = line.trim_matches(is_blank);
        if text.starts_with(is_unspaced) {
            // A line may be broken after any character here, and no space stands before the next.
            shape.first_word = 0;
        }
        Line { text, shape, opening: Opening::of(text), ends_softly: ends_softly(text), is_item: false }
    }

    /// Whether the sentence goes on in `next`, as far as small letters and hyphens tell.
    pub fn runs_into(&self, next: &Line<'_>) -> bool {
        let hyphenated = self.text.ends_with('-') && !self.text.ends_with("--");
        !self.shape.ends_sentence && (next.opening == Opening::Small || hyphenated)
    }

    /// Whether the first word of `next` would still have fitted into `columns`.
    pub fn has_room_for(&self, next: &Line<'_>, columns: u16) -> bool {
        u32::from(self.shape.width) + 1 + u32::from(next.shape.first_word) <= u32::from(columns)
    }
}

/// Whether at least half of the lines are rows of a table.
pub(super) fn is_table(lines: &[Line<'_>]) -> bool {
    lines.iter().filter(|line| is_table_row(line.text)).count() * 2 >= lines.len()
}
