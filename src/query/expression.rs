//! An expression as a tree, and what it says of a row.

use super::error::{BrokenRule, QueryError};
use super::parser;
use super::value::{Fields, Value};
use crate::label::LabelSet;
use std::ops::Range;

/// A condition on rows, parsed. See `docs/query.md` for the language.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub(super) text: String,
    pub(super) condition: Condition,
    /// Where labels are named.
    pub(super) labels: Vec<LabelUse>,
    /// Names that are looked up in the record that a row was made of, in the order written.
    pub(super) input_fields: Vec<String>,
}

/// A place of an expression that names a label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LabelUse {
    pub name: String,
    pub place: Range<usize>,
    pub kind: LabelUseKind,
}

/// How a label is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LabelUseKind {
    /// As a text that `label` is compared with.
    Text,
    /// As the last part of a score's name.
    Score,
    /// As the name of another field that `label` is compared with, which may be meant or lack its quotation marks.
    Field,
}

/// A condition; depth is bounded by the parser.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparison, Operand),
    In(Operand, Vec<Value<'static>>),
    Contains(Operand, Operand),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Field(String),
    Constant(Value<'static>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`QueryError`], with the rule that the expression breaks and the place where it does.
    pub fn parse(text: &str) -> Result<Expression, QueryError> {
        parser::parse(text)
    }

    /// Checks the labels that the expression names against those that there are.
    ///
    /// # Errors
    /// [`BrokenRule::UnknownLabel`] and [`BrokenRule::UnquotedLabel`].
    pub fn check_labels(&self, labels: &LabelSet) -> Result<(), QueryError> {
        for LabelUse { name, place, kind } in &self.labels {
            let known = labels.id(name).is_some();
            let rule = match kind {
                LabelUseKind::Text | LabelUseKind::Score if !known => {
                    BrokenRule::UnknownLabel { expected: labels.list(), got: name.clone() }
                }
                LabelUseKind::Field if known => BrokenRule::UnquotedLabel { got: name.clone() },
                _ => continue,
            };
            return Err(QueryError::new(rule, &self.text, place.clone()));
        }
        Ok(())
    }

    /// Names that are no fields of a row, and so are looked up in the record that it was made of.
    pub fn input_fields(&self) -> &[String] {
        &self.input_fields
    }

    /// Whether a row meets the condition.
    pub fn matches(&self, row: &dyn Fields) -> bool {
        self.condition.holds(row)
    }
}

impl Condition {
    fn holds(&self, row: &dyn Fields) -> bool {
        match self {
            Condition::All(conditions) => conditions.iter().all(|condition| condition.holds(row)),
            Condition::Any(conditions) => conditions.iter().any(|condition| condition.holds(row)),
            Condition::Not(condition) => !condition.holds(row),
            Condition::Compare(left, comparison, right) => comparison.holds(&left.value(row), &right.value(row)),
            Condition::In(operand, values) => values.contains(&operand.value(row)),
            Condition::Contains(whole, part) => match (whole.value(row), part.value(row)) {
                (Value::Text(whole), Value::Text(part)) => whole.contains(part.as_ref()),
                _ => false,
            },
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, row: &'a dyn Fields) -> Value<'a> {
        match self {
            Operand::Field(name) => row.value(name),
            Operand::Constant(value) => value.borrowed(),
        }
    }
}

impl Comparison {
    /// Values of different kinds are not equal, and neither is less than the other.
    fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        let order = || match (left, right) {
            (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
            (Value::Text(left), Value::Text(right)) => Some(left.as_ref().cmp(right.as_ref())),
            _ => None,
        };
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => order().is_some_and(std::cmp::Ordering::is_lt),
            Comparison::LessOrEqual => order().is_some_and(std::cmp::Ordering::is_le),
            Comparison::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
            Comparison::GreaterOrEqual => order().is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    struct Row(HashMap<&'static str, Value<'static>>);

    impl Fields for Row {
        fn value(&self, name: &str) -> Value<'_> {
            self.0.get(name).map_or(Value::Null, Value::borrowed)
        }
    }

    fn row() -> Row {
        Row(HashMap::from([
            ("label", Value::text("opinion")),
            ("confidence", Value::Number(0.95)),
            ("scores.opinion", Value::Number(0.95)),
            ("tokens", Value::Number(30.0)),
            ("text", Value::text("I think so, says “Ann”.")),
            ("meta.site", Value::text("a.example")),
            ("checked", Value::Bool(true)),
            ("my field", Value::Number(7.0)),
        ]))
    }

    fn holds(text: &str) -> bool {
        Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).matches(&row())
    }

    #[test]
    fn what_holds_of_a_row() {
        for text in [
            "label == \"opinion\" and confidence > 0.9",
            "label != 'other'",
            "0.9 < confidence and 0.95 <= confidence and confidence >= .95 and confidence < 1e0",
            "label in ['other', \"opinion\"]",
            "label not in ['other'] and not label in []",
            "text contains \"says \\u201cAnn\\u201d\"",
            "meta.site == 'a.example' and checked == true and `my field` == 7",
            "lang == null and lang != 'en' and label != null",
            "scores.opinion > -1 and 'a' < 'b' and label >= 'op'",
            "not (label == 'other' or tokens > 100)",
        ] {
            assert!(holds(text), "{text}");
        }
    }

    #[test]
    fn values_of_different_kinds_differ_and_have_no_order() {
        for text in [
            "confidence == '0.95'",
            "confidence > '0'",
            "label > 0",
            "lang < 'z'",
            "lang == 'en'",
            "checked == 'true'",
            "checked < true",
            "lang contains ''",
            "tokens contains 3",
            "tokens in ['30', true, null]",
        ] {
            assert!(!holds(text), "{text}");
        }
        assert!(holds("confidence != '0.95' and tokens in [30] and lang in [null]"));
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        assert!(holds("tokens == 30 or tokens == 1 and tokens == 2"));
        assert!(!holds("(tokens == 30 or tokens == 1) and tokens == 2"));
        assert!(holds("not tokens == 1 and tokens == 30"));
        assert!(!holds("not (tokens == 1 or tokens == 30)"));
        assert!(holds("not not not tokens == 1"));
    }

    #[test]
    fn labels_are_those_of_the_model() {
        let labels = LabelSet::copydesk();
        let check = |text: &str| Expression::parse(text).unwrap().check_labels(&labels);
        let error = check("confidence > 0.5 and label == \"opinon\"").unwrap_err();
        let expected = "unknown label `opinon`, expected one of: reporting, opinion, comment_spam, quotation, other
  confidence > 0.5 and label == \"opinon\"
                                ^^^^^^^^";
        assert_eq!(error.to_string(), expected);
        for wrong in ["label in ['other', 'spam']", "'spam' != label", "scores.spam > 0.1"] {
            assert!(matches!(check(wrong).unwrap_err().rule, BrokenRule::UnknownLabel { .. }), "{wrong}");
        }
        let unquoted = check("label == opinion").unwrap_err();
        assert_eq!(unquoted.rule, BrokenRule::UnquotedLabel { got: "opinion".into() });
        for right in ["label != gold", "label in ['other', null]", "label < 'x'", "scores.other > 0.1"] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
    }

    #[test]
    fn fields_of_the_input_are_told() {
        let expression = Expression::parse("stars > 3 and label == 'other' or stars == 1 and `docs` == 2").unwrap();
        assert_eq!(expression.input_fields(), ["stars", "docs"]);
    }
}
