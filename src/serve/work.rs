//! The queue between connections and the threads that judge.
//!
//! Threads take what waits: one request where only one is there, many together under load. Nothing is held back to make a batch
//! larger. A full queue refuses at once.

use super::log::Log;
use super::memory::Memory;
use super::metrics::Metrics;
use crate::comment::{Comment, Judgement};
use crate::corpus::InputError;
use crate::explain::WordWeight;
use crate::feedback::now;
use crate::label::Scores;
use crate::pipeline::{CommentFilter, Copydesk, LabelError, LabelledText};
use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Requests that one thread takes at once.
const BATCH_TASKS: usize = 32;

/// Bytes of text from which a thread takes no more requests into its batch, so that a long text delays few others.
const BATCH_BYTES: usize = 64 * 1024;

/// Times that a text is read for an explanation, about.
const EXPLAINED: usize = 20;

/// A comment's verdict.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub judgement: Judgement,
    /// Under which the memory keeps it.
    pub id: Option<i64>,
}

/// A labelled part of a text.
#[derive(Clone, Debug)]
pub(super) struct LabelledPart {
    /// UTF-8 byte offsets in the text.
    pub span: Range<usize>,
    pub label: String,
    pub confidence: f32,
    pub scores: Scores,
    pub tokens: usize,
    pub windows: usize,
    pub lang: Option<&'static str>,
    pub doubt: Option<&'static str>,
    /// The words that the label rests on, where they are asked for.
    pub words: Vec<Word>,
}

/// A word that a label or a score rests on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub word: String,
    /// UTF-8 byte offsets in the paragraph, or in the comment.
    pub span: Range<usize>,
    /// What the score loses without it.
    pub weight: f32,
}

fn words_of(text: &str, words: Vec<WordWeight>) -> Vec<Word> {
    let word = |WordWeight { span, weight, .. }| Word { word: text[Range::clone(&span)].to_owned(), span, weight };
    words.into_iter().map(word).collect()
}

/// A labelled part from a paragraph of a text or a block of a page, which have these fields in common.
macro_rules! part {
    ($labelled:expr) => {
        part!($labelled, Vec::new())
    };
    ($labelled:expr, $words:expr) => {{
        // The words first: they are looked up in the text.
        let words = $words;
        let labelled = $labelled;
        LabelledPart {
            span: labelled.span,
            label: labelled.label.as_str().to_owned(),
            confidence: labelled.confidence,
            scores: labelled.scores,
            tokens: labelled.tokens,
            windows: labelled.windows,
            lang: labelled.lang,
            doubt: labelled.doubt.map(|doubt| doubt.as_str()),
            words,
        }
    }};
}

/// Why a task has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum WorkError {
    #[error("the text has no character that shows")]
    Blank,
    #[error("the model failed: {0}")]
    Model(String),
    #[error("the request failed in the server")]
    Lost,
    #[error("the server has more to do than it can take; ask again in a second")]
    Full,
}

impl From<LabelError> for WorkError {
    fn from(error: LabelError) -> WorkError {
        match error {
            LabelError::Input(InputError::BlankText) => WorkError::Blank,
            other => WorkError::Model(other.to_string()),
        }
    }
}

type Answer<T> = Result<T, WorkError>;

/// What a thread is asked for.
enum Task {
    Judge { comment: Box<Comment>, source: Arc<str>, keep: bool, reply: oneshot::Sender<Answer<Verdict>> },
    Record { text: String, reply: oneshot::Sender<Answer<LabelledText>> },
    Words { comment: Box<Comment>, words: usize, reply: oneshot::Sender<Answer<Vec<Word>>> },
    Paragraphs { text: String, words: usize, reply: oneshot::Sender<Answer<Vec<LabelledPart>>> },
    Blocks { html: String, words: usize, reply: oneshot::Sender<Answer<Vec<LabelledPart>>> },
}

impl Task {
    fn bytes(&self) -> usize {
        match self {
            Task::Judge { comment, .. } => comment.body().len(),
            Task::Words { comment, .. } => EXPLAINED * comment.body().len(),
            Task::Record { text, .. } => text.len(),
            Task::Paragraphs { text: long, words, .. } | Task::Blocks { html: long, words, .. } => {
                if *words > 0 {
                    EXPLAINED * long.len()
                } else {
                    long.len()
                }
            }
        }
    }

    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool {
        match self {
            Task::Judge { reply, .. } => reply.is_closed(),
            Task::Record { reply, .. } => reply.is_closed(),
            Task::Words { reply, .. } => reply.is_closed(),
            Task::Paragraphs { reply, .. } | Task::Blocks { reply, .. } => reply.is_closed(),
        }
    }
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Task>,
    closed: bool,
}

struct Shared {
    waiting: Mutex<Waiting>,
    came: Condvar,
    capacity: usize,
    threads: usize,
}

/// The queue and its threads.
pub(super) struct Work {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads work with.
#[derive(Clone)]
pub(super) struct Tools {
    pub filter: CommentFilter,
    pub desk: Copydesk,
    pub memory: Arc<Memory>,
    pub metrics: Arc<Metrics>,
    pub log: Log,
}

impl Work {
    /// Starts `threads` threads; at most `capacity` texts wait for them.
    ///
    /// # Errors
    /// What the system says where it starts no more threads.
    pub fn start(tools: &Tools, threads: usize, capacity: usize) -> std::io::Result<Work> {
        let shared = Arc::new(Shared { waiting: Mutex::default(), came: Condvar::new(), capacity, threads });
        let work = Work { shared, threads: Mutex::default() };
        for number in 0..threads {
            let (shared, tools) = (Arc::clone(&work.shared), tools.clone());
            let thread = std::thread::Builder::new().name(format!("judge-{number}"));
            let handle = thread.spawn(move || run(&shared, &tools))?;
            lock(&work.threads).push(handle);
        }
        Ok(work)
    }

    /// Judges comments; the answers stand in their order. All of them wait, or none where there is no room.
    pub async fn judge(&self, comments: Vec<Comment>, source: &Arc<str>, keep: bool) -> Answer<Vec<Answer<Verdict>>> {
        let make = |comment, reply| Task::Judge { comment: Box::new(comment), source: Arc::clone(source), keep, reply };
        self.ask(comments, make).await
    }

    /// Labels texts as wholes; the answers stand in their order.
    pub async fn label_records(&self, texts: Vec<String>) -> Answer<Vec<Answer<LabelledText>>> {
        self.ask(texts, |text, reply| Task::Record { text, reply }).await
    }

    /// The words that the spam scores of comments' texts rest on, at most so many; the answers stand in their order.
    pub async fn explain(&self, comments: Vec<Comment>, words: usize) -> Answer<Vec<Answer<Vec<Word>>>> {
        self.ask(comments, |comment, reply| Task::Words { comment: Box::new(comment), words, reply }).await
    }

    /// Labels the paragraphs of a text, and gives at most so many words that each label rests on.
    pub async fn label_paragraphs(&self, text: String, words: usize) -> Answer<Vec<LabelledPart>> {
        self.ask(vec![text], |text, reply| Task::Paragraphs { text, words, reply })
            .await?
            .pop()
            .unwrap_or(Err(WorkError::Lost))
    }

    /// Labels the blocks of an HTML page, with words as [`Work::label_paragraphs`].
    pub async fn label_blocks(&self, html: String, words: usize) -> Answer<Vec<LabelledPart>> {
        self.ask(vec![html], |html, reply| Task::Blocks { html, words, reply })
            .await?
            .pop()
            .unwrap_or(Err(WorkError::Lost))
    }

    async fn ask<I, T>(
        &self,
        inputs: Vec<I>,
        make: impl Fn(I, oneshot::Sender<Answer<T>>) -> Task,
    ) -> Answer<Vec<Answer<T>>> {
        let (tasks, answers): (Vec<_>, Vec<_>) = inputs
            .into_iter()
            .map(|input| {
                let (reply, answer) = oneshot::channel();
                (make(input, reply), answer)
            })
            .unzip();
        self.push(tasks)?;
        let mut given = Vec::with_capacity(answers.len());
        for answer in answers {
            given.push(answer.await.unwrap_or(Err(WorkError::Lost)));
        }
        Ok(given)
    }

    fn push(&self, tasks: Vec<Task>) -> Answer<()> {
        let mut waiting = lock(&self.shared.waiting);
        if waiting.closed || waiting.tasks.len() + tasks.len() > self.shared.capacity {
            return Err(WorkError::Full);
        }
        let several = tasks.len() > 1;
        waiting.tasks.extend(tasks);
        drop(waiting);
        if several {
            self.shared.came.notify_all()
        } else {
            self.shared.came.notify_one()
        }
        Ok(())
    }

    /// The number of texts that wait.
    pub fn waiting(&self) -> usize {
        lock(&self.shared.waiting).tasks.len()
    }

    /// Lets the threads finish what waits, and ends them.
    pub fn finish(&self) {
        lock(&self.shared.waiting).closed = true;
        self.shared.came.notify_all();
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            // A thread that panicked has told so; there is nothing else to do for it.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// What a thread takes; nothing when the queue is closed and empty.
    fn take(&self) -> Vec<Task> {
        let mut waiting = lock(&self.waiting);
        while waiting.tasks.is_empty() && !waiting.closed {
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        // A fair share, so that the other threads find some as well.
        let most = waiting.tasks.len().div_ceil(self.threads).min(BATCH_TASKS);
        let (mut taken, mut bytes) = (Vec::with_capacity(most), 0);
        while taken.len() < most && (taken.is_empty() || bytes < BATCH_BYTES) {
            let Some(task) = waiting.tasks.pop_front() else { break };
            bytes += task.bytes();
            taken.push(task);
        }
        taken
    }
}

fn run(shared: &Shared, tools: &Tools) {
    loop {
        let tasks = shared.take();
        if tasks.is_empty() {
            return;
        }
        tools.metrics.batch(tasks.len());
        let tasks: Vec<Task> = tasks.into_iter().filter(|task| !task.is_abandoned()).collect();
        // A panic is a bug, but of one batch: those who wait for it are told, and the next batch is worked on.
        if catch_unwind(AssertUnwindSafe(|| tools.work(tasks))).is_err() {
            tools.log.error("a batch failed in the server; this is a bug");
        }
    }
}

impl Tools {
    fn work(&self, tasks: Vec<Task>) {
        let (mut comments, mut judged) = (Vec::new(), Vec::new());
        let (mut texts, mut labelled) = (Vec::new(), Vec::new());
        let mut long = Vec::new();
        for task in tasks {
            match task {
                Task::Judge { comment, source, keep, reply } => {
                    comments.push(*comment);
                    judged.push((source, keep, reply));
                }
                Task::Record { text, reply } => {
                    texts.push(text);
                    labelled.push(reply);
                }
                Task::Words { .. } | Task::Paragraphs { .. } | Task::Blocks { .. } => long.push(task),
            }
        }
        // Nobody is left to be told where a reply cannot be sent: the client went away.
        for (answer, (comment, (source, keep, reply))) in
            self.filter.judge(&comments).into_iter().zip(comments.iter().zip(judged))
        {
            let answer =
                answer.map_err(WorkError::from).map(|judgement| self.remember(comment, judgement, &source, keep));
            let _ = reply.send(answer);
        }
        for (answer, reply) in self.desk.label_records(&texts).into_iter().zip(labelled) {
            let _ = reply.send(answer.map_err(WorkError::from));
        }
        for task in long {
            match task {
                Task::Words { comment, words, reply } => drop(reply.send(self.words(&comment, words))),
                Task::Paragraphs { text, words, reply } => drop(reply.send(self.paragraphs(&text, words))),
                Task::Blocks { html, words, reply } => drop(reply.send(self.blocks(&html, words))),
                Task::Judge { .. } | Task::Record { .. } => {}
            }
        }
    }

    fn remember(&self, comment: &Comment, judgement: Judgement, source: &str, keep: bool) -> Verdict {
        let judgement = match self.memory.review(&self.filter, comment, judgement.clone()) {
            Ok(reviewed) => reviewed,
            Err(error) => {
                self.log.error(&format!("earlier decisions cannot be read: {error}"));
                judgement
            }
        };
        self.metrics.verdict(judgement.spam);
        let id = match keep.then(|| self.memory.remember(comment, &judgement, source, now())) {
            Some(Err(error)) => {
                self.log.error(&format!("a verdict cannot be kept: {error}"));
                None
            }
            Some(Ok(id)) => id,
            None => None,
        };
        Verdict { judgement, id }
    }

    fn words(&self, comment: &Comment, words: usize) -> Answer<Vec<Word>> {
        let mut explained = self.filter.explain(std::slice::from_ref(comment), words);
        Ok(words_of(comment.body(), explained.pop().ok_or(WorkError::Lost)??))
    }

    fn paragraphs(&self, text: &str, words: usize) -> Answer<Vec<LabelledPart>> {
        if words == 0 {
            return Ok(self.desk.label(text)?.into_iter().map(|paragraph| part!(paragraph)).collect());
        }
        let explained = self.desk.explain(text, words)?.into_iter();
        Ok(explained.map(|(paragraph, why)| part!(paragraph, words_of(paragraph.text, why.words))).collect())
    }

    fn blocks(&self, html: &str, words: usize) -> Answer<Vec<LabelledPart>> {
        if words == 0 {
            return Ok(self.desk.label_html(html)?.into_iter().map(|block| part!(block)).collect());
        }
        let explained = self.desk.explain_html(html, words)?.into_iter();
        Ok(explained.map(|(block, why)| part!(block, words_of(&block.text, why.words))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(bytes: usize) -> Task {
        Task::Record { text: "x".repeat(bytes), reply: oneshot::channel().0 }
    }

    fn shared(threads: usize, tasks: Vec<Task>) -> Shared {
        let waiting = Mutex::new(Waiting { tasks: tasks.into(), closed: true });
        Shared { waiting, came: Condvar::new(), capacity: 100, threads }
    }

    #[test]
    fn threads_take_fair_shares_and_not_too_many_bytes() {
        let queue = shared(2, (0..9).map(|_| task(1)).collect());
        assert_eq!([queue.take().len(), queue.take().len(), queue.take().len()], [5, 2, 1]);
        let queue = shared(1, (0..100).map(|_| task(1)).collect());
        assert_eq!(queue.take().len(), BATCH_TASKS);
        let queue = shared(1, vec![task(BATCH_BYTES), task(1), task(1)]);
        assert_eq!([queue.take().len(), queue.take().len(), queue.take().len()], [1, 2, 0]);
    }

    #[test]
    fn a_full_queue_takes_nothing_of_a_request() {
        let mut queue = shared(1, Vec::new());
        queue.capacity = 2;
        queue.waiting.get_mut().unwrap().closed = false;
        let work = Work { shared: Arc::new(queue), threads: Mutex::default() };
        assert!(work.push(vec![task(1)]).is_ok());
        assert!(matches!(work.push(vec![task(1), task(1)]), Err(WorkError::Full)));
        assert_eq!(work.waiting(), 1);
    }
}
