//! WordPiece tokenisation: text to token ids.
