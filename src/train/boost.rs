//! Growing trees: gradient boosting with histograms, as LightGBM does it (Ke et al., 2017), for one probability.

use super::error::TrainError;
use crate::forest::{Forest, Question};
use crate::random::SplitMix64;
use serde::{Deserialize, Serialize};

/// How trees are grown.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeSettings {
    /// Trees.
    pub trees: usize,
    /// Ends of a tree.
    pub leaves: usize,
    /// What each tree adds, as a share of what it would.
    pub rate: f64,
    /// Share of the rows that a tree sees.
    pub rows: f32,
    /// Share of the facts that a tree sees.
    pub facts: f32,
    /// Least weight of an end: the sum of its rows' second derivatives.
    pub least: f64,
    /// Added to that sum.
    pub ridge: f64,
    /// Seed of all that is drawn.
    pub seed: u64,
}

impl Default for TreeSettings {
    fn default() -> TreeSettings {
        TreeSettings { trees: 200, leaves: 31, rate: 0.08, rows: 0.5, facts: 0.2, least: 3.0, ridge: 5.0, seed: 1 }
    }
}

impl TreeSettings {
    /// Whether every number is in its range.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`].
    pub fn check(&self) -> Result<(), TrainError> {
        let rules = [
            ("trees", "1 to 10000", (1..=10_000).contains(&self.trees)),
            ("leaves", "2 to 1000", (2..=1000).contains(&self.leaves)),
            ("rate", "above 0, at most 1", self.rate > 0.0 && self.rate <= 1.0),
            ("rows", "above 0, at most 1", self.rows > 0.0 && self.rows <= 1.0),
            ("facts", "above 0, at most 1", self.facts > 0.0 && self.facts <= 1.0),
            ("least", "0 or more", self.least >= 0.0 && self.least.is_finite()),
            ("ridge", "0 or more", self.ridge >= 0.0 && self.ridge.is_finite()),
        ];
        match rules.into_iter().find(|rule| !rule.2) {
            Some((name, expected, _)) => Err(TrainError::InvalidSetting { name, expected }),
            None => Ok(()),
        }
    }
}

/// Bounds of a fact that trees choose from, at most.
const BINS: usize = 64;

/// Facts in bins, column by column, and the bounds of the bins.
pub(crate) struct Binned {
    columns: Vec<Vec<u8>>,
    bounds: Vec<Vec<f32>>,
    rows: usize,
}

impl Binned {
    /// Puts rows of facts into bins that hold about as many of them each.
    pub fn new(rows: &[&[f32]]) -> Binned {
        let width = rows.first().map_or(0, |row| row.len());
        let step = (rows.len() / 20_000).max(1);
        let (mut columns, mut bounds) = (Vec::new(), Vec::new());
        for fact in 0..width {
            let mut values: Vec<f32> = rows.iter().step_by(step).map(|row| row[fact]).collect();
            values.sort_unstable_by(f32::total_cmp);
            let mut own: Vec<f32> = Vec::new();
            let mut taken = 0;
            for (index, pair) in values.windows(2).enumerate() {
                let wanted = (own.len() + 1) * values.len() / BINS;
                if pair[0] < pair[1] && (index + 1 >= wanted || index + 1 - taken >= values.len() / BINS) {
                    own.push(pair[0] + (pair[1] - pair[0]) / 2.0);
                    taken = index + 1;
                }
            }
            own.truncate(BINS - 1);
            columns.push(rows.iter().map(|row| own.partition_point(|&bound| bound < row[fact]) as u8).collect());
            bounds.push(own);
        }
        Binned { columns, bounds, rows: rows.len() }
    }
}

/// First and second derivatives, summed.
type Sums = [f64; 2];

/// The sums of the rows in each bin of a fact.
type Histogram = [Sums; BINS];

/// An end of a tree that is being grown.
struct Leaf {
    rows: Vec<u32>,
    sums: Sums,
    histograms: Vec<Histogram>,
    best: Option<Split>,
    /// The least and the greatest value that it may have, so that the tree rises where it must.
    range: [f64; 2],
    /// Where the tree leads to it: a question and one of its two ways; `None` for the whole tree.
    from: Option<(usize, usize)>,
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    /// Position among the tree's facts.
    fact: usize,
    /// The last bin of the first way.
    bin: usize,
    /// Between the values of both ways.
    middle: f64,
}

/// Grows trees from those rows that `used` lists, for targets from 0 to 1; each row has a weight. The sum never falls where a
/// fact of `rising` rises.
pub(crate) fn boost(
    data: &Binned,
    used: &[u32],
    targets: &[f32],
    weights: &[f32],
    rising: &[usize],
    settings: TreeSettings,
) -> Forest {
    let mut random = SplitMix64::new(settings.seed);
    let mut forest = Forest::default();
    let (mut all, mut weight) = (0.0, 0.0);
    for &row in used {
        all += f64::from(targets[row as usize] * weights[row as usize]);
        weight += f64::from(weights[row as usize]);
    }
    let mean = (all / weight.max(1e-9)).clamp(1e-3, 1.0 - 1e-3);
    let start = (mean / (1.0 - mean)).ln() as f32;
    forest.values.push(start);
    forest.roots.push(-1);
    let mut sums = vec![start; data.rows];
    let mut derivatives = vec![[0.0; 2]; data.rows];
    for _ in 0..settings.trees {
        let rows: Vec<u32> = used.iter().copied().filter(|_| random.unit() < settings.rows).collect();
        for &row in &rows {
            let row = row as usize;
            let p = 1.0 / (1.0 + (-sums[row]).exp());
            derivatives[row] = [(p - targets[row]) * weights[row], (p * (1.0 - p)).max(1e-4) * weights[row]];
        }
        let mut facts: Vec<usize> = (0..data.columns.len()).collect();
        random.shuffle(&mut facts);
        facts.truncate(((facts.len() as f32 * settings.facts) as usize).max(1));
        facts.sort_unstable();
        let tree = Tree { data, derivatives: &derivatives, facts: &facts, rising, settings };
        tree.grow(rows, &mut forest);
        let root = *forest.roots.last().expect("a tree was just added; this is a bug");
        for &row in used {
            sums[row as usize] += walk(data, &forest, root, row as usize);
        }
    }
    forest
}

/// What one tree says of a row in bins.
fn walk(data: &Binned, forest: &Forest, root: i32, row: usize) -> f32 {
    let mut at = root;
    while let Ok(index) = usize::try_from(at) {
        let question = &forest.questions[index];
        let fact = usize::from(question.fact);
        let bin = usize::from(data.columns[fact][row]);
        // A bound is the upper end of its bin.
        let above = data.bounds[fact].get(bin).is_none_or(|&bound| bound > question.bound);
        at = question.next[usize::from(above)];
    }
    forest.values[(-1 - at) as usize]
}

struct Tree<'a> {
    data: &'a Binned,
    derivatives: &'a [[f32; 2]],
    facts: &'a [usize],
    rising: &'a [usize],
    settings: TreeSettings,
}

impl Tree<'_> {
    /// Grows a tree where it gains most, end by end, and adds it to the forest.
    fn grow(&self, rows: Vec<u32>, forest: &mut Forest) {
        let mut leaves = vec![self.leaf(rows, None, None, [f64::NEG_INFINITY, f64::INFINITY])];
        let first = forest.questions.len();
        while leaves.len() < self.settings.leaves {
            let gain = |leaf: &Leaf| leaf.best.map_or(0.0, |split| split.gain);
            let best = (0..leaves.len()).max_by(|&a, &b| gain(&leaves[a]).total_cmp(&gain(&leaves[b])).then(b.cmp(&a)));
            let Some(best) = best.filter(|&best| gain(&leaves[best]) > 1e-6) else { break };
            let leaf = leaves.swap_remove(best);
            let split = leaf.best.expect("it gains something; this is a bug");
            let fact = self.facts[split.fact];
            let question = forest.questions.len();
            let bound = self.data.bounds[fact][split.bin];
            forest.questions.push(Question { fact: fact as u16, bound, next: [-1, -1] });
            if let Some((from, way)) = leaf.from {
                forest.questions[from].next[way] = question as i32;
            }
            let column = &self.data.columns[fact];
            let (low, high): (Vec<u32>, Vec<u32>) =
                leaf.rows.iter().partition(|&&row| usize::from(column[row as usize]) <= split.bin);
            // Sums of the larger part follow from those of the smaller.
            let (small, large, ways) = if low.len() <= high.len() { (low, high, [0, 1]) } else { (high, low, [1, 0]) };
            let mut ranges = [leaf.range; 2];
            if self.rising.contains(&fact) {
                ranges[0][1] = split.middle;
                ranges[1][0] = split.middle;
            }
            let small = self.leaf(small, Some((question, ways[0])), None, ranges[ways[0]]);
            let known = Some((leaf.histograms, small.histograms.as_slice()));
            let large = self.leaf(large, Some((question, ways[1])), known, ranges[ways[1]]);
            leaves.extend([small, large]);
        }
        leaves.sort_by_key(|leaf| leaf.from);
        for leaf in &leaves {
            let value = self.value(leaf.sums, leaf.range) * self.settings.rate;
            let place = -1 - forest.values.len() as i32;
            forest.values.push(value as f32);
            match leaf.from {
                Some((question, way)) => forest.questions[question].next[way] = place,
                None => forest.roots.push(place),
            }
        }
        if leaves.len() > 1 {
            forest.roots.push(first as i32);
        }
    }

    fn leaf(
        &self,
        rows: Vec<u32>,
        from: Option<(usize, usize)>,
        known: Option<(Vec<Histogram>, &[Histogram])>,
        range: [f64; 2],
    ) -> Leaf {
        let histograms = match known {
            Some((mut whole, other)) => {
                for (whole, other) in whole.iter_mut().flatten().zip(other.iter().flatten()) {
                    whole[0] -= other[0];
                    whole[1] -= other[1];
                }
                whole
            }
            None => self.facts.iter().map(|&fact| self.histogram(&self.data.columns[fact], &rows)).collect(),
        };
        let mut sums = [0.0; 2];
        for bin in histograms.first().into_iter().flatten() {
            sums[0] += bin[0];
            sums[1] += bin[1];
        }
        let best = self.best(&histograms, sums, range);
        Leaf { rows, sums, histograms, best, range, from }
    }

    fn histogram(&self, column: &[u8], rows: &[u32]) -> Histogram {
        let mut histogram = [[0.0; 2]; BINS];
        for &row in rows {
            let [first, second] = self.derivatives[row as usize];
            let bin = &mut histogram[usize::from(column[row as usize]) % BINS];
            bin[0] += f64::from(first);
            bin[1] += f64::from(second);
        }
        histogram
    }

    /// What an end says of rows of these sums.
    fn value(&self, sums: Sums, [least, most]: [f64; 2]) -> f64 {
        (-sums[0] / (sums[1] + self.settings.ridge)).clamp(least, most)
    }

    fn best(&self, histograms: &[Histogram], sums: Sums, range: [f64; 2]) -> Option<Split> {
        let TreeSettings { least, ridge, .. } = self.settings;
        let worth = |sums: Sums| {
            let value = self.value(sums, range);
            -value * (2.0 * sums[0] + value * (sums[1] + ridge))
        };
        let mut best: Option<Split> = None;
        for (fact, histogram) in histograms.iter().enumerate() {
            let mut low = [0.0; 2];
            let bins = self.data.bounds[self.facts[fact]].len();
            for (bin, sums_of_bin) in histogram.iter().enumerate().take(bins) {
                low[0] += sums_of_bin[0];
                low[1] += sums_of_bin[1];
                let high = [sums[0] - low[0], sums[1] - low[1]];
                if low[1] < least || high[1] < least {
                    continue;
                }
                let gain = worth(low) + worth(high) - worth(sums);
                let ends = [self.value(low, range), self.value(high, range)];
                if ends[0] > ends[1] && self.rising.contains(&self.facts[fact]) {
                    continue;
                }
                if best.is_none_or(|best| gain > best.gain) {
                    best = Some(Split { gain, fact, bin, middle: (ends[0] + ends[1]) / 2.0 });
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_rises_with_a_rising_fact_whatever_the_rows_say() {
        let mut random = SplitMix64::new(3);
        let rows: Vec<[f32; 2]> = (0..2000).map(|_| [random.unit(), random.unit()]).collect();
        // The probability falls in the middle, and depends on the second fact.
        let target = |row: &[f32; 2]| f32::from(u8::from((row[0] - 0.5).abs() > 0.2 && row[1] > 0.3));
        let targets: Vec<f32> = rows.iter().map(target).collect();
        let data = Binned::new(&rows.iter().map(|row| row.as_slice()).collect::<Vec<_>>());
        let used: Vec<u32> = (0..2000).collect();
        let settings = TreeSettings { trees: 40, leaves: 8, facts: 1.0, ..TreeSettings::default() };
        let grow = |rising: &[usize]| boost(&data, &used, &targets, &vec![1.0; 2000], rising, settings);
        let sums = |forest: &Forest| (0..=50).map(|step| forest.sum(&[step as f32 / 50.0, 0.9])).collect::<Vec<_>>();
        assert!(sums(&grow(&[0])).is_sorted());
        assert!(!sums(&grow(&[])).is_sorted());
    }
}
