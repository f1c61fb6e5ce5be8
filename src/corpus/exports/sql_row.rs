//! Words, names and values of SQL, as MySQL and MariaDB write them.

use std::borrow::Cow;

/// A part of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A key word, a number, or a name without quotation marks.
    Word(&'a [u8]),
    /// A name in backticks.
    Name(Vec<u8>),
    /// A string.
    Text(Vec<u8>),
    /// Any other sign.
    Sign(u8),
}

/// The parts of a statement or a row, comments left out.
pub(super) fn tokens(bytes: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &bytes[at..];
            let &first = rest.first()?;
            match first {
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'#' => at += memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
                b'-' if rest.get(1) == Some(&b'-') && rest.get(2).is_none_or(u8::is_ascii_whitespace) => {
                    at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                b'/' if rest.get(1) == Some(&b'*') => {
                    at += memchr::memmem::find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4);
                }
                b'\'' | b'"' | b'`' => {
                    let (text, length) = quoted(rest, first);
                    at += length;
                    return Some(if first == b'`' { Token::Name(text) } else { Token::Text(text) });
                }
                byte if is_word(byte) || (byte == b'-' && rest.get(1).is_some_and(u8::is_ascii_digit)) => {
                    let length = 1 + rest[1..].iter().take_while(|&&byte| is_word(byte)).count();
                    at += length;
                    return Some(Token::Word(&rest[..length]));
                }
                sign => {
                    at += 1;
                    return Some(Token::Sign(sign));
                }
            }
        }
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@' | b'+') || byte >= 0x80
}

/// What stands in quotation marks at the beginning, and the bytes that it takes.
fn quoted(bytes: &[u8], quote: u8) -> (Vec<u8>, usize) {
    let mut text = Vec::new();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte == quote {
            if bytes.get(at) != Some(&quote) {
                break;
            }
            at += 1;
            text.push(quote);
        } else if byte == b'\\' && quote != b'`' {
            let Some(&escaped) = bytes.get(at) else { break };
            at += 1;
            match escaped {
                b'0' => text.push(0),
                b'b' => text.push(8),
                b'n' => text.push(b'\n'),
                b'r' => text.push(b'\r'),
                b't' => text.push(b'\t'),
                b'Z' => text.push(26),
                b'%' | b'_' => text.extend([b'\\', escaped]),
                other => text.push(other),
            }
        } else {
            text.push(byte);
        }
    }
    (text, at)
}

/// A value of a row; `None` for NULL.
pub(super) type Value<'a> = Option<Cow<'a, [u8]>>;

/// The values of a row that stands in brackets.
///
/// A string may have the name of its encoding before it; `0x…` is a string in base 16; of what else there is, a sum or a
/// function, its words come one after the other.
pub(super) fn values(row: &[u8]) -> Vec<Value<'_>> {
    let inside = row.strip_prefix(b"(").unwrap_or(row);
    let inside = inside.strip_suffix(b")").unwrap_or(inside);
    let mut values = Vec::new();
    let mut value: Value<'_> = None;
    let mut depth = 0_u32;
    for token in tokens(inside) {
        match token {
            Token::Sign(b',') if depth == 0 => values.push(value.take()),
            Token::Sign(b'(') => depth += 1,
            Token::Sign(b')') => depth = depth.saturating_sub(1),
            Token::Word(word) if value.is_none() && word.eq_ignore_ascii_case(b"null") => {}
            Token::Word(word) if word.first() == Some(&b'_') && value.is_none() => {}
            Token::Word(word) => match base_16(word) {
                Some(bytes) => value = Some(Cow::Owned(bytes)),
                None => push(&mut value, Cow::Borrowed(word)),
            },
            Token::Text(text) | Token::Name(text) => push(&mut value, Cow::Owned(text)),
            Token::Sign(sign) => push(&mut value, Cow::Owned(vec![sign])),
        }
    }
    values.push(value);
    values
}

fn push<'a>(value: &mut Value<'a>, part: Cow<'a, [u8]>) {
    match value {
        Some(before) => before.to_mut().extend_from_slice(&part),
        None => *value = Some(part),
    }
}

/// What `0x4142` stands for.
fn base_16(word: &[u8]) -> Option<Vec<u8>> {
    let digits = word.strip_prefix(b"0x").or_else(|| word.strip_prefix(b"0X"))?;
    if digits.is_empty() || digits.len() % 2 != 0 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were_before_they_were_dumped() {
        let row =
            br"(1, -2,'it''s \'so\' \\ \n\r\t\0\Z \% \_', NULL,_binary 'b',0x4142, '', X, 1.5e3 , /* a, */ 'c'-- d
            , CONVERT('e' , 2),`f``g`)";
        let values: Vec<_> = values(row)
            .into_iter()
            .map(|value| value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
            .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            values,
            [
                text("1"),
                text("-2"),
                text("it's 'so' \\ \n\r\t\0\u{1a} \\% \\_"),
                None,
                text("b"),
                text("AB"),
                text(""),
                text("X"),
                text("1.5e3"),
                text("c"),
                text("CONVERTe,2"),
                text("f`g"),
            ]
        );
    }

    #[test]
    fn nothing_that_is_broken_is_read_past_its_end() {
        for row in [&b"("[..], b"('", b"('a\\", b"(`", b"(/*", b"(-- ", b"(0x4)", b"\xff"] {
            assert_eq!(values(row).len(), 1, "{row:?}");
        }
    }
}
