//! Splitting a text into paragraphs with exact byte spans, and the text of a paragraph as the model sees it.
//!
//! [`split`] gives the paragraphs of a source in order; [`model_text`] turns the slice under a span into the text that
//! is tokenised; [`last_boundary`] tells where a buffer that is still growing may be cut, so that a file of any size can
//! be split piece by piece.
//!
//! # What separates paragraphs
//!
//! Every rule looks at one *block*, a run of lines without a blank one, and at nothing outside it. What stands in one
//! block therefore never changes the paragraphs of another.
//!
//! | in the source | effect |
//! |---|---|
//! | LF, CR, CR LF, vertical tab, U+0085, U+2028 | ends a line; any number of CR directly before an LF belong to it |
//! | a line of blank characters only | ends the block |
//! | form feed, U+2029 | ends the block: a page or paragraph break says so itself |
//! | a line that begins with a list number (`1.`, `12)`) that continues a count or is indented anew | begins a paragraph: the next comment or item |
//! | hard-wrapped lines | one paragraph, but a short line that ends a sentence ends the paragraph too |
//! | lines too long or too uneven to be wrapped text | each line is a paragraph |
//! | other short lines: verses, addresses, bylines above a headline, menus | one paragraph up to 50 lines, else one per line |
//!
//! [`split`] states the thresholds behind the last three rows. Indentation alone begins no paragraph: verses, code and
//! nested comments are indented as well. Quotation marks of mail (`>`), bullets and markup are ordinary text.
//!
//! # Spans and blank characters
//!
//! A span begins and ends at a character that is not blank. Blank are white space (Unicode `White_Space`, so also the
//! no-break space U+00A0) and characters that show nothing: byte order mark, zero-width space and joiners, soft hyphen,
//! direction marks, control codes. Every character outside all spans is blank, and since a span holds at least one
//! that is not, the text of a paragraph is never empty. A text of nothing but blank characters has no paragraphs.
//!
//! A list number stays inside its span, for it is part of what was written, but not in the model's text: the third
//! comment of a page must read as it would alone.

#![forbid(unsafe_code)]

mod auto;
mod blank;
mod boundary;
mod facts;
mod layout;
mod lines;
mod list;
mod lookalike;
pub mod markdown;
mod marker;
mod marks;
mod normalize;
mod oneline;
mod pictograph;
#[cfg(test)]
mod properties;
mod spaced;
mod split;

pub use boundary::{last_boundary, last_boundary_with};
pub use facts::{FACT_COUNT, facts};
pub use normalize::model_text;
pub use split::{Paragraph, Paragraphs, split, split_with};
