//! Splitting a text into paragraphs with exact byte spans, and the text of a paragraph as the model sees it.
//!
//! [`split()`] gives the paragraphs of a source in order, [`split_with`] in a mode of one's choice; [`model_text`] turns
//! the slice under a span into the text that is tokenised; [`language()`] tells its language; [`last_boundary`] tells where
//! a buffer that is still growing may be cut, so that a file of any size can be split piece by piece. [`markdown::split`]
//! reads Markdown.
//!
//! # What separates paragraphs
//!
//! A *block* is a run of lines without a blank one. [`Paragraphs`] names the mode:
//!
//! | mode | paragraphs |
//! |---|---|
//! | `Blank` | each block is one |
//! | `Line` | each line that is not blank is one |
//! | `Layout` | each block is judged by its list numbers and the widths of its lines |
//! | `Auto`, the default | as `Layout`, but the beginnings and ends of the lines count as well |
//!
//! In all modes:
//!
//! | in the source | effect |
//! |---|---|
//! | LF, CR, CR LF, vertical tab, U+0085, U+2028 | ends a line; any number of CR directly before an LF belong to it |
//! | a line of blank characters only | ends the block |
//! | form feed, U+2029 | ends the block: a page or paragraph break says so itself |
//!
//! # `Layout`
//!
//! Every rule looks at one block and at nothing outside it. In this order:
//!
//! 1. **Numbered items.** A line that begins with a list number (up to 999, then `.` or `)`, then a blank) begins a
//!    paragraph if the number is 1, is one more than a list number of the same block, or if the line is indented
//!    differently from the line before it.
//! 2. **Wrapped text.** The *usual width* is the one that at most a fifth of the lines exceed. A line is *full* if the
//!    next line's first word would have reached into the last quarter of the usual width. If the usual width is 40 to
//!    160 columns and at least a third of the line breaks follow a full line amid a sentence, the block is wrapped
//!    text: a paragraph ends only after a line that is not full and ends a sentence, and around a line of more than 160
//!    columns.
//! 3. **One paragraph per line.** Otherwise, if a line has more than 100 columns or the block more than 50 lines, each
//!    line is a paragraph, except that a full line of 101 to 160 columns that breaks off amid a sentence is joined with
//!    the next.
//! 4. **Together.** All other blocks are one paragraph: verses, addresses, bylines above a headline, menus.
//!
//! Columns count characters; a word of more than 40 ASCII characters, such as an address, counts as 40. A line *ends a
//! sentence* with `.` `!` `?` `…` or their like, closing quotation marks and brackets aside; otherwise it is *open*.
//!
//! # `Auto`
//!
//! Rules 1 to 6 look at one block, rule 7 over single blank lines.
//!
//! 1. **Quotes.** A paragraph begins where the number of quote marks changes: `>`, `> >`, `>>`, `&gt;`, `JD>`, and `|` or
//!    `:` with one blank behind it where a neighbouring line has the same. A line of marks alone ends a paragraph and
//!    belongs to it. What follows is judged for the lines of one depth, without their marks.
//! 2. **Headings.** A first line of one to six `#`, a blank and a text is a paragraph if the next line is a heading
//!    too, has at least 40 columns or ends a sentence.
//! 3. **Items.** Numbered ones as above. Lines with a bullet (`-` `*` `+` `•` `–` and the like, and a blank) each begin
//!    a paragraph if there are two of the kind and the first of them begins the block or follows an item, a sentence's
//!    end, a colon or a line of less than 40 columns. The rules below disregard the breaks in front of items.
//! 4. **One item a line.** *Begins anew*: with a capital, digit, quotation mark, bullet, pictograph, `@`, `#` or `[`; a
//!    line without small letters does not count. *Room*: the next line's first word would have fitted into the width
//!    that at most one line in twenty exceeds. Unless more than a tenth of the lines end with a comma, semicolon, dash,
//!    brace or open bracket, or half of them are rows of a table, each line is a paragraph if one of these holds:
//!
//!    | lines | condition |
//!    |---|---|
//!    | sentences | at least 60% of the lines before a break end sentences, 90% of the open ones are followed by a line that begins anew, at most 10% run on in small letters; mean width 36 columns, or 20 if all end sentences. Of two lines the first must have room, or be less than 55 or more than 85 columns wide |
//!    | headlines, posts | three or more lines, mean width 36 columns, or eight or more, mean width 20, none ending in a comma or the like; 90% of the open ones are followed by a line that begins anew, and the last line is open or half of the open ones (of four or more: a fifth) have room. With fewer than five lines none is below 30 columns |
//!    | comments | five or more lines, mean width 36 columns; 60% of the open ones are followed by a line that begins anew, and two thirds of them have room |
//!    | scripts without capitals | five or more lines, 90% of the open ones followed by one that tells nothing, two thirds with room; a mean of 36 columns, or 12 characters where words have no spaces between them |
//!    | posts to people or under topics, chats, programmes | every line begins with `@` or every line with `#` and a letter, and they are more than tags; or every line begins with a time, `9:30` or `[12:05`; or every line begins with a speaker's name and a colon, and one name comes back |
//!
//!    Joined nevertheless is a line that runs on in small letters with more indent, or, among sentences, after a line
//!    without room.
//! 5. **Layout.** Otherwise rules 2 to 4 of `Layout`; but wrapped text of six lines and more must have 60% of its open
//!    lines full.
//! 6. **Indents and titles in wrapped text.** After a line that ends a sentence, a line indented more than its
//!    neighbours, or less where the others hang, begins a paragraph. A first line that is not full, is open, and stands
//!    above a line that begins anew is a paragraph.
//! 7. **A blank line after every line.** Blocks of one line of at most 160 columns with exactly one blank line between
//!    them are joined if line after line breaks off at one margin: at least three times (twice, if the text begins with
//!    a capital and ends a sentence), twice in a row, at half of the breaks, a line of 40 columns or more is open, the
//!    next begins with a small letter, and in nine of ten of these breaks the first word would have reached into the
//!    last eighth of the width. In such a text a paragraph ends after a line that is not full, before an indent, and
//!    before an item. The judgement ends at a break that shows no such sign and has none within two breaks on either
//!    side, so that [`last_boundary`] finds places to cut at.
//!
//! # Spans and blank characters
//!
//! A span begins and ends at a character that is not blank. Blank are white space (Unicode `White_Space`, so also the
//! no-break space U+00A0) and characters that show nothing: byte order mark, zero-width space and joiners, soft hyphen,
//! direction marks but for the override that shows what follows backwards, control codes. Every character outside all spans is blank, and since a span holds at least one
//! that is not, the text of a paragraph is never empty. A text of nothing but blank characters has no paragraphs.
//!
//! A list number stays inside its span, for it is part of what was written, but not in the model's text: the third
//! comment of a page must read as it would alone.

#![forbid(unsafe_code)]

mod auto;
mod blank;
mod boundary;
mod characters;
mod disguise;
mod emphasis;
mod facts;
mod language;
mod layout;
mod leet;
mod line;
mod lines;
mod list;
mod lookalike;
pub mod markdown;
mod marker;
mod marks;
mod markup;
mod normalize;
mod offsets;
mod oneline;
mod pictograph;
#[cfg(test)]
mod properties;
mod spaced;
mod split;
mod words;

pub(crate) use blank::is_blank;
pub(crate) use characters::{character_ceiling, character_floor};

pub use boundary::{last_boundary, last_boundary_with};
pub use facts::{FACT_COUNT, facts};
pub use language::{Doubt, Language, language};
pub use normalize::model_text;
pub(crate) use offsets::CharOffsets;
pub use split::{Paragraph, Paragraphs, split, split_with};
