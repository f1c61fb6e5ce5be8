//! What can be wrong with an expression, and how its place is shown.

use std::fmt;
use std::ops::Range;

/// Columns of an expression that a message shows; of a longer one it shows the part around the place.
const SHOWN_COLUMNS: usize = 72;

/// Columns shown before the place where an expression is cut.
const SHOWN_BEFORE: usize = 40;

/// An expression that breaks a rule, and where.
///
/// Its text has three lines: what is wrong, the expression, and carets under the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}\n{}", self.excerpt())]
pub struct QueryError {
    /// The rule that it breaks.
    pub rule: BrokenRule,
    expression: String,
    place: Range<usize>,
}

/// A rule of the language that an expression breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenRule {
    /// Something else must stand here.
    #[error("expected {expected}, got {got}")]
    Unexpected {
        /// What may stand here.
        expected: &'static str,
        /// What does.
        got: String,
    },
    /// An operator of another language.
    #[error("no operator `{got}`; did you mean `{expected}`?")]
    UnknownOperator {
        /// The operator of this language.
        expected: &'static str,
        /// What is written.
        got: &'static str,
    },
    /// A text or a name in backticks has no end.
    #[error("expected {expected} that ends this {what}, got the end of the expression")]
    Unclosed {
        /// A text, or a name.
        what: &'static str,
        /// The mark that would end it.
        expected: char,
    },
    /// A backslash stands before something that it does not escape.
    #[error("expected an escape \\\" \\' \\\\ \\/ \\b \\f \\n \\r \\t or \\uXXXX, got {got}")]
    UnknownEscape {
        /// The backslash and what follows.
        got: String,
    },
    /// What begins like a number is none.
    #[error("expected a number such as 0.9, got `{got}`")]
    InvalidNumber {
        /// What is written.
        got: String,
    },
    /// Parentheses and `not` stand in each other too often.
    #[error("expected at most {limit} parentheses and `not` inside each other, got more")]
    NestedTooDeep {
        /// The most that there may be.
        limit: usize,
    },
    /// The expression is too long.
    #[error("expected at most {limit_bytes} bytes, got {got_bytes}")]
    TooLong {
        /// Greatest length.
        limit_bytes: usize,
        /// Length of the expression.
        got_bytes: usize,
    },
    /// A name is nearly that of a field that every row has.
    #[error("no field `{got}`; did you mean `{expected}`? If the input has such a field, write its name in backticks")]
    MisspelledField {
        /// The field of a row.
        expected: String,
        /// The name that is written.
        got: String,
    },
    /// `scores` without a label.
    #[error("expected the score of a label, such as scores.opinion, got `scores` alone")]
    ScoresAlone,
    /// A text or a score names no label of the model.
    #[error("unknown label `{got}`, expected one of: {expected}")]
    UnknownLabel {
        /// The model's labels.
        expected: String,
        /// The name that is written.
        got: String,
    },
    /// A label without quotation marks is the name of a field.
    #[error("`{got}` is a label; write it in quotation marks: \"{got}\"")]
    UnquotedLabel {
        /// The label.
        got: String,
    },
}

impl QueryError {
    /// An error at bytes `place` of an expression.
    pub(super) fn new(rule: BrokenRule, expression: &str, place: Range<usize>) -> QueryError {
        QueryError { rule, expression: expression.to_owned(), place }
    }

    /// Two lines: the expression, or the part of it around the place, and carets under the place.
    pub fn excerpt(&self) -> String {
        // Line breaks and other control characters would tear the lines apart.
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        let characters: Vec<(usize, char)> = self.expression.char_indices().collect();
        let position = |offset: usize| characters.partition_point(|(start, _)| *start < offset);
        let (first, last) = (position(self.place.start), position(self.place.end));
        let from = if characters.len() > SHOWN_COLUMNS { first.saturating_sub(SHOWN_BEFORE) } else { 0 };
        let to = characters.len().min(from + SHOWN_COLUMNS);
        let text = |range: Range<usize>| characters[range].iter().map(|(_, c)| shown(*c)).collect::<String>();
        let cut = |is_cut: bool| if is_cut { "…" } else { "" };
        let before = format!("{}{}", cut(from > 0), text(from..first));
        let under = text(first..last.clamp(first, to));
        let columns = textwrap::core::display_width;
        format!(
            "  {before}{}{}\n  {}{}",
            text(first..to),
            cut(to < characters.len()),
            " ".repeat(columns(&before)),
            "^".repeat(columns(&under).max(1))
        )
    }
}

/// What is written somewhere, for a message: cut where it is long.
pub(super) struct Written<'a>(pub &'a str);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 40;
        match self.0.char_indices().nth(MOST) {
            Some((end, _)) => write!(f, "{}…", &self.0[..end]),
            None => f.write_str(self.0),
        }
    }
}
