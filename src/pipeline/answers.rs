//! What a desk says of texts.

use crate::label::{Label, Scores};
use crate::text::Doubt;
use std::ops::Range;

/// A paragraph of a text with its label.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelledParagraph<'text> {
    /// UTF-8 byte offsets in the text.
    pub span: Range<usize>,
    /// The slice of the text under `span`.
    pub text: &'text str,
    /// The most probable label.
    pub label: Label,
    /// Its probability, 0 to 1.
    pub confidence: f32,
    /// The probabilities of all labels; they sum to 1.
    pub scores: Scores,
    /// WordPiece tokens of the paragraph, special tokens not counted.
    pub tokens: usize,
    /// Windows that it was read in: 1, unless it is longer than the model reads at once.
    pub windows: usize,
    /// ISO 639-1 code of its language, where it can be told.
    pub lang: Option<&'static str>,
    /// Why no label is confident: the text is not English, or cannot be read. No probability then exceeds 0.5. See
    /// [`crate::text::language()`].
    pub doubt: Option<Doubt>,
}

/// A block of text of an HTML page with its label.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelledBlock {
    /// UTF-8 byte offsets in the page, from the first byte of the text to behind its last; tags may stand between.
    pub span: Range<usize>,
    /// The text between the tags, references decoded and blanks put together.
    pub text: String,
    /// The probability that it belongs to the page's main content, 0 to 1.
    pub content: f32,
    /// Whether it counts to the main content: what `copydesk label --content-only` gives.
    pub is_content: bool,
    /// The most probable label.
    pub label: Label,
    /// Its probability, 0 to 1.
    pub confidence: f32,
    /// The probabilities of all labels; they sum to 1.
    pub scores: Scores,
    /// WordPiece tokens of the text, special tokens not counted.
    pub tokens: usize,
    /// Windows that it was read in.
    pub windows: usize,
    /// ISO 639-1 code of its language, where it can be told.
    pub lang: Option<&'static str>,
    /// Why no label is confident; see [`LabelledParagraph::doubt`].
    pub doubt: Option<Doubt>,
}

/// A whole text with its label.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelledText {
    /// The most probable label.
    pub label: Label,
    /// Its probability, 0 to 1.
    pub confidence: f32,
    /// The probabilities of all labels; they sum to 1.
    pub scores: Scores,
    /// WordPiece tokens of the text, special tokens not counted.
    pub tokens: usize,
    /// Windows that it was read in: 1, unless it is longer than the model reads at once.
    pub windows: usize,
    /// ISO 639-1 code of its language, where it can be told.
    pub lang: Option<&'static str>,
    /// Why no label is confident: the text is not English, or cannot be read. No probability then exceeds 0.5. See
    /// [`crate::text::language()`].
    pub doubt: Option<Doubt>,
}
