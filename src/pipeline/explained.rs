//! Why texts have their labels.

use super::answers::{LabelledBlock, LabelledParagraph, LabelledText};
use super::comments::CommentFilter;
use super::desk::Copydesk;
use super::rejected::LabelError;
use crate::comment::Comment;
use crate::corpus::{InputError, html_passages, page_ranges, passages};
use crate::explain::{Explanation, Question, WordWeight, WrittenPage, explain};
use crate::model::{ModelError, PageText};
use crate::parallel;
use crate::text::model_text;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Texts that one thread explains at once: each is read some twenty times.
const GROUP_TEXTS: usize = 32;

/// Neighbours that an explanation names at most.
pub(crate) const NEIGHBOURS: usize = 3;

impl Copydesk {
    /// Labels the paragraphs of a text as [`Copydesk::label`] does and says of each which words and neighbours its label rests on, at
    /// most `words` words. Takes as long as some twenty labels a paragraph. No explanation depends on the number of threads.
    ///
    /// ```
    /// let desk = copydesk::Copydesk::builder().model("fast").build()?;
    /// let text = "200 free spins, no deposit! Play now at luckyharbour.example";
    /// for (paragraph, explanation) in desk.explain(text, 3)? {
    ///     println!("{} {:.2}", paragraph.label, paragraph.confidence);
    ///     for word in explanation.words {
    ///         println!("{} {:.3}", &paragraph.text[word.span], word.weight);
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Copydesk::label`].
    pub fn explain<'text>(
        &self,
        text: &'text str,
        words: usize,
    ) -> Result<Vec<(LabelledParagraph<'text>, Explanation)>, LabelError> {
        let labelled = self.label(text)?;
        let passages = passages(text, self.cut());
        let (mut texts, mut pages) = (Vec::with_capacity(labelled.len()), Vec::with_capacity(labelled.len()));
        for (number, passage) in passages.iter().enumerate() {
            for paragraph in passage {
                let written = &text[paragraph.span.clone()];
                texts.push(PageText::of(paragraph.text.as_ref(), written).in_region(self.region()));
                pages.push(Some(number));
            }
        }
        let written: Vec<&str> = labelled.iter().map(|paragraph| paragraph.text).collect();
        let explanations = self.explain_texts(&texts, &written, &page_ranges(&pages), self.question(words));
        labelled.into_iter().zip(explanations).map(|(labelled, explanation)| Ok((labelled, explanation?))).collect()
    }

    /// As [`Copydesk::explain`], of the blocks of an HTML page. The spans of the words are those in the text of the block.
    ///
    /// # Errors
    /// As [`Copydesk::label_html`].
    pub fn explain_html(&self, page: &str, words: usize) -> Result<Vec<(LabelledBlock, Explanation)>, LabelError> {
        let labelled = self.label_html(page)?;
        let mut passages = Vec::new();
        html_passages(&Arc::from("-"), page, Vec::new(), &mut |passage| passages.push(passage));
        let (mut texts, mut pages) = (Vec::with_capacity(labelled.len()), Vec::with_capacity(labelled.len()));
        for (number, passage) in passages.iter().enumerate() {
            for (index, span) in passage.paragraphs.iter().enumerate() {
                let Some(block) = passage.block(index) else { continue };
                let text = PageText::of(passage.model_text(index), &passage.text[span.clone()]);
                texts.push(text.in_region(self.region().or(block.region)));
                pages.push(Some(number));
            }
        }
        let written: Vec<&str> = labelled.iter().map(|block| block.text.as_str()).collect();
        let explanations = self.explain_texts(&texts, &written, &page_ranges(&pages), self.question(words));
        let explanations: Result<Vec<Explanation>, ModelError> = explanations.into_iter().collect();
        Ok(labelled.into_iter().zip(explanations?).collect())
    }

    /// As [`Copydesk::explain`], of whole texts, each read alone as [`Copydesk::label_records`] does.
    ///
    /// Errors are those of [`Copydesk::label_records`].
    pub fn explain_records<T: AsRef<str>>(
        &self,
        texts: &[T],
        words: usize,
    ) -> Vec<Result<(LabelledText, Explanation), LabelError>> {
        let labelled = self.label_records(texts);
        let explanations = self.explain_alone(texts, self.question(words));
        labelled.into_iter().zip(explanations).map(|(labelled, explanation)| Ok((labelled?, explanation?))).collect()
    }

    /// Explanations of texts that are read alone.
    fn explain_alone<T: AsRef<str>>(&self, texts: &[T], question: Question) -> Vec<Result<Explanation, LabelError>> {
        let plain: Vec<Cow<'_, str>> = texts.iter().map(|text| model_text(text.as_ref())).collect();
        let used = || plain.iter().zip(texts).filter(|(plain, _)| !plain.is_empty());
        let read: Vec<PageText<'_>> =
            used().map(|(plain, text)| PageText::of(plain.as_ref(), text.as_ref()).in_region(self.region())).collect();
        let written: Vec<&str> = used().map(|(_, text)| text.as_ref()).collect();
        let pages: Vec<Range<usize>> = (0..read.len()).map(|text| text..text + 1).collect();
        let mut explanations = self.explain_texts(&read, &written, &pages, question).into_iter();
        plain
            .iter()
            .map(|text| match text.is_empty() {
                true => Err(InputError::BlankText.into()),
                false => Ok(explanations.next().expect("every text that is used is explained; this is a bug")?),
            })
            .collect()
    }

    fn question(&self, words: usize) -> Question {
        Question { label: None, left_out: self.left_out(), words, neighbours: NEIGHBOURS }
    }

    /// Explanations in the order of the texts; `pages` are ranges that cover them in order.
    fn explain_texts(
        &self,
        texts: &[PageText<'_>],
        written: &[&str],
        pages: &[Range<usize>],
        question: Question,
    ) -> Vec<Result<Explanation, ModelError>> {
        let wanted = vec![true; texts.len()];
        let pages: Vec<WrittenPage<'_>> = pages
            .iter()
            .map(|page| WrittenPage {
                texts: &texts[page.clone()],
                written: &written[page.clone()],
                wanted: &wanted[page.clone()],
            })
            .collect();
        let jobs: Vec<&[WrittenPage<'_>]> = pages.chunks(GROUP_TEXTS).collect();
        let session = || self.model().session();
        let work = |session: &mut _, job: usize| explain(session, jobs[job], question);
        parallel::map_with(self.threads(), jobs.len(), session, work).into_iter().flatten().collect()
    }
}

impl CommentFilter {
    /// The words that the spam score of each comment's text rests on, the heaviest first, at most `words`: what
    /// [`Judgement::text_score`](crate::Judgement::text_score) loses without them. Spans are those in [`Comment::text`], or in its
    /// markup where it has no text.
    ///
    /// Errors are those of [`CommentFilter::judge`].
    pub fn explain(&self, comments: &[Comment], words: usize) -> Vec<Result<Vec<WordWeight>, LabelError>> {
        let bodies: Vec<&str> = comments.iter().map(Comment::body).collect();
        let question = Question { label: Some(self.spam_label()), left_out: None, words, neighbours: 0 };
        let explanations = self.desk().explain_alone(&bodies, question);
        explanations.into_iter().map(|explanation| Ok(explanation?.words)).collect()
    }
}
