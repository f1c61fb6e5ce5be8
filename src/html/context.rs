//! Numbers about what a first judgement said of the blocks around each block, for a second one.

use super::facts::{blocks_of, containers, log, share, signature};
use super::reader::Section;
use std::collections::HashMap;
use std::ops::Range;

/// Numbers for each block.
pub const CONTEXT: usize = 46;

/// Appends to `row` what the first judgement, probabilities of all blocks, says around block `index`.
pub struct Context<'a> {
    section: &'a Section,
    content: &'a [f32],
    /// Words, and words times probability, of all blocks before one.
    words: Vec<f32>,
    judged: Vec<f32>,
    /// Number of blocks, sum of their probabilities, by the elements around them.
    alike: HashMap<u64, (f32, f32, f32)>,
    headings: Vec<[Option<usize>; 2]>,
    sure: Option<Range<usize>>,
}

impl<'a> Context<'a> {
    pub fn new(section: &'a Section, content: &'a [f32]) -> Context<'a> {
        let (mut words, mut judged) = (vec![0.0], vec![0.0]);
        let (mut all, mut sum) = (0.0, 0.0);
        let mut alike: HashMap<u64, (f32, f32, f32)> = HashMap::new();
        for (block, content) in section.blocks.iter().zip(content) {
            let count = block.words as f32 + 0.5;
            all += count;
            sum += count * content;
            words.push(all);
            judged.push(sum);
            let of = alike.entry(signature(section, block)).or_default();
            *of = (of.0 + 1.0, of.1 + count, of.2 + count * content);
        }
        let count = section.blocks.len();
        let mut headings = vec![[None; 2]; count];
        let mut last = None;
        for (index, headings) in headings.iter_mut().enumerate() {
            headings[0] = last;
            if section.blocks[index].heading > 0 {
                last = Some(index);
            }
        }
        last = None;
        for (index, headings) in headings.iter_mut().enumerate().rev() {
            headings[1] = last;
            if section.blocks[index].heading > 0 {
                last = Some(index);
            }
        }
        let is_sure = |index: &usize| content[*index] > 0.6 && section.blocks[*index].words > 5;
        let first = (0..count).find(is_sure);
        let sure = first.map(|first| first..(0..count).rev().find(is_sure).unwrap_or(first) + 1);
        Context { section, content, words, judged, alike, headings, sure }
    }

    fn mean(&self, range: Range<usize>) -> f32 {
        let words = self.words[range.end] - self.words[range.start];
        if words > 0.0 { (self.judged[range.end] - self.judged[range.start]) / words } else { -1.0 }
    }

    pub fn push(&self, index: usize, row: &mut Vec<f32>) {
        let begin = row.len();
        let count = self.content.len();
        let block = &self.section.blocks[index];
        let own = block.words as f32 + 0.5;
        row.push(self.content[index]);
        for offset in [-4_isize, -3, -2, -1, 1, 2, 3, 4] {
            let neighbour = index.checked_add_signed(offset).filter(|&neighbour| neighbour < count);
            row.push(neighbour.map_or(-1.0, |neighbour| self.content[neighbour]));
        }
        for reach in [3, 8, 20, 60] {
            row.push(self.mean(index.saturating_sub(reach)..index));
            row.push(self.mean(index + 1..(index + 1 + reach).min(count).max(index + 1)));
        }
        row.push(self.mean(0..index));
        row.push(self.mean(index + 1..count));
        // Without the block itself: it is judged by what stands beside it.
        let around = containers(self.section, block);
        for level in [0, 1, 2, 3, 4, 6] {
            match around.get(level) {
                Some(&node) => {
                    let range = blocks_of(self.section, node);
                    let words = self.words[range.end] - self.words[range.start] - own;
                    let judged = self.judged[range.end] - self.judged[range.start] - own * self.content[index];
                    row.push(if words > 0.4 { judged / words } else { -1.0 });
                    row.push(share(judged, *self.judged.last().unwrap_or(&0.0)));
                }
                None => row.extend([-1.0, -1.0]),
            }
        }
        let (number, words, judged) = self.alike[&signature(self.section, block)];
        row.push(log(number));
        row.push(if number > 1.0 { (judged - own * self.content[index]) / (words - own) } else { -1.0 });
        row.push(share(words, *self.words.last().unwrap_or(&0.0)));
        for heading in self.headings[index] {
            row.push(heading.map_or(-1.0, |heading| self.content[heading]));
            row.push(heading.map_or(-1.0, |heading| match heading < index {
                true => self.mean(heading + 1..index),
                false => self.mean(index + 1..heading),
            }));
        }
        let whole = *self.words.last().unwrap_or(&0.0);
        let judged = *self.judged.last().unwrap_or(&0.0);
        row.extend([share(judged, whole), log(judged)]);
        match &self.sure {
            Some(sure) => {
                let before = self.words[sure.start] - self.words[index.min(sure.start)];
                let after = self.words[(index + 1).max(sure.end)] - self.words[sure.end];
                row.extend([
                    log(before),
                    log(after),
                    share((self.judged[index] - self.judged[sure.start.min(index)]).max(0.0), judged),
                    self.mean(sure.clone()),
                ]);
            }
            None => row.extend([-1.0; 4]),
        }
        row.push(share(self.judged[index], judged));
        row.push(share(own * self.content[index], judged));
        debug_assert_eq!(row.len() - begin, CONTEXT);
    }
}
