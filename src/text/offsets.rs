//! Byte offsets as numbers of code points.

use std::ops::Range;

/// Bytes between offsets whose number of code points is known.
const STEP_BYTES: usize = 4096;

/// Counts code points of a text up to any place in it, without counting from its beginning each time.
#[derive(Clone, Debug)]
pub(crate) struct CharOffsets<'text> {
    text: &'text str,
    /// Code points that begin before each multiple of [`STEP_BYTES`].
    known: Vec<u64>,
}

fn count(bytes: &[u8]) -> u64 {
    // All bytes of UTF-8 begin a code point but those of the form 10xxxxxx.
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64
}

impl<'text> CharOffsets<'text> {
    pub fn new(text: &'text str) -> CharOffsets<'text> {
        let mut known = vec![0];
        let mut sum = 0;
        for step in text.as_bytes().chunks_exact(STEP_BYTES) {
            sum += count(step);
            known.push(sum);
        }
        CharOffsets { text, known }
    }

    /// Code points before a byte offset; of an offset behind the text, all.
    pub fn at(&self, offset: usize) -> u64 {
        let offset = offset.min(self.text.len());
        let step = offset / STEP_BYTES;
        self.known[step] + count(&self.text.as_bytes()[step * STEP_BYTES..offset])
    }

    /// A range of bytes in code points.
    pub fn range(&self, span: Range<usize>) -> Range<u64> {
        self.at(span.start)..self.at(span.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_chars() {
        let text = "aé漢😀 ".repeat(2000);
        let offsets = CharOffsets::new(&text);
        for (number, (offset, _)) in text.char_indices().enumerate().step_by(7) {
            assert_eq!(offsets.at(offset), number as u64);
        }
        assert_eq!(offsets.range(0..text.len()), 0..text.chars().count() as u64);
        assert_eq!(CharOffsets::new("").at(3), 0);
    }
}
