//! Trees that vote: each asks one fact after the other and ends in a number; the numbers add up.

/// Boosted regression trees.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forest {
    /// The first question of each tree; a tree of a single value has the value's place as [`Question::next`] has it.
    pub roots: Vec<i32>,
    /// Questions of all trees.
    pub questions: Vec<Question>,
    /// Ends of all trees.
    pub values: Vec<f32>,
}

/// One question of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// The fact that is asked.
    pub fact: u16,
    /// Up to this value the first way is taken, above it, and for what is no number, the second.
    pub bound: f32,
    /// The next question; below 0 the value at `-1 - next`. A question comes after the one that leads to it.
    pub next: [i32; 2],
}

impl Forest {
    /// The first rule that the trees break, for facts of some width.
    pub fn fault(&self, width: usize) -> Option<&'static str> {
        let place = |next: i32, least: usize| match usize::try_from(next) {
            Ok(question) => (least..self.questions.len()).contains(&question),
            Err(_) => ((-1 - i64::from(next)) as usize) < self.values.len(),
        };
        if !self.roots.iter().all(|&root| place(root, 0)) {
            return Some("a tree begins with a question or a value that is there");
        }
        let sound = |(index, question): (usize, &Question)| {
            usize::from(question.fact) < width && question.next.iter().all(|&next| place(next, index + 1))
        };
        if !self.questions.iter().enumerate().all(sound) {
            return Some("a question leads to a later one or to a value, and asks a fact that is there");
        }
        None
    }

    /// The sum as a probability.
    pub fn probability(&self, facts: &[f32]) -> f32 {
        1.0 / (1.0 + (-self.sum(facts)).exp())
    }

    /// The sum of what the trees say of one row of facts.
    pub fn sum(&self, facts: &[f32]) -> f32 {
        let mut sum = 0.0;
        for &root in &self.roots {
            let mut at = root;
            while let Ok(index) = usize::try_from(at) {
                let question = &self.questions[index];
                // A fact that is no number goes the second way.
                let first = facts[usize::from(question.fact)] <= question.bound;
                at = question.next[usize::from(!first)];
            }
            sum += self.values[(-1 - at) as usize];
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forest() -> Forest {
        let question = |fact, bound, next| Question { fact, bound, next };
        Forest {
            roots: vec![0, -1],
            questions: vec![question(0, 0.5, [-1, 1]), question(1, 2.0, [-2, -3])],
            values: vec![1.0, 10.0, 100.0],
        }
    }

    #[test]
    fn trees_add_up() {
        let forest = forest();
        assert_eq!(forest.fault(2), None);
        assert_eq!(forest.sum(&[0.5, 9.0]), 2.0);
        assert_eq!(forest.sum(&[0.6, 2.0]), 11.0);
        assert_eq!(forest.sum(&[0.6, 2.1]), 101.0);
        assert_eq!(forest.sum(&[f32::NAN, f32::NAN]), 101.0);
    }

    #[test]
    fn trees_that_lead_nowhere_or_in_a_circle_are_seen() {
        assert!(forest().fault(1).is_some());
        for next in [[0, -1], [1, -1], [2, -1], [-1, -4], [i32::MIN, -1]] {
            let mut forest = forest();
            forest.questions[1].next = next;
            assert!(forest.fault(2).is_some(), "{next:?}");
        }
        let broken = Forest { roots: vec![0], ..Forest::default() };
        assert!(broken.fault(2).is_some());
    }
}
