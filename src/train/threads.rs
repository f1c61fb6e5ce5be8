//! Which rows are read together: the pages of a file, and threads made of comments that stand scattered in it.

use super::TrainSettings;
use super::data::LabelledRow;
use super::draw::{RUN, run_numbers};
use crate::random::SplitMix64;
use std::ops::Range;

/// Fewest and most comments of an invented thread; short enough that an article's rows fit before it.
const THREAD: Range<usize> = 2..11;

/// Fewest rows that make an article for a thread to follow.
const ARTICLE: usize = 3;

/// A row's place in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index in the file.
    pub row: usize,
    /// Number of the run that the row is read in.
    pub run: usize,
    /// Whether it stands in an invented thread.
    pub in_thread: bool,
}

/// The order in which rows are read and the run of each: as they stand in the file, but for the rows of
/// [`TrainSettings::thread_sources`]. Those come in threads of one source, rows of one page beside each other, and some of
/// the threads follow an article of the other rows. Every row has one place.
pub(super) fn places(rows: &[LabelledRow], settings: &TrainSettings) -> Vec<Place> {
    let comments = |row: &LabelledRow| row.source.as_ref().is_some_and(|name| settings.thread_sources.contains(name));
    let numbers = run_numbers(rows);
    let in_file: Vec<usize> = (0..rows.len()).collect();
    let (threaded, others): (Vec<&[usize]>, Vec<&[usize]>) =
        in_file.chunk_by(|&a, &b| numbers[a] == numbers[b]).partition(|run| comments(&rows[run[0]]));
    let mut random = SplitMix64::new(settings.seed ^ 0x7472_6561_6473);
    let mut runs: Vec<Vec<usize>> = others.into_iter().map(<[usize]>::to_vec).collect();
    let mut articles: Vec<usize> = (0..runs.len()).filter(|&run| runs[run].len() >= ARTICLE).collect();
    random.shuffle(&mut articles);
    for thread in threads(rows, threaded.concat(), &mut random) {
        let follows = random.unit() < settings.threads_under_pages;
        let fits = |&run: &usize| runs[run].len() + thread.len() <= RUN;
        match follows.then(|| articles.iter().rposition(fits)).flatten() {
            // An article that is taken has no second thread.
            Some(place) => runs[articles.swap_remove(place)].extend(thread),
            None => runs.push(thread),
        }
    }
    let place = |run, row| Place { row, run, in_thread: comments(&rows[row]) };
    runs.into_iter()
        .enumerate()
        .flat_map(|(run, members)| members.into_iter().map(move |row| place(run, row)))
        .collect()
}

/// Cuts comments into threads of random lengths, none with rows of two sources.
fn threads(rows: &[LabelledRow], mut comments: Vec<usize>, random: &mut SplitMix64) -> Vec<Vec<usize>> {
    comments.sort_by_key(|&row| (&rows[row].source, &rows[row].doc));
    let mut threads = Vec::new();
    for source in comments.chunk_by(|&a, &b| rows[a].source == rows[b].source) {
        let mut rest = source;
        while !rest.is_empty() {
            let length = THREAD.start + random.below(THREAD.len());
            let (thread, others) = rest.split_at(length.min(rest.len()));
            threads.push(thread.to_vec());
            rest = others;
        }
    }
    threads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source: &str, doc: Option<&str>) -> LabelledRow {
        let doc = doc.map(str::to_owned);
        LabelledRow { source: Some(source.into()), doc, ..LabelledRow::new("t", "opinion") }
    }

    /// Comments of two sources between the pages of a third; the first source's rows alternate between two pages.
    fn rows() -> Vec<LabelledRow> {
        (0..60)
            .flat_map(|index: usize| {
                let page = format!("{}", index / 6);
                [row("blog", Some(["x", "y"][index % 2])), row("video", None), row("news", Some(&page))]
            })
            .collect()
    }

    fn settings(threads_under_pages: f32) -> TrainSettings {
        let thread_sources = vec!["blog".to_owned(), "video".to_owned()];
        TrainSettings { thread_sources, threads_under_pages, ..TrainSettings::default() }
    }

    /// Pages first, so that their rows are neighbours.
    fn sorted_rows() -> Vec<LabelledRow> {
        let mut rows = rows();
        rows.sort_by_key(|row| row.source.as_deref() != Some("news"));
        rows
    }

    #[test]
    fn without_sources_of_comments_rows_stay_where_they_are() {
        let rows = rows();
        let places = places(&rows, &TrainSettings::default());
        let as_they_stand: Vec<(usize, usize)> = run_numbers(&rows).into_iter().enumerate().collect();
        assert_eq!(places.iter().map(|place| (place.row, place.run)).collect::<Vec<_>>(), as_they_stand);
        assert!(places.iter().all(|place| !place.in_thread));
    }

    #[test]
    fn scattered_comments_are_read_in_threads_of_one_source() {
        let rows = sorted_rows();
        let places = places(&rows, &settings(0.0));
        let mut seen: Vec<usize> = places.iter().map(|place| place.row).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..rows.len()).collect::<Vec<_>>());
        let mut turns = 0;
        for run in places.chunk_by(|a, b| a.run == b.run) {
            let source = &rows[run[0].row].source;
            assert!(run.iter().all(|place| place.in_thread == (source.as_deref() != Some("news"))));
            assert!(run.iter().all(|place| &rows[place.row].source == source) && run.len() < THREAD.end);
            turns += run.windows(2).filter(|pair| rows[pair[0].row].doc != rows[pair[1].row].doc).count();
        }
        // The blog's two pages meet at most once.
        assert!(turns <= 1, "{turns}");
        assert!(places.chunk_by(|a, b| a.run == b.run).count() < 60);
    }

    #[test]
    fn some_threads_follow_an_article_and_every_run_fits() {
        let rows = sorted_rows();
        let is = |place: &Place, name: &str| rows[place.row].source.as_deref() == Some(name);
        let mixed = |share: f32| {
            let places = places(&rows, &settings(share));
            let runs: Vec<&[Place]> = places.chunk_by(|a, b| a.run == b.run).collect();
            assert!(runs.iter().all(|run| run.len() <= RUN));
            let mixed = |run: &&&[Place]| is(&run[0], "news") && !is(&run[run.len() - 1], "news");
            runs.iter().filter(mixed).count()
        };
        assert_eq!(mixed(0.0), 0);
        // There are ten articles.
        assert!((8..=10).contains(&mixed(1.0)), "{}", mixed(1.0));
        assert_eq!(places(&rows, &settings(0.5)), places(&rows, &settings(0.5)));
    }
}
