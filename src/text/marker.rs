//! List numbers at the beginning of a line, as comment threads and numbered lists have them.

use super::blank::is_blank;

/// Largest list number that is recognised. A page holds few comments more, and four digits are mostly years.
const MAX_NUMBER: usize = 999;

/// The number that a line begins with, if it is a list number: one to three digits, a dot or a closing bracket, blank,
/// and something after it. `line` begins at its first character that is not blank.
pub(super) fn list_number(line: &str) -> Option<usize> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).take(4).count();
    let number: usize = line[..digits].parse().ok().filter(|&number| number <= MAX_NUMBER)?;
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    (rest.starts_with(is_blank) && !rest.chars().all(is_blank)).then_some(number)
}

/// Tells, line after line of one block, which list numbers begin an item.
///
/// Wrapped prose can have a number at the beginning of a line by chance (“… a total of⏎12. The next …”). A number inside
/// a block therefore counts only if it is 1, follows a number of the same block by one, or stands on a line that is
/// indented and indented differently from the line before: the comment of another level of the thread.
pub(super) struct ItemFinder {
    seen: [bool; MAX_NUMBER + 1],
    any_seen: bool,
    previous_indent: Option<u16>,
}

impl ItemFinder {
    pub fn new() -> Self {
        ItemFinder { seen: [false; MAX_NUMBER + 1], any_seen: false, previous_indent: None }
    }

    /// Forgets the block before.
    pub fn begin_block(&mut self) {
        if self.any_seen {
            self.seen.fill(false);
        }
        self.any_seen = false;
        self.previous_indent = None;
    }

    /// Whether the block's next line begins an item. `indent` is in columns.
    pub fn begins_item(&mut self, number: Option<usize>, indent: u16) -> bool {
        let previous_indent = self.previous_indent.replace(indent);
        let Some(number) = number else { return false };
        let item = match previous_indent {
            None => true,
            Some(previous) => number == 1 || number > 1 && self.seen[number - 1] || indent > 0 && indent != previous,
        };
        if item {
            self.seen[number] = true;
            self.any_seen = true;
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_numbers_need_a_dot_and_a_text() {
        assert_eq!(list_number("1. First"), Some(1));
        assert_eq!(list_number("12)\u{a0}Twelfth"), Some(12));
        assert_eq!(list_number("0. Zeroth"), Some(0));
        for line in ["1.5 million", "1.", "1. \u{a0}", "2020. A year", "1 apple", ". dot", "", "１. wide digit"] {
            assert_eq!(list_number(line), None, "{line:?}");
        }
    }

    fn items(lines: &[(Option<usize>, u16)]) -> Vec<bool> {
        let mut finder = ItemFinder::new();
        lines.iter().map(|&(number, indent)| finder.begins_item(number, indent)).collect()
    }

    #[test]
    fn counts_continue_across_levels() {
        let thread = [(Some(3), 2), (None, 4), (Some(1), 4), (Some(2), 4), (Some(4), 2)];
        assert_eq!(items(&thread), [true, false, true, true, true]);
    }

    #[test]
    fn a_number_by_chance_begins_nothing() {
        assert_eq!(items(&[(None, 0), (Some(12), 0)]), [false, false]);
        assert_eq!(items(&[(None, 4), (Some(12), 4)]), [false, false]);
        assert_eq!(items(&[(None, 0), (Some(12), 4)]), [false, true]);
    }

    #[test]
    fn a_new_block_starts_a_new_count() {
        let mut finder = ItemFinder::new();
        assert!(finder.begins_item(Some(1), 0));
        finder.begin_block();
        assert!(!finder.begins_item(None, 0));
        assert!(!finder.begins_item(Some(2), 0));
    }
}
