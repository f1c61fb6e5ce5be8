//! What the reader makes of a page: blocks of text, the elements around them, and what the page says of itself.

use std::ops::Range;

/// Text between two tags that end a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// From the first byte of the text in the source to behind its last; tags may stand between.
    pub span: Range<usize>,
    /// The text, references decoded and blanks put together; in `pre` as it stands.
    pub text: String,
    /// The level of the heading that it is, 1 to 6; 0 for none.
    pub heading: u8,
    /// Words of the text, and how many of them are text of links.
    pub words: u32,
    pub link_words: u32,
    /// What the elements around it say, from the innermost outwards.
    pub inside: u64,
    /// What the three innermost say.
    pub near: u64,
    /// The innermost element.
    pub node: u32,
    /// Elements around it.
    pub depth: u16,
    /// Number of breaks (`br`) and of other elements in it.
    pub breaks: u16,
    pub inner: u16,
}

/// An element with text in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The element around it; itself for the outermost.
    pub parent: u32,
    pub group: u8,
    pub is_block: bool,
    /// What its tag, role, class and id say.
    pub own: u64,
    /// Hashes of its name and of the words of its class and id.
    pub names: Box<[u64]>,
    /// Blocks in it, a run of them.
    pub blocks: Range<u32>,
}

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The words of `title` and of `og:title`.
    pub title: String,
    /// Hash of `og:type`; 0 without one.
    pub kind: u64,
    /// Types of schema.org that stand in it, as bits.
    pub types: u32,
}

/// A page, or a part of a long one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    pub blocks: Vec<Block>,
    pub nodes: Vec<Node>,
    pub head: Head,
}
