//! A genuine comment with a piece of spam joined to it, and as many with a genuine piece, so that joining tells nothing.

use super::pool::{Pools, draw_genuine, generator};
use super::source::Region;
use super::target::{COMMENT_SPAM, OPINION, mostly};
use super::words::sentences;
use super::{ComposedRow, Part, Settings};
use crate::random::SplitMix64;

/// Joins two pieces; what stands between, and which comes first, is drawn.
fn joined(main: &str, piece: &str, random: &mut SplitMix64) -> String {
    let between = [" ", " ", " ", " ", " ", "\n", "\n\n", "\n\n", "\n\n", ""][random.below(10)];
    match random.below(10) {
        0 => format!("{piece}{between}{main}"),
        1 => match sentences(main).as_slice() {
            [first, second, ..] => {
                let base = main.as_ptr() as usize;
                let (end, start) = (first.as_ptr() as usize - base + first.len(), second.as_ptr() as usize - base);
                format!("{}{between}{piece}{between}{}", &main[..end], &main[start..])
            }
            _ => format!("{main}{between}{piece}"),
        },
        _ => format!("{main}{between}{piece}"),
    }
}

/// Half with spam, a quarter with a second genuine piece of the same site, a quarter with a genuine link.
pub(super) fn compose(pools: &Pools<'_>, settings: &Settings) -> Vec<ComposedRow> {
    (0..2 * settings.tails)
        .filter_map(|number| {
            // A row and its counterpart share the genuine comment and the way of joining.
            let mut random = generator(settings, "spam_tail", number / 2);
            let (site, main) = draw_genuine(pools, &mut random)?;
            let mut way = SplitMix64::new(random.next_u64());
            let (piece, label) = match (number % 2, number / 2 % 2) {
                (0, _) => (pools.tails.draw(&mut random)?.1, COMMENT_SPAM),
                (_, 0) => (of_site(&pools.second, site, main, &mut random)?, OPINION),
                _ => (of_site(&pools.linked, site, main, &mut random)?, OPINION),
            };
            let target = mostly(label, 0.96);
            Some(ComposedRow::mixed(joined(main, piece, &mut way), target, Some(Region::Comment), Part::SpamTail))
        })
        .collect()
}

/// A piece of the same site that is no part of the comment itself.
fn of_site<'t>(pool: &super::pool::Pool<'t>, site: &str, main: &str, random: &mut SplitMix64) -> Option<&'t str> {
    (0..8).find_map(|_| {
        let piece = pool.draw_of(site, random)?;
        (!main.contains(piece)).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::super::target::best;
    use super::super::tests::{rows, settings};
    use super::super::words::count;
    use super::*;

    #[test]
    fn a_tail_of_spam_is_spam_and_its_counterpart_is_not() {
        let rows = rows();
        let composed = compose(&Pools::new(&rows, &[], &[]), &Settings { tails: 300, ..settings() });
        assert!(composed.len() > 500, "{}", composed.len());
        for row in &composed {
            assert_eq!(row.text.contains("sword"), best(&row.target) == COMMENT_SPAM, "{}", row.text);
        }
        let spam = composed.iter().filter(|row| best(&row.target) == COMMENT_SPAM).count();
        assert!(spam * 10 >= composed.len() * 4 && spam * 10 <= composed.len() * 6, "{spam}");
        let lengths: Vec<usize> = composed.iter().map(|row| count(&row.text)).collect();
        assert!(lengths.iter().any(|&words| words < 40) && lengths.iter().any(|&words| words > 100));
    }

    #[test]
    fn joining_keeps_both_pieces() {
        for seed in 0..60 {
            let text = joined("One is here. Two is there.", "Buy it.", &mut SplitMix64::new(seed));
            assert!(["One is here.", "Two is there.", "Buy it."].iter().all(|piece| text.contains(piece)), "{text}");
        }
    }
}
