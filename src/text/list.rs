//! Which lines of a block begin the items of a list.

use super::marker::{ItemFinder, list_number};
use super::marks::bullet;

/// A line and what stands in front of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListLine<'a> {
    /// Without quote marks and blank edges.
    pub text: &'a str,
    /// Columns of blank characters in front of the text.
    pub indent: u16,
    /// The line can be the last one before a list: a sentence, a colon or much room at its end.
    pub may_lead_in: bool,
}

/// Whether each line begins an item, by a list number ([`ItemFinder`]) or by a bullet.
///
/// A spaced dash can stand at the beginning of a wrapped line by chance. So bullets count only if there are two of the
/// same kind, and if the first of them is the block's first line or follows a line that can lead in a list.
pub(super) fn begins_items(lines: &[ListLine<'_>]) -> Vec<bool> {
    let mut numbers = ItemFinder::new();
    let mut items: Vec<bool> =
        lines.iter().map(|line| numbers.begins_item(list_number(line.text), line.indent)).collect();
    let bullets: Vec<Option<char>> = lines.iter().map(|line| bullet(line.text)).collect();
    for kind in kinds(&bullets) {
        let first =
            bullets.iter().position(|&bullet| bullet == Some(kind)).expect("a kind comes from a line; this is a bug");
        let led_in = first == 0 || lines[first - 1].may_lead_in || items[first - 1];
        if led_in && bullets.iter().filter(|&&bullet| bullet == Some(kind)).count() > 1 {
            for (item, bullet) in items.iter_mut().zip(&bullets) {
                *item |= *bullet == Some(kind);
            }
        }
    }
    items
}

/// The kinds of bullets that occur, each once, in their order. There are a dozen at most.
fn kinds(bullets: &[Option<char>]) -> Vec<char> {
    let mut kinds = Vec::new();
    for &kind in bullets.iter().flatten() {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::super::blank::is_blank;
    use super::*;

    fn items(source: &str) -> Vec<bool> {
        let lines: Vec<_> = source
            .lines()
            .map(|line| {
                let text = line.trim_matches(is_blank);
                let indent = (line.len() - line.trim_start_matches(is_blank).len()) as u16;
                ListLine { text, indent, may_lead_in: text.ends_with([':', '.']) || text.len() < 40 }
            })
            .collect();
        begins_items(&lines)
    }

    #[test]
    fn bullets_begin_items() {
        assert_eq!(items("To bring:\n- a tent\n- a lamp\n  with oil\n- a map"), [false, true, true, false, true]);
        assert_eq!(items("• one\n• two"), [true, true]);
        assert_eq!(items("* one\n  - inner\n  - inner\n* two"), [true; 4]);
    }

    #[test]
    fn a_dash_by_chance_begins_nothing() {
        let prose = "The ferry that left the quay before six in the fog\n– the one with the lamps along the rail and\n– as usual – late – was empty.";
        assert_eq!(items(prose), [false; 3]);
        assert_eq!(items("One line\n- a single dash"), [false; 2]);
    }
}
