//! Numbers about each block of a section, for the trees that judge it.

use super::reader::{Block, Section, read};
use super::tag::{group, hint};
use super::words::{hash, words};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

/// Least words of a paragraph of running text.
const PARAGRAPH_WORDS: u32 = 14;

/// What stands around the content of most pages.
const FURNITURE: u64 = hint::NAV
    | hint::ASIDE
    | hint::FOOTER
    | hint::DIALOG
    | hint::MENU
    | hint::SIDE
    | hint::FOOT
    | hint::RELATED
    | hint::SHARE
    | hint::CONSENT
    | hint::ADVERT
    | hint::SIGNUP;

/// Sums over all blocks before one.
struct Sums {
    words: Vec<f32>,
    links: Vec<f32>,
    paragraphs: Vec<f32>,
    headings: Vec<f32>,
    scores: Vec<f32>,
}

impl Sums {
    fn new(blocks: &[Block], scores: &[[f32; 2]]) -> Sums {
        let sums = |value: &dyn Fn(usize) -> f32| {
            let mut sum = 0.0;
            let mut all = vec![0.0];
            all.extend((0..blocks.len()).map(|index| {
                sum += value(index);
                sum
            }));
            all
        };
        Sums {
            words: sums(&|index| blocks[index].words as f32),
            links: sums(&|index| blocks[index].link_words as f32),
            paragraphs: sums(&|index| if is_paragraph(&blocks[index]) { blocks[index].words as f32 } else { 0.0 }),
            headings: sums(&|index| if blocks[index].heading > 0 { 1.0 } else { 0.0 }),
            scores: sums(&|index| (scores[index][0] + scores[index][1]) * weight(&blocks[index])),
        }
    }
}

fn weight(block: &Block) -> f32 {
    (block.words as f32 + 1.0).sqrt()
}

fn over(sums: &[f32], range: &Range<usize>) -> f32 {
    sums[range.end] - sums[range.start]
}

fn is_paragraph(block: &Block) -> bool {
    block.words >= PARAGRAPH_WORDS && block.link_words * 3 < block.words
}

pub(super) fn log(value: f32) -> f32 {
    (value + 1.0).ln()
}

/// A share, 0 of nothing.
pub(super) fn share(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn own(block: &Block, out: &mut Vec<f32>) {
    let text = &block.text;
    let (mut letters, mut capitals, mut digits, mut commas, mut stops, mut others, mut chars) =
        (0, 0, 0, 0, 0, 0, 0u32);
    for c in text.chars() {
        chars += 1;
        match c {
            ',' | ';' => commas += 1,
            '.' | '!' | '?' | '…' => stops += 1,
            c if c.is_numeric() => digits += 1,
            c if c.is_uppercase() => (letters, capitals) = (letters + 1, capitals + 1),
            c if c.is_alphabetic() => letters += 1,
            c if !c.is_whitespace() => others += 1,
            _ => {}
        }
    }
    let chars = chars as f32;
    let first = text.chars().next().unwrap_or(' ');
    let last = text.trim_end_matches(['"', '”', '’', ')', '\'']).chars().next_back().unwrap_or(' ');
    let words = block.words as f32;
    out.extend([
        log(words),
        log(chars),
        share(block.link_words as f32, words),
        share(chars, words).min(40.0),
        share(capitals as f32, letters as f32),
        share(digits as f32, chars),
        share(commas as f32, words),
        share(stops as f32, words),
        share(others as f32, chars),
        f32::from(u8::from(matches!(last, '.' | '!' | '?' | '…' | '。'))),
        f32::from(u8::from(matches!(last, ':'))),
        f32::from(u8::from(first.is_uppercase())),
        f32::from(u8::from(first.is_numeric())),
        f32::from(u8::from(text.contains('©'))),
        f32::from(u8::from(text.contains(['$', '€', '£', '₹', '¥']))),
        f32::from(u8::from(text.contains(['|', '›', '»', '•', '/']))),
        f32::from(u8::from(text.contains('@'))),
        f32::from(block.heading),
        f32::from(block.depth),
        f32::from(block.breaks).min(30.0),
        f32::from(block.inner).min(30.0),
    ]);
}

/// The elements around a block that are no inline ones, from the innermost outwards.
pub(super) fn containers(section: &Section, block: &Block) -> Vec<u32> {
    let mut found = Vec::new();
    let mut node = block.node;
    loop {
        let at = &section.nodes[node as usize];
        if at.is_block {
            found.push(node);
        }
        if at.parent == node {
            return found;
        }
        node = at.parent;
    }
}

/// The innermost node that holds at least so much of the page's running text.
fn holder(section: &Section, sums: &[f32], part: f32) -> Option<u32> {
    let whole = *sums.last()?;
    if whole <= 0.0 {
        return None;
    }
    // Inner nodes come after outer ones.
    let holds = |node: &u32| over(sums, &blocks_of(section, *node)) >= part * whole;
    (0..section.nodes.len() as u32).rev().find(holds)
}

pub(super) fn blocks_of(section: &Section, node: u32) -> Range<usize> {
    let blocks = &section.nodes[node as usize].blocks;
    blocks.start as usize..blocks.end as usize
}

/// What the elements around a block have in common with those around others of its template.
pub(super) fn signature(section: &Section, block: &Block) -> u64 {
    let mut sum = u64::from(block.heading);
    let mut node = block.node;
    for _ in 0..4 {
        let at = &section.nodes[node as usize];
        let own = at.names.iter().fold(u64::from(at.group), |sum, name| sum.wrapping_mul(31).wrapping_add(*name));
        sum = sum.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(own);
        if at.parent == node {
            break;
        }
        node = at.parent;
    }
    sum
}

/// Facts of the page that all its blocks share.
fn of_page(section: &Section, sums: &Sums) -> Vec<f32> {
    let all = 0..section.blocks.len();
    let words = over(&sums.words, &all);
    let with = |hints: u64| {
        let blocks = section.blocks.iter().filter(|block| block.inside & hints != 0);
        share(blocks.map(|block| block.words as f32).sum(), words)
    };
    let nodes = |hints: u64| section.nodes.iter().filter(|node| node.own & hints != 0).count() as f32;
    let mut facts = vec![
        log(words),
        log(all.len() as f32),
        share(over(&sums.links, &all), words),
        share(over(&sums.paragraphs, &all), words),
        log(over(&sums.paragraphs, &all)),
        log(over(&sums.headings, &all)),
        share(over(&sums.scores, &all), section.blocks.iter().map(weight).sum()),
        with(hint::MAIN),
        with(hint::ARTICLE),
        with(hint::COMMENTS),
        with(hint::POST),
        with(hint::CARD),
        with(hint::PRODUCT),
        with(hint::REVIEW),
        with(hint::TABLE),
        with(hint::BODY),
        with(hint::PREFORMATTED),
        with(hint::HIDDEN),
        with(hint::NO_SCRIPT),
        with(FURNITURE),
        log(nodes(hint::ARTICLE)),
        log(nodes(hint::POST)),
        log(nodes(hint::CARD)),
        log(nodes(hint::COMMENTS)),
        log(nodes(hint::PRODUCT)),
        [&b"article"[..], b"product", b"website", b"profile"]
            .iter()
            .position(|name| hash(5, name) == section.head.kind)
            .map_or(0.0, |position| position as f32 + 1.0),
    ];
    facts.extend((0..12).map(|bit| f32::from(u8::from(section.head.types >> bit & 1 == 1))));
    facts
}

/// Facts of what a container holds, seen from a block in it.
fn of_container(section: &Section, sums: &Sums, node: Option<u32>, out: &mut Vec<f32>) {
    let Some(node) = node else {
        out.extend([-1.0; 11]);
        return;
    };
    let at = &section.nodes[node as usize];
    let range = blocks_of(section, node);
    let all = 0..section.blocks.len();
    let words = over(&sums.words, &range);
    let weights: f32 = section.blocks[range.clone()].iter().take(400).map(weight).sum();
    let scores = over(&sums.scores, &(range.start..range.end.min(range.start + 400)));
    out.extend([
        log(words),
        share(words, over(&sums.words, &all)),
        share(over(&sums.links, &range), words),
        share(over(&sums.paragraphs, &range), words),
        share(over(&sums.paragraphs, &range), over(&sums.paragraphs, &all)),
        log(range.len() as f32),
        share(words, range.len() as f32).min(200.0),
        log(over(&sums.headings, &range)),
        share(range.start as f32, all.len() as f32),
        f32::from(at.group),
        share(scores, weights),
    ]);
}

/// Facts of a neighbour.
fn of_neighbour(blocks: &[Block], scores: &[[f32; 2]], index: usize, offset: isize, out: &mut Vec<f32>) {
    let neighbour = index.checked_add_signed(offset).filter(|&neighbour| neighbour < blocks.len());
    let Some(neighbour) = neighbour else {
        out.extend([-1.0, -1.0, -1.0, -9.0, -9.0, -1.0, -1.0]);
        return;
    };
    let (block, here) = (&blocks[neighbour], &blocks[index]);
    out.extend([
        log(block.words as f32),
        share(block.link_words as f32, block.words as f32),
        f32::from(block.heading),
        scores[neighbour][0],
        scores[neighbour][1],
        f32::from(u8::from(block.near & FURNITURE != 0)),
        ((block.inside ^ here.inside).count_ones()) as f32,
    ]);
}

/// Numbers in a row of facts.
pub fn width() -> usize {
    static WIDTH: OnceLock<usize> = OnceLock::new();
    *WIDTH.get_or_init(|| {
        let mut width = 0;
        read("a", &mut |section| facts(&section, &[[0.0; 2]], &mut |row| width = row.len()));
        width
    })
}

/// Hands on the facts about each block, as many for one as for all.
///
/// `scores` are what the names and the words of each block say, `[blocks][names, words]`.
pub fn facts(section: &Section, scores: &[[f32; 2]], take: &mut dyn FnMut(&[f32])) {
    let blocks = &section.blocks;
    let sums = Sums::new(blocks, scores);
    let all = 0..blocks.len();
    let page = of_page(section, &sums);
    let total = over(&sums.words, &all);
    let holders = [0.4, 0.6, 0.8].map(|part| holder(section, &sums.paragraphs, part));
    let title: HashSet<String> = words(&section.head.title).map(str::to_lowercase).collect();
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut times: HashMap<&str, u32> = HashMap::new();
    blocks.iter().for_each(|block| *times.entry(block.text.as_str()).or_default() += 1);
    let first_title = blocks.iter().position(|block| block.heading == 1);
    // How many elements of the same names stand under one parent.
    let mut alike: HashMap<(u32, u64), u32> = HashMap::new();
    let look = |node: u32| {
        let at = &section.nodes[node as usize];
        (at.parent, at.names.iter().fold(u64::from(at.group), |sum, name| sum.wrapping_mul(31).wrapping_add(*name)))
    };
    (0..section.nodes.len() as u32).for_each(|node| *alike.entry(look(node)).or_default() += 1);
    // Blocks of one template: their number, words, and what is said of them.
    let mut templates: HashMap<u64, [f32; 4]> = HashMap::new();
    for (index, block) in blocks.iter().enumerate() {
        let of = templates.entry(signature(section, block)).or_default();
        let score = (scores[index][0] + scores[index][1]) * weight(block);
        let more = [1.0, block.words as f32, score, weight(block)];
        of.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }
    let mut heading_before: Option<usize> = None;
    let mut heading_after = vec![None; blocks.len()];
    let mut next = None;
    for index in all.clone().rev() {
        heading_after[index] = next;
        if blocks[index].heading > 0 {
            next = Some(index);
        }
    }
    let mut row = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        row.clear();
        own(block, &mut row);
        row.extend(scores[index]);
        row.push(scores[index][0] + scores[index][1]);
        row.extend((0..hint::COUNT).map(|bit| f32::from(u8::from(block.inside >> bit & 1 == 1))));
        row.extend((0..hint::COUNT).map(|bit| f32::from(u8::from(block.near >> bit & 1 == 1))));
        let around = containers(section, block);
        row.push(f32::from(section.nodes[block.node as usize].group));
        // Where on the page.
        row.extend([
            share(sums.words[index], total),
            log(sums.words[index]),
            log(total - sums.words[index + 1]),
            log(index as f32),
            log((blocks.len() - 1 - index) as f32),
            share(sums.paragraphs[index], *sums.paragraphs.last().unwrap_or(&0.0)),
        ]);
        // Beside the title.
        let (mut in_title, mut count) = (0, 0);
        for word in words(&block.text).take(40) {
            count += 1;
            in_title += u32::from(title.contains(&word.to_lowercase()));
        }
        row.extend([share(in_title as f32, count as f32), share(in_title as f32, title.len() as f32)]);
        row.push(first_title.map_or(-999.0, |title| {
            let apart = sums.words[index.max(title)] - sums.words[index.min(title)];
            if index < title { -log(apart + 1.0) } else { log(apart) }
        }));
        let before = seen.entry(block.text.as_str()).or_default();
        row.extend([log(*before as f32), log(times[block.text.as_str()] as f32)]);
        *before += 1;
        // Containers.
        for level in [0, 1, 2, 3, 5] {
            of_container(section, &sums, around.get(level).copied(), &mut row);
        }
        let section_around = around.iter().copied().find(|&node| {
            let at = &section.nodes[node as usize];
            at.group == group::SECTION || at.own & (hint::BODY | hint::POST) != 0
        });
        of_container(section, &sums, section_around, &mut row);
        let outermost = around.len().checked_sub(3).and_then(|level| around.get(level).copied());
        of_container(section, &sums, outermost, &mut row);
        for level in [0, 1, 2, 3] {
            let count = around.get(level).map_or(0, |&node| alike[&look(node)]);
            row.push(log(count as f32));
        }
        let [number, words_alike, score, weights] = templates[&signature(section, block)];
        row.extend([log(number), share(words_alike, number), share(score, weights), share(words_alike, total)]);
        // Beside what holds most of the running text.
        for holder in holders {
            let Some(holder) = holder else {
                row.extend([-1.0; 3]);
                continue;
            };
            let range = blocks_of(section, holder);
            let up = around.iter().position(|&node| {
                let outer = blocks_of(section, node);
                outer.start <= range.start && outer.end >= range.end
            });
            let place = if index < range.start { -1.0 } else { f32::from(u8::from(index >= range.end)) };
            row.extend([place, up.map_or(99.0, |up| up as f32), share(over(&sums.words, &range), total)]);
        }
        // Headings.
        for heading in [heading_before, heading_after[index]] {
            match heading {
                Some(heading) => row.extend([
                    f32::from(blocks[heading].heading),
                    log((sums.words[index.max(heading)] - sums.words[index.min(heading)]).abs()),
                    scores[heading][0],
                    scores[heading][1],
                ]),
                None => row.extend([0.0, -1.0, -9.0, -9.0]),
            }
        }
        if block.heading > 0 {
            heading_before = Some(index);
        }
        // Neighbours, near and in windows.
        for offset in [-3, -2, -1, 1, 2, 3] {
            of_neighbour(blocks, scores, index, offset, &mut row);
        }
        for reach in [4, 12, 40] {
            for range in [index.saturating_sub(reach)..index, index + 1..(index + 1 + reach).min(blocks.len())] {
                let range = range.start.min(blocks.len())..range.end.max(range.start.min(blocks.len()));
                let words = over(&sums.words, &range);
                let weights: f32 = blocks[range.clone()].iter().map(weight).sum();
                row.extend([
                    log(words),
                    share(over(&sums.links, &range), words),
                    share(over(&sums.paragraphs, &range), words),
                    share(over(&sums.scores, &range), weights),
                ]);
            }
        }
        row.extend(&page);
        take(&row);
    }
}
