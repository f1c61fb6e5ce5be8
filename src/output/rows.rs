//! Rows as bytes, with their ends.

/// Rows of one output, one after another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowBlock {
    bytes: Vec<u8>,
    /// Offset behind each row.
    ends: Vec<usize>,
}

impl RowBlock {
    /// Appends the row that `write` appends to the bytes; nothing where it appends nothing.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.bytes.len();
        write(&mut self.bytes);
        if self.bytes.len() > before {
            self.ends.push(self.bytes.len());
        }
    }

    /// All rows, whatever they are separated by.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All rows but the first.
    pub fn without_first(&self) -> RowBlock {
        let mut rest = RowBlock::default();
        self.iter().skip(1).for_each(|row| rest.push(|out| out.extend_from_slice(row)));
        rest
    }

    /// The rows one by one.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_ends_also_with_line_breaks_inside() {
        let mut rows = RowBlock::default();
        for row in ["a,\"x\ny\"\n", "", "b,z\n"] {
            rows.push(|out| out.extend_from_slice(row.as_bytes()));
        }
        assert_eq!(rows.iter().collect::<Vec<_>>(), [&b"a,\"x\ny\"\n"[..], b"b,z\n"]);
        assert_eq!(rows.bytes(), b"a,\"x\ny\"\nb,z\n");
    }
}
