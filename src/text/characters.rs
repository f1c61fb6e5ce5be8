//! Where characters begin in a text.

/// The last place at or before `at` where a character of the text begins or the text ends.
pub(crate) fn character_floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&place| text.is_char_boundary(place)).unwrap_or(0)
}

/// The first place at or behind `at` where a character of the text begins or the text ends.
pub(crate) fn character_ceiling(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&place| text.is_char_boundary(place)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_inside_of_a_character_move_to_its_ends() {
        let text = "a€b";
        assert_eq!([0, 1, 2, 3, 4, 9].map(|at| character_floor(text, at)), [0, 1, 1, 1, 4, 5]);
        assert_eq!([0, 1, 2, 3, 4, 9].map(|at| character_ceiling(text, at)), [0, 1, 4, 4, 4, 5]);
    }
}
