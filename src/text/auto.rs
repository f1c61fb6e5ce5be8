//! Where paragraphs begin in a block if nothing is known of the text: [`Paragraphs::Auto`](super::Paragraphs::Auto).

use super::blank::is_blank;
use super::layout::{Layout, LineShape};
use super::line::Line;
use super::list::{ListLine, begins_items};
use super::marks::{Opening, QuotePrefix, is_heading};
use super::oneline::{LineList, line_list};

/// Whether a paragraph begins at each of the lines of a block; the first always does. `lines` are without line breaks,
/// blank edges included, and none is blank. Time linear in their length.
pub(super) fn begins(lines: &[&str]) -> Vec<bool> {
    let mut begins = vec![false; lines.len()];
    let prefixes = quote_prefixes(lines);
    // Lines of quote marks alone separate the paragraphs of a quotation; each belongs to the paragraph before it.
    let mut members: Vec<usize> = Vec::new();
    let mut segment: Vec<Line<'_>> = Vec::new();
    let mut depth = None;
    let mut after_gap = false;
    for (index, (line, prefix)) in lines.iter().zip(&prefixes).enumerate() {
        let text = if prefix.depth > 0 { &line.trim_start_matches(is_blank)[prefix.length..] } else { line };
        if text.chars().all(is_blank) {
            after_gap = true;
            continue;
        }
        if after_gap || depth != Some(prefix.depth) {
            judge(&mut segment, &mut members, &mut begins);
        }
        (depth, after_gap) = (Some(prefix.depth), false);
        members.push(index);
        segment.push(Line::measure(text));
    }
    judge(&mut segment, &mut members, &mut begins);
    // Marks in front of the first text belong to it.
    if let Some(first) = begins.iter().position(|&begin| begin) {
        begins[first] = false;
    }
    begins[0] = true;
    begins
}

/// The quote marks of each line. The weak ones count where a neighbouring line has the same, and marks without a text
/// where another line of the block is quoted.
fn quote_prefixes(lines: &[&str]) -> Vec<QuotePrefix> {
    let texts: Vec<&str> = lines.iter().map(|line| line.trim_matches(is_blank)).collect();
    let weak: Vec<_> = texts.iter().map(|text| QuotePrefix::weak(text)).collect();
    let mark = |index: Option<usize>| index.and_then(|index| *weak.get(index)?).map(|(mark, _)| mark);
    let prefixes: Vec<QuotePrefix> = (0..lines.len())
        .map(|index| match weak[index] {
            Some((own, prefix)) if neighbours(index).any(|near| mark(near) == Some(own)) => prefix,
            _ => QuotePrefix::of(texts[index]),
        })
        .collect();
    let is_bare = |index: usize| prefixes[index].length == texts[index].len();
    // Without any quoted text they are prompts, or what is left of a menu.
    let quotes = (0..lines.len()).any(|index| prefixes[index].depth > 0 && !is_bare(index));
    (0..lines.len())
        .map(|index| if quotes || !is_bare(index) { prefixes[index] } else { QuotePrefix::default() })
        .collect()
}

/// The positions before and after `index`; the second may lie beyond the end.
fn neighbours(index: usize) -> impl Iterator<Item = Option<usize>> {
    [index.checked_sub(1), Some(index + 1)].into_iter()
}

/// Judges the lines of one quote depth and empties the lists of them. `members` are their positions in the block.
fn judge(segment: &mut Vec<Line<'_>>, members: &mut Vec<usize>, begins: &mut [bool]) {
    let mut rest = segment.as_mut_slice();
    let mut first = 0;
    while let [line, next, ..] = rest
        && is_heading(line.text)
        && (is_heading(next.text) || next.shape.width >= MIN_PROSE_COLUMNS || next.shape.ends_sentence)
    {
        begins[members[first]] = true;
        first += 1;
        rest = &mut rest[1..];
    }
    if !rest.is_empty() {
        begins[members[first]] = true;
        mark_items(rest);
        for (position, begin) in segment_begins(rest).into_iter().enumerate().skip(1) {
            begins[members[first + position]] |= begin;
        }
    }
    segment.clear();
    members.clear();
}

/// A line under a heading that is at least so wide is text, not a setting under a comment.
const MIN_PROSE_COLUMNS: u16 = 40;

fn mark_items(lines: &mut [Line<'_>]) {
    let items: Vec<ListLine<'_>> = lines
        .iter()
        .map(|line| ListLine {
            text: line.text,
            indent: line.shape.indent,
            may_lead_in: line.shape.ends_sentence || line.text.ends_with(':') || line.shape.width < MIN_PROSE_COLUMNS,
        })
        .collect();
    for (line, item) in lines.iter_mut().zip(begins_items(&items)) {
        line.is_item = item;
    }
}

fn segment_begins(lines: &[Line<'_>]) -> Vec<bool> {
    let mut begins: Vec<bool> = lines.iter().map(|line| line.is_item).collect();
    if let Some(list) = line_list(lines) {
        for (index, pair) in lines.windows(2).enumerate() {
            let hangs = pair[1].shape.indent > pair[0].shape.indent;
            let wrapped = matches!(list, LineList::Sentences { columns } if !pair[0].has_room_for(&pair[1], columns));
            begins[index + 1] |= !(pair[0].runs_into(&pair[1]) && (hangs || wrapped));
        }
        return begins;
    }
    let shapes: Vec<LineShape> = lines.iter().map(|line| line.shape).collect();
    let mut layout = Layout::of(&shapes);
    if let Layout::Wrapped { columns } = layout
        && !holds_margin(lines, columns)
    {
        layout = Layout::not_wrapped(&shapes, columns);
    }
    for (index, pair) in shapes.windows(2).enumerate() {
        begins[index + 1] |= layout.ends_paragraph(pair[0], pair[1]);
    }
    if let Layout::Wrapped { columns } = layout {
        if stands_above(lines, columns) {
            begins[1] = true;
        }
        let base = shapes.iter().map(|shape| shape.indent).min().unwrap_or(0);
        for (index, begin) in begins.iter_mut().enumerate().skip(1) {
            *begin |= is_indented_first_line(&shapes, base, index);
        }
    }
    begins
}

/// Lines below which so few breaks prove nothing about a margin.
const MIN_MARGIN_LINES: usize = 6;

/// Whether most lines that break off amid a sentence are full, as a margin makes them.
fn holds_margin(lines: &[Line<'_>], columns: u16) -> bool {
    let open = || lines.windows(2).filter(|pair| !pair[0].shape.ends_sentence && !pair[1].is_item);
    // The same three quarters as in `Layout`.
    let full = open().filter(|pair| !pair[0].has_room_for(&pair[1], columns - columns / 4)).count();
    lines.len() < MIN_MARGIN_LINES || full * 5 >= open().count() * 3
}

/// Whether the first line is a heading or a byline above wrapped text: it had much room left, does not break off
/// softly, and the next line begins anew.
fn stands_above(lines: &[Line<'_>], columns: u16) -> bool {
    let (first, next) = (&lines[0], &lines[1]);
    first.has_room_for(next, columns - columns / 4)
        && !first.shape.ends_sentence
        && !first.ends_softly
        && next.opening == Opening::Anew
        && next.shape.width >= columns / 2
}

/// Whether the line is the first of a paragraph by its indent: more than its neighbours', or less where all other lines
/// hang, and after a line that ends a sentence. `base` is the least indent of all lines.
fn is_indented_first_line(shapes: &[LineShape], base: u16, index: usize) -> bool {
    let (before, line) = (shapes[index - 1], shapes[index]);
    let next_indent = shapes.get(index + 1).map_or(before.indent, |next| next.indent);
    // The line before may be the only line of its own paragraph, indented too.
    let after_another_first = line.indent == before.indent && line.indent > base && line.indent > next_indent;
    let indented = line.indent > before.indent && line.indent >= next_indent || after_another_first;
    let hanging = line.indent < before.indent && line.indent < next_indent;
    before.ends_sentence && (indented || hanging)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(source: &str) -> Vec<String> {
        let lines: Vec<&str> = source.lines().collect();
        let mut paragraphs: Vec<String> = Vec::new();
        for (line, begin) in lines.iter().zip(begins(&lines)) {
            if begin {
                paragraphs.push((*line).to_owned());
            } else {
                let last = paragraphs.last_mut().unwrap();
                last.push('/');
                last.push_str(line);
            }
        }
        paragraphs
    }

    #[test]
    fn quotes_are_cut_where_their_depth_changes() {
        let mail = "Ben wrote:\n> > Is it open\n> > today?\n> No.\nThank you.";
        assert_eq!(cut(mail), ["Ben wrote:", "> > Is it open/> > today?", "> No.", "Thank you."]);
        assert_eq!(cut("| A first line\n| and a second\nAn answer"), ["| A first line/| and a second", "An answer"]);
    }

    #[test]
    fn marks_alone_separate_and_stay_with_what_is_before() {
        assert_eq!(cut("> One\n>\n> Two\nThree"), ["> One/>", "> Two", "Three"]);
        assert_eq!(cut(">\n> One"), [">/> One"]);
        assert_eq!(cut(">\n> >").len(), 1);
        assert_eq!(cut(">\n>\n> One\n>\n>\n> Two"), [">/>/> One/>/>", "> Two"]);
        assert_eq!(cut("Home\n>\nNews\n>\nSport").len(), 1);
    }

    #[test]
    fn a_stroke_or_colon_alone_quotes_nothing() {
        assert_eq!(cut("Home\n| Next\nBack").len(), 1);
        assert_eq!(cut("| a | b |\n| c | d |").len(), 1);
    }

    #[test]
    fn headings_are_cut_from_their_text_but_comments_stay_with_settings() {
        let text = "# A day out\n## Morning\nThe ferry left at six, and nobody on board had slept.";
        assert_eq!(cut(text).len(), 3);
        assert_eq!(cut("# port of the hub\nport = 80\n# its name\nname = a").len(), 1);
        assert_eq!(cut("A day out\n#summer #sea").len(), 1);
    }
}
