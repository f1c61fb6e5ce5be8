"""The labeller."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, Dict, Iterable, List, Optional, Tuple, Union

from . import _comments, _copydesk, _frames, _threads
from ._errors import OptionError
from ._types import Block, Judgement, Paragraph, Record

_Key = Tuple[Any, ...]

#: The models that this process has opened, by what they were asked for.
_opened: Dict[_Key, _copydesk.Desk] = {}
_lock = threading.Lock()


def _unlock_in_child() -> None:
    global _lock
    # Another thread of the parent may hold it, and does not exist in the child.
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock_in_child)


def _desk(key: _Key) -> _copydesk.Desk:
    with _lock:
        desk = _opened.get(key)
        if desk is None:
            model, paragraphs, region, furniture, any_language = key
            desk = _copydesk.Desk(model, 1, paragraphs, region, furniture, any_language)
            _opened[key] = desk
        return desk


class Labeler:
    """Labels texts with a model.

    A process opens each model once, however many labellers it makes of it, and a labeller may be used from several threads at
    once. It can be pickled: what is sent is the name of the model, and the process that receives it opens the model itself, so a
    labeller may stand in a function that Ray, Spark or ``multiprocessing`` sends to its workers. It works in a process that was
    forked after the model was opened as well.

    The interpreter lock is free while texts are labelled, and Ctrl-C ends the work within about a second of a thread's work.

    The answers are those of the command ``copydesk label``, which writes six decimals of a score, and have the same bits whatever the
    number of threads.

    Args:
        model: ``"auto"``, ``"fast"``, ``"nano"`` or ``"base"``, which are built in, the path of a folder with a model of your own or
            of others, or ``"hf:OWNER/NAME"``, a classifier of the Hugging Face hub, which is fetched once.
        threads: Threads to work with. By default the environment variable ``COPYDESK_THREADS``, else ``OMP_NUM_THREADS`` (Ray and
            Spark set it for their workers), else 1 in a process that was started by ``multiprocessing``, else the cores that the
            process may use.
        paragraphs: How texts are cut: ``"auto"``, ``"blank"`` (at blank lines), ``"line"`` (each line) or ``"layout"``.
        region: Where on their pages all texts stand, if that is known: ``"article"``, ``"comment"`` or ``"furniture"``.
        furniture: ``False`` leaves the label of page furniture out; the other scores are scaled to sum to 1.
        any_language: Take the model's word for texts in any language. For models of your own that know other languages.

    Raises:
        ModelError: The model cannot be opened.
        OptionError: An argument has a value that it cannot have.

    >>> import copydesk
    >>> labeler = copydesk.Labeler("fast")
    >>> [(p.label, p.text) for p in labeler.label("The council voted 7 to 2 on Monday.\\n\\nOh boo hoo. Stop whining.")]
    [('reporting', 'The council voted 7 to 2 on Monday.'), ('opinion', 'Oh boo hoo. Stop whining.')]
    """

    def __init__(
        self,
        model: Union[str, "os.PathLike[str]"] = "auto",
        *,
        threads: Optional[int] = None,
        paragraphs: str = "auto",
        region: Optional[str] = None,
        furniture: bool = True,
        any_language: bool = False,
    ) -> None:
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise OptionError(f"threads: expected a number from 1, got {threads!r}")
        self._key: _Key = (os.fspath(model), paragraphs, region, bool(furniture), bool(any_language))
        self._threads = threads
        self._cached: Optional[Tuple[int, _copydesk.Desk]] = None
        _desk(self._key)

    def _with_threads(self) -> _copydesk.Desk:
        """The model with the number of threads of this process, which a fork changes."""
        process = os.getpid()
        if self._cached is None or self._cached[0] != process:
            threads = _threads.usual() if self._threads is None else self._threads
            self._cached = (process, _desk(self._key).with_threads(threads))
        return self._cached[1]

    @property
    def model(self) -> str:
        """The model as it was asked for."""
        return str(self._key[0])

    @property
    def threads(self) -> int:
        """Threads that are used in this process."""
        return _threads.usual() if self._threads is None else self._threads

    @property
    def labels(self) -> List[str]:
        """Names of the model's labels, in the order of its scores."""
        return _desk(self._key).labels()

    @property
    def spam_threshold(self) -> float:
        """The score from which :meth:`spam` calls a comment spam, where no other threshold is given."""
        return _desk(self._key).spam_threshold()

    def label(self, text: str) -> List[Paragraph]:
        """The paragraphs of a text, each read beside its neighbours.

        Args:
            text: Any length. A text of nothing but blanks has no paragraphs. As for the command, a line of more than 16 MiB gets
                none.

        Returns:
            The paragraphs in order.

        Raises:
            NotTextError: ``text`` is no ``str``.
            InputError: ``text`` has half of a surrogate pair.
        """
        return self._with_threads().label(text)

    def label_many(self, texts: Iterable[str]) -> List[List[Paragraph]]:
        """As :meth:`label`, for many texts at once, which is quicker: threads and batches are shared between them.

        Args:
            texts: The texts, each a page of its own.

        Returns:
            A list for each text, in the order of the texts.

        Raises:
            NotTextError: One of them is no ``str``; the message names its number.
            InputError: One of them has half of a surrogate pair.
        """
        return self._with_threads().label_many(texts)

    def label_records(self, texts: Iterable[str]) -> List[Record]:
        """Labels whole texts, such as comments, each read alone: ``copydesk label --unit record``.

        Args:
            texts: The texts.

        Returns:
            A record for each text, in the order of the texts. One without a character that shows, or of more than 16 MiB, has no
            label, and a reason.

        Raises:
            NotTextError: One of them is no ``str``; the message names its number.
            InputError: One of them has half of a surrogate pair.
        """
        return self._with_threads().label_records(texts)

    def pages(self, pages: Iterable[Iterable[str]]) -> List[List[Record]]:
        """Labels whole texts beside the others of their page: ``copydesk label --unit record --page-field``.

        Args:
            pages: For each page its texts in their order, such as the paragraphs of an article.

        Returns:
            For each page a record for each text.

        Raises:
            NotTextError: One of them is no ``str``.
            InputError: One of them has half of a surrogate pair.
        """
        return self._with_threads().label_pages(pages)

    def label_html(self, page: str) -> List[Block]:
        """The blocks of text of an HTML page with their labels, and which of them are its main content.

        Args:
            page: The source of the page.

        Returns:
            The blocks in order.

        Raises:
            NotTextError: ``page`` is no ``str``.
            InputError: ``page`` has half of a surrogate pair.
        """
        return self._with_threads().label_html(page)

    def spam(
        self, comments: Iterable[Union[str, Mapping[str, Any]]], *, threshold: Optional[float] = None
    ) -> List[Judgement]:
        """Tells spam from genuine comments by all that is known of them: ``copydesk filter``.

        Args:
            comments: Texts, or dictionaries with ``text`` (or ``html``) and whatever is known of ``author``, ``author_url``,
                ``author_email`` (its domain is read), ``page_title`` and ``page_text``. The names that blog systems and their
                exports use are known as well, as to the command.
            threshold: The score from which a comment is spam; by default :attr:`spam_threshold`, at which about one genuine
                comment in 200 is lost.

        Returns:
            A judgement for each comment, in their order.

        Raises:
            NotTextError: A comment is neither ``str`` nor a mapping, or has no text.
            ModelError: The model has no label for spam.
        """
        return self._with_threads().spam(_comments.given(comments), threshold)

    def label_arrow(
        self,
        batch: Any,
        *,
        text: str = "text",
        page: Optional[str] = None,
        unit: str = "record",
        plain: bool = False,
    ) -> Any:
        """Labels the rows of an Arrow table, and gives it back with columns behind its own.

        With ``unit="record"`` each row is read whole and gets ``label``, ``confidence``, ``scores`` (a structure with a field for
        each label), ``tokens``, ``windows``, ``lang`` and ``reason``, as in the tables of the command. A row whose text is null or
        blank has null in all of them but ``reason``.

        With ``unit="paragraph"`` each row's text is cut into paragraphs. The row gets ``paragraphs``, a list of structures with
        ``start`` and ``end`` (bytes of UTF-8) and the columns above, and ``reason``, which says why there is no list.

        A column of the input that has one of these names is renamed, ``input_label`` and so on. Nothing is copied but the new
        columns.

        Args:
            batch: A batch or table of pyarrow, Polars or pandas, or anything else with ``__arrow_c_array__`` or
                ``__arrow_c_stream__``. pyarrow need not be installed.
            text: Name of the column with the texts: string, large string, string view, or a dictionary of them.
            page: Name of a column of texts or whole numbers: neighbouring rows with the same value are read together, also where
                they stand in two batches of a stream. A column ``source``, if there is one, tells pages of one name apart.
            unit: ``"record"`` or ``"paragraph"``.
            plain: Give ``label`` as a string and counts as signed integers, for engines that take neither dictionaries nor
                unsigned numbers, such as Spark.

        Returns:
            What came in: a ``RecordBatch`` for a ``RecordBatch``, a table for a table, a reader, which labels as it is read, for a
            reader, a data frame for a data frame. For anything else an object with ``__arrow_c_array__`` or
            ``__arrow_c_stream__``; a stream labels as it is read, once.

        Raises:
            ColumnError: A column is not there or has another type, or the data are damaged.
        """
        return _frames.labelled(self._with_threads(), batch, text, page, unit, plain)

    def __reduce__(self) -> Tuple[Any, ...]:
        return (_again, (self._key, self._threads))

    def __repr__(self) -> str:
        return f"Labeler({self.model!r}, threads={self.threads})"


def _again(key: _Key, threads: Optional[int]) -> Labeler:
    model, paragraphs, region, furniture, any_language = key
    return Labeler(
        model, threads=threads, paragraphs=paragraphs, region=region, furniture=furniture, any_language=any_language
    )
