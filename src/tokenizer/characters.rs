//! What BERT's normaliser and word splitter make of a character.
//!
//! The rules are those of `BertNormalizer` and `BertPreTokenizer` of the `tokenizers` crate, in their order: control
//! characters are dropped and white space becomes a space; spaces are put around Chinese characters; canonical
//! decomposition, of which nonspacing marks are dropped; lower case; words end at white space, and punctuation is a
//! word of its own. The character tables are that crate's own (`unicode_categories`, `unicode-normalization-alignments`):
//! those of another version of Unicode would give other ids.

use super::file::Normalizer;
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char::{canonical_combining_class, decompose_canonical};

/// What a character is after all rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Ends a word.
    Space,
    /// A word of its own.
    Alone,
    /// Part of a word.
    Letter,
}

impl Class {
    pub fn of(c: char) -> Class {
        if c.is_whitespace() {
            Class::Space
        } else if c.is_ascii_punctuation() || c.is_punctuation() {
            Class::Alone
        } else {
            Class::Letter
        }
    }
}

/// The normaliser's rules, one character at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    clean: bool,
    isolate_chinese: bool,
    strip_accents: bool,
    lowercase: bool,
}

impl Rules {
    pub fn new(normalizer: Normalizer) -> Rules {
        Rules {
            clean: normalizer.clean_text,
            isolate_chinese: normalizer.handle_chinese_chars,
            strip_accents: normalizer.strip_accents.unwrap_or(normalizer.lowercase),
            lowercase: normalizer.lowercase,
        }
    }

    /// Whether ASCII capitals become small.
    pub fn lowercase(&self) -> bool {
        self.lowercase
    }

    /// A space for white space, nothing for a character that is dropped.
    pub fn clean(&self, c: char) -> Option<char> {
        match c {
            _ if !self.clean => Some(c),
            '\t' | '\n' | '\r' => Some(' '),
            '\0' | '\u{fffd}' => None,
            _ if c.is_other() => None,
            _ if c.is_whitespace() => Some(' '),
            _ => Some(c),
        }
    }

    /// Whether spaces are put around a character.
    pub fn is_isolated(&self, c: char) -> bool {
        self.isolate_chinese && is_chinese(c)
    }

    /// Hands `part` the combining class and the character of each part of a character's decomposition, and whether it
    /// stays.
    pub fn decompose(&self, c: char, mut part: impl FnMut(u8, char, bool)) {
        if self.strip_accents {
            decompose_canonical(c, |d| part(canonical_combining_class(d), d, !d.is_mark_nonspacing()));
        } else {
            part(0, c, true);
        }
    }

    /// Hands `letter` the lower case of a character.
    pub fn lower(&self, c: char, letter: impl FnMut(char)) {
        if self.lowercase {
            c.to_lowercase().for_each(letter);
        } else {
            std::iter::once(c).for_each(letter);
        }
    }
}

/// The blocks of unified and compatibility ideographs that BERT's authors chose.
fn is_chinese(c: char) -> bool {
    matches!(
        u32::from(c),
        0x4e00..=0x9fff
            | 0x3400..=0x4dbf
            | 0x2_0000..=0x2_a6df
            | 0x2_a700..=0x2_b73f
            | 0x2_b740..=0x2_b81f
            | 0x2_b920..=0x2_ceaf
            | 0xf900..=0xfaff
            | 0x2_f800..=0x2_fa1f
    )
}

/// Most bytes that [`Action::Extend`] holds; decomposed Hangul syllables have nine.
const MAX_BYTES: usize = 13;

/// What a character does to the word before it, where it does the same in every context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing.
    Drop,
    /// Ends the word.
    End,
    /// Ends the word and is one itself, with this id.
    Alone(u32),
    /// Adds `chars` characters to the word: the first `len` of `bytes`.
    Extend {
        /// Bytes, at most thirteen.
        len: u8,
        /// Characters.
        chars: u8,
        /// UTF-8, zeros after its end.
        bytes: [u8; MAX_BYTES],
    },
    /// None of these: it may change places with its neighbours, or stands for parts of several classes.
    Irregular,
}

impl Action {
    /// What the rules make of `c`; `alone` gives the id of a word of one character.
    pub fn of(c: char, rules: &Rules, alone: impl Fn(&str) -> u32) -> Action {
        let Some(c) = rules.clean(c) else { return Action::Drop };
        let mut result = String::new();
        let mut reorders = false;
        rules.decompose(c, |combining_class, part, stays| {
            if stays {
                // Decomposed text is sorted by combining class between characters of class 0. Dropped marks move
                // nothing that stays, so only those that stay and have a class make the order a question.
                reorders |= combining_class != 0;
                rules.lower(part, |letter| result.push(letter));
            }
        });
        let chars = result.chars().count();
        let only = |class| result.chars().all(|c| Class::of(c) == class);
        if reorders {
            return Action::Irregular;
        }
        match rules.is_isolated(c) {
            true if chars == 1 && !only(Class::Space) => Action::Alone(alone(&result)),
            true => Action::Irregular,
            false if chars == 0 => Action::Drop,
            false if only(Class::Space) => Action::End,
            false if chars == 1 && only(Class::Alone) => Action::Alone(alone(&result)),
            false if result.len() <= MAX_BYTES && only(Class::Letter) => {
                let mut bytes = [0; MAX_BYTES];
                bytes[..result.len()].copy_from_slice(result.as_bytes());
                Action::Extend { len: result.len() as u8, chars: chars as u8, bytes }
            }
            false => Action::Irregular,
        }
    }
}
