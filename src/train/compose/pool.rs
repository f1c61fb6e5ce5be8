//! Texts to draw from, so that a large source does not speak for all.

use super::Settings;
use super::source::{AnnotatedParagraph, Comment, Moderation};
use super::target::{COMMENT_SPAM, OPINION, OTHER, QUOTATION, REPORTING, Target};
use super::words::{count, has_link, passage, sentences, words};
use crate::random::SplitMix64;
use std::collections::{BTreeMap, HashSet};

/// Words of the longest tail of spam, and of the second piece in its genuine counterparts.
pub(super) const TAIL: usize = 30;

/// Texts by source. A family of sources, of one name up to the first `-` or `_`, is drawn in proportion to the root of its
/// number of texts.
#[derive(Default)]
pub(super) struct Pool<'t> {
    groups: BTreeMap<&'t str, Vec<&'t str>>,
    /// Sums of the roots, in the order of the groups.
    sums: Vec<f64>,
}

impl<'t> Pool<'t> {
    pub fn new(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Pool<'t> {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (source, text) in texts {
            groups.entry(family(source)).or_default().push(text);
        }
        let mut sum = 0.0;
        let sums = groups.values().map(|texts| {
            sum += (texts.len() as f64).sqrt();
            sum
        });
        let sums = sums.collect();
        Pool { groups, sums }
    }

    /// A source and one of its texts; `None` where there are no texts.
    pub fn draw(&self, random: &mut SplitMix64) -> Option<(&'t str, &'t str)> {
        let place = random.unit_f64() * self.sums.last()?;
        let group = self.sums.partition_point(|&sum| sum <= place).min(self.sums.len() - 1);
        let (source, texts) = self.groups.iter().nth(group)?;
        Some((source, texts[random.below(texts.len())]))
    }

    pub fn has(&self, source: &str) -> bool {
        self.groups.contains_key(family(source))
    }

    /// A text of one source; `None` where it has none.
    pub fn draw_of(&self, source: &str, random: &mut SplitMix64) -> Option<&'t str> {
        let texts = self.groups.get(family(source))?;
        Some(texts[random.below(texts.len())])
    }

    /// Neighbouring sentences of a drawn text with a number of words in the range; `None` where none of a few texts has such.
    pub fn passage(
        &self,
        range: std::ops::RangeInclusive<usize>,
        random: &mut SplitMix64,
    ) -> Option<(&'t str, &'t str)> {
        (0..30).find_map(|_| {
            let (source, text) = self.draw(random)?;
            Some((source, passage(text, &range, random)?))
        })
    }
}

fn family(source: &str) -> &str {
    source.split(['-', '_']).next().unwrap_or(source)
}

/// A published comment with what it is to be learnt as.
pub(super) struct Published<'t> {
    pub site: &'t str,
    pub text: &'t str,
    /// What the teacher said.
    pub teacher: Target,
    /// What is learnt.
    pub target: Target,
}

/// Everything that mixed texts are made of.
pub(super) struct Pools<'t> {
    /// Sure rows by label; published comments count as opinion, rejected ones as spam.
    pub by_label: [Pool<'t>; 5],
    /// Genuine comments.
    pub comments: Pool<'t>,
    /// The same by length, from short to long; see [`LENGTHS`].
    pub genuine: Vec<Pool<'t>>,
    /// Short genuine comments, and the last sentences of longer ones.
    pub second: Pool<'t>,
    /// Sentences of genuine comments with a link.
    pub linked: Pool<'t>,
    /// Short pieces that sell, beg or lure.
    pub tails: Pool<'t>,
    /// Headings of two to six words.
    pub headings: Pool<'t>,
}

/// Bounds of the lengths of genuine comments, in words: each about 1.5 times the one before.
pub(super) const LENGTHS: [usize; 11] = [5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 301];

impl<'t> Pools<'t> {
    pub fn new(rows: &'t [AnnotatedParagraph], published: &[Published<'t>], spam: &[&'t Comment]) -> Pools<'t> {
        let sure: Vec<&AnnotatedParagraph> = rows.iter().filter(|row| row.confidence == Some(3)).collect();
        let of = |label: usize| {
            sure.iter().filter(move |row| row.label == label).map(|row| (source_of(row), row.text.as_str()))
        };
        let commented = sources_of_comments(&sure);
        let genuine: Vec<(&str, &str)> = published
            .iter()
            .filter(|comment| comment.target[OPINION] >= 0.6 && comment.teacher[COMMENT_SPAM] < 0.5)
            .map(|comment| (comment.site, comment.text))
            .chain(of(OPINION).filter(|(source, _)| commented.contains(source)))
            .collect();
        // A text alone must tell that it is spam: rows were annotated by their texts, comments also by their authors' links.
        let rejected: Vec<(&str, &str)> = spam
            .iter()
            .filter(|comment| sells(&comment.text))
            .map(|comment| (comment.site.as_str(), comment.text.as_str()))
            .collect();
        let spam: Vec<(&str, &str)> = rejected.into_iter().chain(of(COMMENT_SPAM)).collect();
        let tails = spam.iter().filter_map(|&(source, text)| Some((source, ending(text, sells)?)));
        let between = |from: usize, to: usize| {
            Pool::new(genuine.iter().copied().filter(|(_, text)| (from..to).contains(&count(text))))
        };
        let second = genuine.iter().filter_map(|&(source, text)| Some((source, ending(text, |_| true)?)));
        let linked = genuine.iter().flat_map(|&(source, text)| {
            let fitting = |sentence: &&str| {
                (3..=TAIL).contains(&count(sentence)) && sentence.contains("://") && !promotes(sentence)
            };
            sentences(text).into_iter().filter(fitting).map(move |sentence| (source, sentence))
        });
        let heading = |&(_, text): &(&str, &str)| {
            let sentence = text.ends_with(['.', '!', '?', ':', ',']);
            (2..=6).contains(&count(text)) && !sentence && text.starts_with(char::is_uppercase)
        };
        let opinions = of(OPINION).filter(|(source, _)| !commented.contains(source)).chain(genuine.iter().copied());
        Pools {
            second: Pool::new(second),
            linked: Pool::new(linked),
            tails: Pool::new(tails),
            headings: Pool::new(of(OTHER).filter(heading)),
            genuine: LENGTHS.windows(2).map(|pair| between(pair[0], pair[1])).collect(),
            comments: Pool::new(genuine.iter().copied()),
            by_label: [
                Pool::new(of(REPORTING)),
                Pool::new(opinions),
                Pool::new(spam),
                Pool::new(of(QUOTATION)),
                Pool::new(of(OTHER)),
            ],
        }
    }
}

fn source_of(row: &AnnotatedParagraph) -> &str {
    row.source.as_deref().unwrap_or("rows")
}

/// The sources that hold comments: those with spam, at least three in a hundred of their sure rows.
fn sources_of_comments<'t>(sure: &[&'t AnnotatedParagraph]) -> HashSet<&'t str> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in sure {
        let (spam, all) = counts.entry(source_of(row)).or_default();
        *spam += usize::from(row.label == COMMENT_SPAM);
        *all += 1;
    }
    counts.into_iter().filter(|(_, (spam, all))| spam * 100 >= all * 3).map(|(source, _)| source).collect()
}

/// The last sentences of a text, at most [`TAIL`] words and as many as fit, if they are as wanted.
fn ending(text: &str, wanted: impl Fn(&str) -> bool) -> Option<&str> {
    let mut piece = None;
    let mut words = 0;
    for sentence in sentences(text).into_iter().rev() {
        words += count(sentence);
        if words > TAIL {
            break;
        }
        let start = sentence.as_ptr() as usize - text.as_ptr() as usize;
        piece = Some(text[start..].trim_end()).filter(|piece| words >= 3 && wanted(piece));
    }
    piece
}

/// Whether a piece of spam says by itself what it is: it has a link, a price, an invitation, one word that spam alone
/// uses so, or two words of trade.
pub(super) fn sells(text: &str) -> bool {
    const SPAM: [&str; 38] = [
        "backlink",
        "backlinks",
        "betting",
        "casino",
        "casinos",
        "cbd",
        "cialis",
        "coupon",
        "crypto",
        "escort",
        "escorts",
        "essay",
        "forex",
        "gambling",
        "hacker",
        "handbags",
        "jerseys",
        "keto",
        "loan",
        "loans",
        "lottery",
        "mortgage",
        "outlet",
        "payday",
        "pharmacy",
        "pills",
        "poker",
        "replica",
        "seo",
        "slot",
        "slots",
        "spell",
        "subscribe",
        "telegram",
        "viagra",
        "vuitton",
        "whatsapp",
        "xanax",
    ];
    const TRADE: [&str; 36] = [
        "bitcoin",
        "bonus",
        "brand",
        "buy",
        "buying",
        "call",
        "cheap",
        "click",
        "coins",
        "contact",
        "credit",
        "customers",
        "deal",
        "deals",
        "discount",
        "discounts",
        "earn",
        "earning",
        "email",
        "free",
        "guaranteed",
        "hire",
        "income",
        "insurance",
        "invest",
        "investment",
        "money",
        "offer",
        "online",
        "price",
        "prices",
        "profit",
        "sale",
        "shop",
        "shopping",
        "website",
    ];
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let words = words(text).map(plain).collect::<Vec<_>>();
    let of = |list: &[&str]| words.iter().filter(|word| list.contains(&word.as_str())).count();
    has_link(text) || text.contains(['$', '£', '€']) || promotes(text) || of(&SPAM) > 0 || of(&TRADE) > 1
}

/// Whether the text invites to a place of its writer's.
fn promotes(text: &str) -> bool {
    const INVITATIONS: [&str; 8] =
        ["check out my", "visit my", "my channel", "my site", "my website", "my page", "my blog", "our site"];
    let lower = text.to_lowercase();
    INVITATIONS.iter().any(|invitation| lower.contains(invitation))
}

/// A genuine comment, drawn evenly by the logarithm of its length, of a source that has short pieces and links too.
pub(super) fn draw_genuine<'t>(pools: &Pools<'t>, random: &mut SplitMix64) -> Option<(&'t str, &'t str)> {
    let has_both = |source: &str| pools.second.has(source) && pools.linked.has(source);
    (0..60).find_map(|_| {
        pools.genuine[random.below(pools.genuine.len())].draw(random).filter(|(source, _)| has_both(source))
    })
}

/// The spam of comments, as a site judged it.
pub(super) fn rejected(comments: &[Comment]) -> Vec<&Comment> {
    comments.iter().filter(|comment| comment.gold == Some(Moderation::Spam)).collect()
}

/// The generator of one composed row: it follows from the seed, the part and the row's number alone.
pub(super) fn generator(settings: &Settings, part: &str, number: usize) -> SplitMix64 {
    SplitMix64::new(super::words::mixed(settings.seed, &format!("{part}/{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_source_does_not_speak_for_all() {
        let large = (0..900).map(|_| ("large", "a"));
        let pool = Pool::new(large.chain((0..100).map(|_| ("small", "b"))));
        let mut random = SplitMix64::new(5);
        let small = (0..4000).filter(|_| pool.draw(&mut random).unwrap().0 == "small").count();
        assert!((900..1100).contains(&small), "{small}");
        assert_eq!(pool.draw_of("small", &mut random), Some("b"));
        assert!(pool.draw_of("none", &mut random).is_none() && Pool::default().draw(&mut random).is_none());
    }

    #[test]
    fn a_tail_says_itself_that_it_sells() {
        assert!(
            ["Cheap shop here.", "see www.pills.example", "only £3 each", "SUBSCRIBE, please"].map(sells) == [true; 4]
        );
        assert!(!sells("Great article, thanks for sharing this with us."));
        let long = "I liked it. And then some more about the matter at hand. Buy pills at our shop.";
        assert_eq!(ending(long, sells), Some(long));
        let longer = format!("{} Buy pills at our shop. Tell me.", "word ".repeat(40));
        assert_eq!(ending(&longer, sells), None);
        let longer = format!("{}. Buy pills at our shop. Tell me.", "word ".repeat(40).trim());
        assert_eq!(ending(&longer, sells), Some("Buy pills at our shop. Tell me."));
    }
}
