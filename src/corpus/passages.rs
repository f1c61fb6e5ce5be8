//! A text in memory, cut as one in a file is.

use super::chunk::PIECE_BYTES;
use super::text_pieces::TextPieces;
use crate::text::{Paragraph, Paragraphs, split_with};

/// The paragraphs of a text, page by page: those of a file with this text stand together in the same way.
pub(crate) fn passages(text: &str, paragraphs: Paragraphs) -> Vec<Vec<Paragraph<'_>>> {
    let mut pieces = TextPieces::new(text.as_bytes(), paragraphs);
    let mut passages = Vec::new();
    // Memory has no errors of reading.
    while let Ok(Some(piece)) = pieces.next_piece(PIECE_BYTES) {
        let start = usize::try_from(piece.start).expect("a text in memory has an offset of that size; this is a bug");
        let mut passage = split_with(&text[start..start + piece.text.len()], paragraphs);
        for paragraph in &mut passage {
            paragraph.span = start + paragraph.span.start..start + paragraph.span.end;
        }
        if !passage.is_empty() {
            passages.push(passage);
        }
    }
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_those_of_the_whole_text() {
        let text = (0..9000).map(|number| format!("Paragraph {number}.\n\n")).collect::<String>();
        let passages = passages(&text, Paragraphs::Auto);
        assert!(passages.len() > 1);
        for (number, paragraph) in passages.iter().flatten().enumerate() {
            assert_eq!(&text[paragraph.span.clone()], format!("Paragraph {number}."));
        }
        assert_eq!(passages.iter().map(Vec::len).sum::<usize>(), 9000);
    }
}
