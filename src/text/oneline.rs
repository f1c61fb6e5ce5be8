//! Telling a block with one item a line from wrapped text and from short lines that belong together.

use super::layout::{MAX_WRAP_COLUMNS, width_that_few_exceed};
use super::line::{Line, is_table};
use super::marks::{Opening, is_unspaced};
use std::collections::HashSet;

/// Mean width from which on lines with capitals and no full stops are items, such as headlines; below it they may be
/// verse, lyrics, a menu or an address.
const MIN_MEAN_COLUMNS: usize = 36;
/// Mean width from which on lines that all end sentences are paragraphs.
const MIN_MEAN_SENTENCE_COLUMNS: usize = 20;
/// With fewer lines than this, each line must have at least [`MIN_FEW_COLUMNS`]: a byline, a date and one long headline
/// have a high mean too.
const FEW_LINES: usize = 5;
const MIN_FEW_COLUMNS: u16 = 30;
/// From so many lines on, a mean of [`MIN_MEAN_SENTENCE_COLUMNS`] does for lines with capitals and no full stops, if none
/// ends in a comma: stanzas and addresses are shorter, and verse of that length has commas.
const MANY_LINES: usize = 8;
/// Longest name of a speaker in front of what he says, in bytes.
const MAX_SPEAKER_BYTES: usize = 24;
/// From so many breaks on, one in five with room at the line's end speaks against wrapped text.
const MIN_ROOMY_BREAKS: usize = 4;
/// What a character of a script without spaces between words is worth in columns of an alphabet.
const UNSPACED_COLUMNS: usize = 3;
/// A pair of lines whose first one has a width between these may be wrapped text that happens to end a sentence at the
/// margin.
const COMMON_WRAPS: std::ops::RangeInclusive<u16> = 55..=85;

/// What is counted about the breaks between lines, those in front of list items aside.
#[derive(Clone, Copy, Debug, Default)]
struct Breaks {
    all: usize,
    /// After a line that ends a sentence.
    sentence: usize,
    /// After a line that does not.
    open: usize,
    /// Of the open ones: in front of a line that begins anew.
    open_anew: usize,
    /// Of the open ones: in front of a line of a script without capitals, or of one that tells nothing otherwise.
    open_unclear: usize,
    /// Of the open ones: the next line's first word would have fitted.
    open_room: usize,
    /// The sentence visibly goes on.
    running: usize,
    /// After a comma, a semicolon or the like.
    soft: usize,
}

impl Breaks {
    fn count(lines: &[Line<'_>], columns: u16) -> Breaks {
        let mut breaks = Breaks::default();
        for pair in lines.windows(2).filter(|pair| !pair[1].is_item) {
            let open = !pair[0].shape.ends_sentence;
            breaks.all += 1;
            breaks.sentence += usize::from(!open);
            breaks.open += usize::from(open);
            breaks.open_anew += usize::from(open && pair[1].opening == Opening::Anew);
            breaks.open_unclear += usize::from(open && pair[1].opening == Opening::Unclear);
            breaks.open_room += usize::from(open && pair[0].has_room_for(&pair[1], columns));
            breaks.running += usize::from(pair[0].runs_into(&pair[1]));
            breaks.soft += usize::from(pair[0].ends_softly);
        }
        breaks
    }
}

/// A block of which each line is an item or a paragraph of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineList {
    /// Headlines, posts, comments.
    Items,
    /// Paragraphs with full stops, none much wider than `columns`. Where such a line has no full stop and no room, and
    /// the next begins with a small letter, a margin broke it.
    Sentences { columns: u16 },
}

/// What list of lines the block is, if it is one. Time linear in the number of lines.
pub(super) fn line_list(lines: &[Line<'_>]) -> Option<LineList> {
    if lines.len() < 2 {
        return None;
    }
    let columns = width_that_few_exceed(lines.iter().map(|line| line.shape.width), lines.len() / 20);
    if begin_all_with(lines, '@')
        || begin_all_with(lines, '#')
        || lines.iter().all(|line| begins_with_time(line.text))
        || is_conversation(lines)
    {
        return Some(LineList::Items);
    }
    let breaks = Breaks::count(lines, columns);
    if breaks.all == 0 || breaks.soft * 10 > breaks.all || is_table(lines) {
        return None;
    }
    let total: usize = lines.iter().map(|line| usize::from(line.shape.width.min(MAX_WRAP_COLUMNS))).sum();
    let wide = total >= MIN_MEAN_COLUMNS * lines.len();
    let many = lines.len() >= MANY_LINES && breaks.soft == 0 && total >= MIN_MEAN_SENTENCE_COLUMNS * lines.len();
    if are_sentences(lines, breaks, columns, total, wide) {
        return Some(LineList::Sentences { columns });
    }
    ((wide || many) && are_headlines(lines, breaks) || are_unclear_lines(lines, breaks)).then_some(LineList::Items)
}

/// `@` or `#` in front of each line's first word, as in posts to people or under topics.
fn begin_all_with(lines: &[Line<'_>], mark: char) -> bool {
    let marked = |line: &Line<'_>| {
        line.text.strip_prefix(mark).is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    // Tags alone, line after line, are the end of one post.
    lines.iter().all(marked) && lines.iter().any(|line| line.text.contains(' ') && !all_tags(line.text))
}

/// A time of day as in chats and programmes: `12:05`, `[9:30`.
fn begins_with_time(text: &str) -> bool {
    let text = text.strip_prefix(['[', '(']).unwrap_or(text);
    let hours = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let minutes = text[hours..].strip_prefix([':', '.']).unwrap_or("");
    (1..=2).contains(&hours) && minutes.bytes().take_while(u8::is_ascii_digit).count() == 2
}

/// What several people say in turn, each line behind its speaker's name: `Ann: …`. One name comes back; in a form every line
/// has a name of its own.
fn is_conversation(lines: &[Line<'_>]) -> bool {
    let speakers: Option<HashSet<&str>> = lines.iter().map(|line| speaker(line.text)).collect();
    speakers.is_some_and(|speakers| (2..lines.len()).contains(&speakers.len()))
}

fn speaker(text: &str) -> Option<&str> {
    let (name, said) = text.split_once(": ")?;
    let is_name = name.len() <= MAX_SPEAKER_BYTES
        && name.starts_with(char::is_alphabetic)
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '\''));
    (is_name && !said.trim().is_empty()).then_some(name)
}

fn all_tags(text: &str) -> bool {
    text.split_whitespace().all(|word| word.starts_with(['@', '#']))
}

/// Paragraphs of one line each: nearly all of them end sentences, and where one does not, the next begins anew.
fn are_sentences(lines: &[Line<'_>], breaks: Breaks, columns: u16, total: usize, wide: bool) -> bool {
    if breaks.running * 10 > breaks.all
        || breaks.open_anew * 10 < breaks.open * 9
        || breaks.sentence * 5 < breaks.all * 3
    {
        return false;
    }
    if let [first, second] = lines {
        let room = first.has_room_for(second, columns);
        let unusual = wide && !COMMON_WRAPS.contains(&first.shape.width);
        return total >= MIN_MEAN_SENTENCE_COLUMNS * 3 && (room || unusual);
    }
    let all = breaks.open == 0 && lines.last().is_some_and(|line| line.shape.ends_sentence);
    wide || all && total >= MIN_MEAN_SENTENCE_COLUMNS * lines.len()
}

/// Headlines, posts and comments without full stops: every next line begins anew, or most do and no margin holds them.
fn are_headlines(lines: &[Line<'_>], breaks: Breaks) -> bool {
    let Breaks { open, open_anew, open_room, .. } = breaks;
    if breaks.all < 2 || lines.len() < FEW_LINES && lines.iter().any(|line| line.shape.width < MIN_FEW_COLUMNS) {
        return false;
    }
    // Wrapped text would end with a full stop, or have no room at the ends of its lines.
    let ends_open = lines.last().is_some_and(|line| !line.shape.ends_sentence);
    let roomy = open_room * 2 >= open || open >= MIN_ROOMY_BREAKS && open_room * 5 >= open;
    let all_anew = open_anew * 10 >= open * 9 && (ends_open || roomy);
    let most_anew = lines.len() >= FEW_LINES && open_anew * 5 >= open * 3 && open_room * 3 >= open * 2;
    all_anew || most_anew
}

/// Lines of a script without capitals, few of which a margin can have broken.
fn are_unclear_lines(lines: &[Line<'_>], breaks: Breaks) -> bool {
    let columns = |line: &Line<'_>| {
        usize::from(line.shape.width) * if line.text.starts_with(is_unspaced) { UNSPACED_COLUMNS } else { 1 }
    };
    breaks.open >= MIN_ROOMY_BREAKS
        && breaks.open_unclear * 10 >= breaks.open * 9
        && breaks.open_room * 3 >= breaks.open * 2
        && lines.iter().map(columns).sum::<usize>() >= MIN_MEAN_COLUMNS * lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_list(source: &str) -> bool {
        let lines: Vec<Line<'_>> = source.lines().map(Line::measure).collect();
        line_list(&lines).is_some()
    }

    #[test]
    fn headlines_and_posts_are_lists() {
        assert!(is_list(
            "Council votes to close the harbour pool after years of debate\n\
             Ferry company orders two electric ships for the island line\n\
             Storm takes the roof off the market hall in Upper Wenning"
        ));
        assert!(is_list("@ben not sure about that\n@sue me neither"));
        assert!(is_list("9:00 Coffee\n9.30 Eels"));
        assert!(is_list("#eels are back in the weir\n#fens under water again"));
    }

    #[test]
    fn one_sentence_a_line_is_a_list() {
        assert!(is_list("The council met on Tuesday.\nIt voted to close the pool.\nResidents may object until May."));
        assert!(is_list("The pool will close in May.\nResidents were told by letter and may object until June."));
    }

    #[test]
    fn lines_that_belong_together_are_none() {
        for text in [
            "By A. Writer\nPosted at noon\nThe harbour reopens after the storm",
            "Moira Stead\n12 Mill Road\nUpper Wenning\nWX1 4AB",
            "A verse is short.\nIt ends.\nThen one more line,\nand it bends.",
            "Home\nNews\nSport\nWeather",
            "#summer #sea\n#ferry",
            "Who drains the fen shall drink the winter rain,\nWho dams the dyke shall have to dig again;\n\
             The sea is patient, neighbour, so beware,\nAnd keep thy spade, and keep it in repair.",
            "Team A    Home    3    1    2 and more\nTeam B    Home    1    4    0 and more\nTeam C    Away    1    4    0 or so",
        ] {
            assert!(!is_list(text), "{text}");
        }
    }

    #[test]
    fn wrapped_text_is_none() {
        assert!(!is_list(
            "Growth in fresh water is slow: a female may need fifteen years to reach\nmaturity, and individuals kept in \
             wells have lived for more than eighty.\nNobody knows why."
        ));
        assert!(!is_list(
            "It was all arranged between the two of them before anybody had spoken.\nNobody knows why they did it."
        ));
    }
}
