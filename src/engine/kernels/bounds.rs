//! The one check that unchecked indexing rests on.

/// How many values `rows` rows of `width` values reach over, where each row begins `stride` values after the one before:
/// `(rows - 1) * stride + width`. `None` where a `usize` cannot count them.
pub const fn reach(rows: usize, stride: usize, width: usize) -> Option<usize> {
    let Some(steps) = rows.checked_sub(1) else { return Some(0) };
    match steps.checked_mul(stride) {
        Some(start_of_last) => start_of_last.checked_add(width),
        None => None,
    }
}

/// Ends the computation unless `len` values hold `rows` rows of `width` values that begin `stride` values apart.
///
/// # Panics
/// Where they do not, or where their number is more than a `usize` can count.
#[inline(always)]
pub fn assert_holds(what: &str, len: usize, rows: usize, stride: usize, width: usize) {
    let needed = reach(rows, stride, width);
    assert!(
        needed.is_some_and(|needed| needed <= len),
        "{what}: {rows} rows of {width}, {stride} apart, do not fit in {len}; this is a bug"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_reach_to_the_end_of_the_last() {
        assert_eq!(reach(0, usize::MAX, usize::MAX), Some(0));
        assert_eq!(reach(1, usize::MAX, 5), Some(5));
        assert_eq!(reach(3, 10, 4), Some(24));
        assert_eq!(reach(3, 0, 4), Some(4));
        assert_holds("values", 24, 3, 10, 4);
    }

    #[test]
    fn sizes_that_would_wrap_are_never_held() {
        // Multiplied with wrapping, each of these would be a small number.
        assert_eq!(reach(3, 1 << (usize::BITS - 1), 4), None);
        assert_eq!(reach(2, usize::MAX, 1), None);
        assert_eq!(reach(2, 1, usize::MAX), None);
        for (rows, stride, width) in [(3, 1 << (usize::BITS - 1), 4), (2, usize::MAX, 1), (4, 10, 1)] {
            let held = std::panic::catch_unwind(|| assert_holds("values", 30, rows, stride, width));
            assert!(held.is_err(), "{rows} {stride} {width}");
        }
    }
}
