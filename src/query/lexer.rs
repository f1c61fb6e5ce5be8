//! An expression cut into names, texts, numbers and marks.

use super::error::{BrokenRule, QueryError, Written};
use super::expression::Comparison;
use std::ops::Range;

/// Longest expression, in bytes: far more than anybody writes, and little enough to hold several copies of.
const LENGTH_LIMIT_BYTES: usize = 64 * 1024;

/// A part of an expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub place: Range<usize>,
}

/// What a part of an expression is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A name of a field; `quoted` is whether some of it stands in backticks.
    Name {
        name: String,
        quoted: bool,
    },
    Text(String),
    Number(f64),
    True,
    False,
    Null,
    And,
    Or,
    Not,
    In,
    Contains,
    Compare(Comparison),
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    End,
}

/// Words that are no names.
const KEYWORDS: [(&str, TokenKind); 8] = [
    ("and", TokenKind::And),
    ("or", TokenKind::Or),
    ("not", TokenKind::Not),
    ("in", TokenKind::In),
    ("contains", TokenKind::Contains),
    ("true", TokenKind::True),
    ("false", TokenKind::False),
    ("null", TokenKind::Null),
];

/// Marks, the longer ones before those that they begin with.
const MARKS: [(&str, TokenKind); 11] = [
    ("==", TokenKind::Compare(Comparison::Equal)),
    ("!=", TokenKind::Compare(Comparison::NotEqual)),
    ("<=", TokenKind::Compare(Comparison::LessOrEqual)),
    (">=", TokenKind::Compare(Comparison::GreaterOrEqual)),
    ("<", TokenKind::Compare(Comparison::Less)),
    (">", TokenKind::Compare(Comparison::Greater)),
    ("(", TokenKind::Open),
    (")", TokenKind::Close),
    ("[", TokenKind::OpenList),
    ("]", TokenKind::CloseList),
    (",", TokenKind::Comma),
];

/// Operators of other languages, and what they are called here; the longer ones before those that they begin with.
const FOREIGN: [(&str, &str); 8] = [
    ("=~", "contains"),
    ("=", "=="),
    ("&&", "and"),
    ("&", "and"),
    ("||", "or"),
    ("|", "or"),
    ("!", "not"),
    ("~", "contains"),
];

/// Cuts an expression up; the last token is [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    if text.len() > LENGTH_LIMIT_BYTES {
        let rule = BrokenRule::TooLong { limit_bytes: LENGTH_LIMIT_BYTES, got_bytes: text.len() };
        return Err(QueryError::new(rule, text, 0..0));
    }
    let mut lexer = Lexer { text, position: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.position;
        let kind = lexer.token()?;
        let end = kind == TokenKind::End;
        tokens.push(Token { kind, place: start..lexer.position });
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blank(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start().len();
    }

    /// The bytes from here on whose characters `belongs` takes.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.position += end;
        &rest[..end]
    }

    fn error(&self, rule: BrokenRule, start: usize) -> QueryError {
        QueryError::new(rule, self.text, start..self.position)
    }

    fn token(&mut self) -> Result<TokenKind, QueryError> {
        let start = self.position;
        let Some(first) = self.peek() else { return Ok(TokenKind::End) };
        match first {
            '"' | '\'' => return self.string(first).map(TokenKind::Text),
            '0'..='9' | '.' | '-' | '+' => return self.number(),
            c if is_name_start(c) || c == '`' => return self.name(),
            _ => {}
        }
        if let Some((mark, kind)) = MARKS.iter().find(|(mark, _)| self.rest().starts_with(mark)) {
            self.position += mark.len();
            return Ok(kind.clone());
        }
        if let Some((got, expected)) = FOREIGN.iter().find(|(mark, _)| self.rest().starts_with(mark)) {
            self.position += got.len();
            return Err(self.error(BrokenRule::UnknownOperator { expected, got }, start));
        }
        self.position += first.len_utf8();
        let rule = BrokenRule::Unexpected {
            expected: "a name, a text in quotation marks, a number or an operator",
            got: format!("`{first}`"),
        };
        Err(self.error(rule, start))
    }

    /// Parts joined by dots, each a word or anything between backticks.
    fn name(&mut self) -> Result<TokenKind, QueryError> {
        let start = self.position;
        let (mut name, mut quoted) = (String::new(), false);
        loop {
            if self.peek() == Some('`') {
                let opened = self.position;
                self.position += 1;
                let part = self.take_while(|c| c != '`');
                if self.peek().is_none() {
                    let rule = BrokenRule::Unclosed { what: "name", expected: '`' };
                    return Err(self.error(rule, opened));
                }
                self.position += 1;
                name.push_str(part);
                quoted = true;
            } else {
                let part = self.take_while(|c| is_name_start(c) || c.is_numeric() || c == '-');
                if part.is_empty() {
                    let got = match self.peek() {
                        Some(c) => format!("`{c}`"),
                        None => "the end of the expression".to_owned(),
                    };
                    let rule = BrokenRule::Unexpected { expected: "the rest of a name after the dot", got };
                    return Err(self.error(rule, start));
                }
                name.push_str(part);
            }
            if self.peek() != Some('.') {
                break;
            }
            name.push('.');
            self.position += 1;
        }
        let keyword = KEYWORDS.iter().find(|(word, _)| !quoted && *word == name);
        Ok(keyword.map_or(TokenKind::Name { name, quoted }, |(_, kind)| kind.clone()))
    }

    fn number(&mut self) -> Result<TokenKind, QueryError> {
        let start = self.position;
        self.position += 1;
        let mut before = self.text.as_bytes()[start];
        while let Some(&byte) = self.text.as_bytes().get(self.position) {
            let sign_of_exponent = matches!(byte, b'-' | b'+') && matches!(before, b'e' | b'E');
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || sign_of_exponent) {
                break;
            }
            before = byte;
            self.position += 1;
        }
        let written = &self.text[start..self.position];
        // Rust also reads `inf`, which begins with no digit and so is a name here; `-inf` would be read.
        let has_digit = written.trim_start_matches(['-', '+', '.']).starts_with(|c: char| c.is_ascii_digit());
        match written.parse::<f64>() {
            Ok(number) if has_digit => Ok(TokenKind::Number(number)),
            _ => Err(self.error(BrokenRule::InvalidNumber { got: Written(written).to_string() }, start)),
        }
    }

    fn string(&mut self, quote: char) -> Result<String, QueryError> {
        let start = self.position;
        self.position += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != quote && c != '\\'));
            match self.peek() {
                None => {
                    return Err(self.error(BrokenRule::Unclosed { what: "text", expected: quote }, start));
                }
                Some('\\') => text.push(self.escape()?),
                Some(_) => {
                    self.position += 1;
                    return Ok(text);
                }
            }
        }
    }

    /// The character that the escape at hand stands for.
    fn escape(&mut self) -> Result<char, QueryError> {
        let start = self.position;
        self.position += 1;
        let escaped = self.peek();
        self.position += escaped.map_or(0, char::len_utf8);
        let character = match escaped {
            Some(c @ ('"' | '\'' | '\\' | '/')) => Some(c),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => self.unicode(),
            _ => None,
        };
        character.ok_or_else(|| {
            let got = format!("`{}`", &self.text[start..self.position]);
            self.error(BrokenRule::UnknownEscape { got }, start)
        })
    }

    /// The character of the digits at hand, as JSON writes it: beyond U+FFFF in two halves.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hexadecimal()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.position += self.rest().strip_prefix("\\u").map(|_| 2)?;
        let second = self.hexadecimal().filter(|second| (0xdc00..0xe000).contains(second))?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.position += digits.len();
        u32::from_str_radix(digits, 16).ok()
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}
