//! Splitting a text into paragraphs with exact byte spans.
