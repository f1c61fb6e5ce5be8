//! Text with a blank line after every line, as it comes out of PDF files and of manuscripts.
//!
//! Such a text looks like paragraphs of one line each. What tells is that line after line breaks off amid a sentence,
//! close to one margin. The judgement must not reach far, because a file of any size is split piece by piece: so lines
//! are first put into *runs*, and a run ends at a break where neither it nor the two on either side give a sign of a
//! sentence that goes on.

use super::layout::{MAX_WRAP_COLUMNS, MIN_WRAP_COLUMNS, width_that_few_exceed};
use super::line::Line;
use super::marks::{Opening, QuotePrefix};
use std::ops::Range;

/// A break without a sign belongs to a run only if a break with one is so near.
pub(super) const REACH: usize = 2;

/// Fewer signs than this in a run may be comments without capitals and full stops, unless it begins with a capital and
/// ends with a full stop.
const MIN_SIGNS: usize = 3;

/// Whether a block is one line that may belong to a wrapped paragraph with blank lines between its lines. `line` is
/// without line break.
pub(super) fn may_be_spaced(line: &Line<'_>) -> bool {
    line.shape.width <= MAX_WRAP_COLUMNS && QuotePrefix::of(line.text).depth == 0
}

/// Whether a sentence visibly goes on from one line to the next over a blank line: a small letter follows a line that
/// does not end a sentence, and the line is wide enough to be wrapped and not much narrower than the next.
pub(super) fn goes_on(line: &Line<'_>, next: &Line<'_>) -> bool {
    can_go_on(line)
        && line.runs_into(next)
        && !next.is_item
        && !line.has_room_for(next, next.shape.width - next.shape.width / 4)
}

/// Whether there can be a next line for which [`goes_on`] is true.
pub(super) fn can_go_on(line: &Line<'_>) -> bool {
    !line.shape.ends_sentence && line.shape.width >= MIN_WRAP_COLUMNS
}

/// Whether a run may end at the break `index` of a stretch. `goes_on` tells of each break whether the sentence goes on
/// there.
pub(super) fn ends_run(goes_on: &[bool], index: usize) -> bool {
    let near = index.saturating_sub(REACH)..(index + REACH + 1).min(goes_on.len());
    !goes_on[near].contains(&true)
}

/// Which lines of a stretch belong to the line before, with `joins[i]` for the break after line `i`. A stretch are
/// blocks of one line each with exactly one blank line between them. Time linear in their number.
pub(super) fn joins(lines: &[Line<'_>]) -> Vec<bool> {
    let goes_on: Vec<bool> = lines.windows(2).map(|pair| goes_on(&pair[0], &pair[1])).collect();
    let mut joins = vec![false; goes_on.len()];
    let mut first = 0;
    for index in 0..=goes_on.len() {
        if index == goes_on.len() || ends_run(&goes_on, index) {
            join_run(lines, &goes_on, first..index, &mut joins);
            first = index + 1;
        }
    }
    joins
}

/// Judges the lines `run.start..=run.end`, between which stand the breaks `run`.
fn join_run(lines: &[Line<'_>], goes_on: &[bool], run: Range<usize>, joins: &mut [bool]) {
    let signs = || run.clone().filter(|&index| goes_on[index]);
    let (Some(first), Some(last)) = (signs().next(), signs().next_back()) else { return };
    let inside = &lines[first..=last + 1];
    let columns = width_that_few_exceed(inside.iter().map(|line| line.shape.width), inside.len() / 10);
    // Characters are counted where the page counted their widths, so the margin is a little soft.
    let margin = columns - columns / 8;
    let at_margin = signs().filter(|&index| !lines[index].has_room_for(&lines[index + 1], margin)).count();
    let far_beyond = inside.iter().filter(|line| line.shape.width > columns + columns / 8).count();
    let three_lines = signs().any(|index| goes_on[index + 1..].first() == Some(&true));
    let is_whole = inside[0].opening == Opening::Anew && lines[last + 1].shape.ends_sentence;
    let clear = three_lines
        && (signs().count() >= MIN_SIGNS || is_whole)
        && signs().count() * 2 > last - first
        && at_margin * 10 >= signs().count() * 9
        && far_beyond * 20 <= inside.len();
    if !clear {
        return;
    }
    for index in run.clone() {
        let (line, next) = (&lines[index], &lines[index + 1]);
        let full = !line.has_room_for(next, margin);
        let indented = line.shape.ends_sentence && next.shape.indent > line.shape.indent;
        joins[index] = (full || goes_on[index]) && !indented && !next.is_item && !is_page_number(next.text);
    }
}

fn is_page_number(text: &str) -> bool {
    Opening::of(text) == Opening::Anew && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: [&str; 7] = [
        "The eels of the lower river",
        "Growth in fresh water is slow: a female may need fifteen years to",
        "reach maturity, and individuals kept in wells have lived for more",
        "than eighty.",
        "Catches on Atlantic coasts fell by more than nine tenths between the",
        "years 1980 and 2010, for reasons that nobody has yet been able to",
        "name with certainty.",
    ];

    fn measured(lines: &[&'static str]) -> Vec<Line<'static>> {
        lines.iter().map(|line| Line::measure(line)).collect()
    }

    #[test]
    fn lines_of_a_spaced_text_are_joined() {
        assert_eq!(joins(&measured(&PAPER)), [false, true, true, false, true, true]);
    }

    #[test]
    fn an_indent_begins_a_paragraph_after_a_full_line() {
        let mut lines = PAPER;
        lines[3] = "than eighty years, as the tallies of two old abbeys tell us.";
        assert!(joins(&measured(&lines))[3]);
        lines[4] = "   Catches on Atlantic coasts fell by more than nine tenths between";
        assert!(!joins(&measured(&lines))[3]);
    }

    #[test]
    fn short_comments_are_not_joined() {
        let comments = [
            "thumbs up if you want me to win a new guitar, the link is in my bio please",
            "play it slower next time, you are rushing the second theme",
            "meh",
            "who is here after the game got remastered",
            "lol the sister nearly missed the page and nobody has let her forget it",
            "no",
        ];
        assert!(!joins(&measured(&comments)).contains(&true));
    }

    #[test]
    fn a_run_ends_where_nothing_near_goes_on() {
        assert!(ends_run(&[false, false, false], 1));
        assert!(!ends_run(&[false, false, false, true], 1));
        assert!(ends_run(&[false, false, false, false, true], 1));
    }
}
