//! Recursive descent over the tokens of an expression.
//!
//! ```text
//! any        = all { "or" all }
//! all        = not { "and" not }
//! not        = "not" not | "(" any ")" | comparison
//! comparison = operand ( ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "contains" ) operand | [ "not" ] "in" list )
//! list       = "[" [ constant { "," constant } ] "]"
//! operand    = name | constant
//! constant   = text | number | "true" | "false" | "null"
//! ```

use super::error::{BrokenRule, QueryError, Written};
use super::expression::{Comparison, Condition, Expression, LabelUse, LabelUseKind, Operand};
use super::lexer::{Token, TokenKind, tokens};
use super::names;
use super::value::Value;
use std::borrow::Cow;
use std::ops::Range;

/// Parentheses and `not` inside each other. Bounded, so that no expression can exhaust the stack.
const DEPTH_LIMIT: usize = 64;

/// The field of a row's label.
const LABEL: &str = "label";

/// Parses a whole expression.
pub(super) fn parse(text: &str) -> Result<Expression, QueryError> {
    let mut parser =
        Parser { text, tokens: tokens(text)?, next: 0, depth: 0, labels: Vec::new(), input_fields: Vec::new() };
    let condition = parser.any()?;
    if *parser.peek() != TokenKind::End {
        return Err(parser.unexpected("`and`, `or` or the end of the expression"));
    }
    let Parser { labels, input_fields, .. } = parser;
    Ok(Expression { text: text.to_owned(), condition, labels, input_fields })
}

struct Parser<'a> {
    text: &'a str,
    /// The last one is the end, which is never taken.
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    labels: Vec<LabelUse>,
    input_fields: Vec<String>,
}

/// An operand with its place.
struct Placed {
    operand: Operand,
    place: Range<usize>,
}

impl Placed {
    fn is_label(&self) -> bool {
        matches!(&self.operand, Operand::Field(name) if name == LABEL)
    }
}

impl Parser<'_> {
    fn peek(&self) -> &TokenKind {
        &self.tokens[self.next].kind
    }

    fn place(&self) -> Range<usize> {
        self.tokens[self.next].place.clone()
    }

    /// Takes the token at hand if it is this one.
    fn take(&mut self, kind: &TokenKind) -> bool {
        let taken = self.peek() == kind;
        self.next += usize::from(taken);
        taken
    }

    fn unexpected(&self, expected: &'static str) -> QueryError {
        let place = self.place();
        let written = &self.text[place.clone()];
        let got = match self.peek() {
            TokenKind::End => "the end of the expression".to_owned(),
            TokenKind::Text(_) => format!("the text {}", Written(written)),
            TokenKind::Number(_) => format!("the number {written}"),
            _ => format!("`{}`", Written(written)),
        };
        let word = written.to_ascii_lowercase();
        let rule = match ["and", "or", "not", "in", "contains"].into_iter().find(|keyword| *keyword == word) {
            Some(expected) if word != written => {
                BrokenRule::Unexpected { expected: keyword_in_small_letters(expected), got }
            }
            _ => BrokenRule::Unexpected { expected, got },
        };
        QueryError::new(rule, self.text, place)
    }

    /// Counts a level of nesting that begins at the token at hand.
    fn deeper(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(QueryError::new(BrokenRule::NestedTooDeep { limit: DEPTH_LIMIT }, self.text, self.place()));
        }
        Ok(())
    }

    fn any(&mut self) -> Result<Condition, QueryError> {
        let mut conditions = vec![self.all()?];
        while self.take(&TokenKind::Or) {
            conditions.push(self.all()?);
        }
        Ok(one_or(conditions, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, QueryError> {
        let mut conditions = vec![self.not()?];
        while self.take(&TokenKind::And) {
            conditions.push(self.not()?);
        }
        Ok(one_or(conditions, Condition::All))
    }

    fn not(&mut self) -> Result<Condition, QueryError> {
        match self.peek() {
            TokenKind::Not => {
                self.deeper()?;
                self.next += 1;
                let condition = Condition::Not(Box::new(self.not()?));
                self.depth -= 1;
                Ok(condition)
            }
            TokenKind::Open => {
                self.deeper()?;
                self.next += 1;
                let condition = self.any()?;
                if !self.take(&TokenKind::Close) {
                    return Err(self.unexpected("`and`, `or` or `)`"));
                }
                self.depth -= 1;
                Ok(condition)
            }
            _ => self.comparison(),
        }
    }

    fn comparison(&mut self) -> Result<Condition, QueryError> {
        let left = self.operand("a field, a value, `not` or `(`")?;
        let comparison = match self.peek() {
            &TokenKind::Compare(comparison) => comparison,
            TokenKind::Contains => {
                self.next += 1;
                let part = self.operand("a field or a value")?;
                return Ok(Condition::Contains(left.operand, part.operand));
            }
            TokenKind::In => {
                self.next += 1;
                return self.list(left);
            }
            TokenKind::Not if self.tokens.get(self.next + 1).is_some_and(|token| token.kind == TokenKind::In) => {
                self.next += 2;
                return self.list(left).map(|condition| Condition::Not(Box::new(condition)));
            }
            _ => return Err(self.unexpected("an operator: == != < <= > >= in contains")),
        };
        self.next += 1;
        let right = self.operand("a field or a value")?;
        if matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            if left.is_label() {
                self.note_label(&right);
            } else if right.is_label() {
                self.note_label(&left);
            }
        }
        Ok(Condition::Compare(left.operand, comparison, right.operand))
    }

    fn list(&mut self, left: Placed) -> Result<Condition, QueryError> {
        if !self.take(&TokenKind::OpenList) {
            return Err(self.unexpected("a list such as [\"a\", \"b\"]"));
        }
        let mut values = Vec::new();
        if !self.take(&TokenKind::CloseList) {
            loop {
                let place = self.place();
                let Some(value) = self.constant() else { return Err(self.unexpected("a text or another value")) };
                if left.is_label() {
                    self.note_label(&Placed { operand: Operand::Constant(value.clone()), place });
                }
                values.push(value);
                if self.take(&TokenKind::CloseList) {
                    break;
                }
                if !self.take(&TokenKind::Comma) {
                    return Err(self.unexpected("`,` or `]`"));
                }
            }
        }
        Ok(Condition::In(left.operand, values))
    }

    fn operand(&mut self, expected: &'static str) -> Result<Placed, QueryError> {
        let place = self.place();
        if let Some(value) = self.constant() {
            return Ok(Placed { operand: Operand::Constant(value), place });
        }
        let TokenKind::Name { name, quoted } = self.peek() else { return Err(self.unexpected(expected)) };
        let name = name.clone();
        if !quoted {
            names::check(&name).map_err(|rule| QueryError::new(rule, self.text, place.clone()))?;
        }
        if let Some(label) = names::score_label(&name) {
            self.labels.push(LabelUse { name: label.to_owned(), place: place.clone(), kind: LabelUseKind::Score });
        }
        if !names::is_row_field(&name) && !self.input_fields.contains(&name) {
            self.input_fields.push(name.clone());
        }
        self.next += 1;
        Ok(Placed { operand: Operand::Field(name), place })
    }

    /// Takes the token at hand if it is a value.
    fn constant(&mut self) -> Option<Value<'static>> {
        let value = match self.peek() {
            TokenKind::Text(text) => Value::Text(Cow::Owned(text.clone())),
            TokenKind::Number(number) => Value::Number(*number),
            TokenKind::True => Value::Bool(true),
            TokenKind::False => Value::Bool(false),
            TokenKind::Null => Value::Null,
            _ => return None,
        };
        self.next += 1;
        Some(value)
    }

    /// Notes what `label` is compared with.
    fn note_label(&mut self, other: &Placed) {
        let (name, kind) = match &other.operand {
            Operand::Constant(Value::Text(text)) => (text.as_ref(), LabelUseKind::Text),
            Operand::Field(name) => (name.as_str(), LabelUseKind::Field),
            Operand::Constant(_) => return,
        };
        self.labels.push(LabelUse { name: name.to_owned(), place: other.place.clone(), kind });
    }
}

fn keyword_in_small_letters(keyword: &str) -> &'static str {
    match keyword {
        "and" => "`and` in small letters",
        "or" => "`or` in small letters",
        "not" => "`not` in small letters",
        "in" => "`in` in small letters",
        _ => "`contains` in small letters",
    }
}

/// The only condition itself, else all of them under one.
fn one_or(mut conditions: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        Some(last) => {
            conditions.push(last);
            join(conditions)
        }
        None => join(conditions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> QueryError {
        parse(text).map(|_| ()).expect_err(text)
    }

    #[test]
    fn errors_say_what_was_expected_and_where() {
        for (text, message) in [
            ("", "expected a field, a value, `not` or `(`, got the end of the expression\n  \n  ^"),
            ("label ==", "expected a field or a value, got the end of the expression\n  label ==\n          ^"),
            ("label = 'a'", "no operator `=`; did you mean `==`?\n  label = 'a'\n        ^"),
            ("a == 1 && b == 2", "no operator `&&`; did you mean `and`?\n  a == 1 && b == 2\n         ^^"),
            ("a == 1 AND b == 2", "expected `and` in small letters, got `AND`\n  a == 1 AND b == 2\n         ^^^"),
            (
                "a == 'é\t中' b",
                "expected `and`, `or` or the end of the expression, got `b`\n  a == 'é 中' b\n              ^",
            ),
            ("(a == 1", "expected `and`, `or` or `)`, got the end of the expression\n  (a == 1\n         ^"),
            ("a in ('x')", "expected a list such as [\"a\", \"b\"], got `(`\n  a in ('x')\n       ^"),
            ("a in ['x' 'y']", "expected `,` or `]`, got the text 'y'\n  a in ['x' 'y']\n            ^^^"),
            ("a in [b]", "expected a text or another value, got `b`\n  a in [b]\n        ^"),
            (
                "meta.ok",
                "expected an operator: == != < <= > >= in contains, got the end of the expression\n  meta.ok\n         ^",
            ),
            ("0 < a < 1", "expected `and`, `or` or the end of the expression, got `<`\n  0 < a < 1\n        ^"),
            ("a == 'x", "expected ' that ends this text, got the end of the expression\n  a == 'x\n       ^^"),
            ("a == 1.2.3", "expected a number such as 0.9, got `1.2.3`\n  a == 1.2.3\n       ^^^^^"),
            ("a == -inf", "expected a number such as 0.9, got `-inf`\n  a == -inf\n       ^^^^"),
            (
                "confidance > 1",
                "no field `confidance`; did you mean `confidence`? If the input has such a field, write its name in backticks\n  confidance > 1\n  ^^^^^^^^^^",
            ),
            ("a. == 1", "expected the rest of a name after the dot, got ` `\n  a. == 1\n  ^^"),
        ] {
            assert_eq!(error(text).to_string(), message, "{text}");
        }
        for escape in ["a == '\\x'", "a == '\\u12'", "a == '\\ud83d'", "a == '\\udc00'", "a == '\\"] {
            assert!(matches!(error(escape).rule, BrokenRule::UnknownEscape { .. }), "{escape}");
        }
    }

    #[test]
    fn escapes_and_quoted_names_are_read() {
        let condition = |text: &str| parse(text).unwrap().condition;
        let compared = |name: &str, text: &str| {
            let constant = Operand::Constant(Value::Text(Cow::Owned(text.to_owned())));
            Condition::Compare(Operand::Field(name.to_owned()), Comparison::Equal, constant)
        };
        assert_eq!(condition(r#"a == "\"'\\\n\u00e9\ud83d\ude00""#), compared("a", "\"'\\\né😀"));
        assert_eq!(condition("`labels` == ''"), compared("labels", ""));
        assert_eq!(condition("meta.`in b`.c-d2 == 'x'"), compared("meta.in b.c-d2", "x"));
    }

    #[test]
    fn nesting_and_length_are_bounded() {
        let nested =
            |depth: usize, open: &str, close: &str| format!("{}a == 1{}", open.repeat(depth), close.repeat(depth));
        for (open, close) in [("(", ")"), ("not ", ""), ("not (", ")")] {
            let levels = if open == "not (" { 2 } else { 1 };
            assert!(parse(&nested(DEPTH_LIMIT / levels, open, close)).is_ok(), "{open}");
            let error = error(&nested(DEPTH_LIMIT / levels + 1, open, close));
            assert_eq!(error.rule, BrokenRule::NestedTooDeep { limit: DEPTH_LIMIT }, "{open}");
            assert!(matches!(self::error(&nested(100_000, open, close)).rule, BrokenRule::TooLong { .. }));
        }
        assert!(parse(&vec!["a == 1"; 5_000].join(" or ")).is_ok());
        let long = error(&format!("{} and b", vec!["a == 1"; 50].join(" and ")));
        let lines: Vec<usize> = long.excerpt().lines().map(textwrap::core::display_width).collect();
        assert!(lines[0] <= 80 && lines[1] <= lines[0] + 1, "{long}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            if let Err(error) = parse(&text) {
                prop_assert!(error.to_string().contains('^'));
            }
        }

        #[test]
        fn no_parts_in_any_order_make_it_panic(parts in prop::collection::vec(
            prop::sample::select(vec![
                "label", "a.b", "scores.x", "`é`", "==", "!=", "<", "<=", "in", "not", "and", "or", "contains", "(", ")",
                "[", "]", ",", "\"t\"", "'", "\"", "\\", "1", "-", ".", "null", "true", "é", "\u{1b}", "\n", "=", "&&",
            ]), 0..30)) {
            for text in [parts.join(" "), parts.concat()] {
                match parse(&text) {
                    Ok(expression) => prop_assert_eq!(&expression.text, &text),
                    Err(error) => prop_assert!(error.to_string().contains('^')),
                }
            }
        }
    }
}
