"""What `throughput.py` puts into each engine: copydesk, fastText, and a tokenizer of transformers before ONNX Runtime.

Each can be sent to another process: what is sent is a name, and a process opens a model once. Rivals get what suits them: texts of like
length stand in one batch of ONNX Runtime, and its threads are set. fastText has one thread in a process.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pyarrow

ROOT = Path(__file__).resolve().parents[2]
LABELS = ["reporting", "opinion", "comment_spam", "quotation", "other"]
#: Texts that ONNX Runtime reads at once: of 8, 16, 32 and 64 the quickest on short paragraphs.
ONNX_BATCH = 32
LONGEST = 256


class Ours:
    """A model of copydesk through `label_arrow` and its like."""

    def __init__(self, name: str, folder: str, threads: Optional[int]) -> None:
        import copydesk

        self.labeler = copydesk.Labeler(name, threads=threads)

    def arrow(self, table: Any) -> Any:
        return self.labeler.label_arrow(table)

    def plain(self, batch: Any) -> Any:
        return self.labeler.label_arrow(batch, plain=True)

    def reader(self, reader: Any) -> Any:
        return self.labeler.label_arrow(reader)

    def frame(self, frame: Any) -> Any:
        return frame.pipe(self.labeler.label_arrow)

    def texts(self, texts: List[str]) -> List[str]:
        return [record.label for record in self.labeler.label_records(texts)]


class Rival:
    """A model that takes a list of texts, behind the same names."""

    def labels_of(self, texts: List[str]) -> Tuple[List[str], List[float]]:
        """A label and its probability for each text."""
        raise NotImplementedError

    def arrow(self, table: Any) -> Any:
        labels, scores = self.labels_of(table.column("text").to_pylist())
        table = table.append_column("label", pyarrow.array(labels, pyarrow.string()))
        return table.append_column("confidence", pyarrow.array(scores, pyarrow.float32()))

    def plain(self, batch: Any) -> Any:
        return self.arrow(batch)

    def reader(self, reader: Any) -> Any:
        schema = reader.schema.append(pyarrow.field("label", pyarrow.string()))
        schema = schema.append(pyarrow.field("confidence", pyarrow.float32()))
        return pyarrow.RecordBatchReader.from_batches(schema, (self.arrow(batch) for batch in reader))

    def frame(self, frame: Any) -> Any:
        import polars

        labels, scores = self.labels_of(frame["text"].to_list())
        return frame.with_columns(polars.Series("label", labels), polars.Series("confidence", scores, polars.Float32))

    def texts(self, texts: List[str]) -> List[str]:
        return self.labels_of(texts)[0]


class FastText(Rival):
    def __init__(self, name: str, folder: str, threads: Optional[int]) -> None:
        self.path = f"{folder}/fasttext.bin"

    def labels_of(self, texts: List[str]) -> Tuple[List[str], List[float]]:
        model, words = _fasttext(self.path)
        labels, scores = model.predict([words(text) for text in texts])
        return [label[0][len("__label__") :] for label in labels], [float(score[0]) for score in scores]


@functools.lru_cache(maxsize=1)
def _fasttext(path: str) -> Any:
    import fasttext

    _rivals()
    from shallow import words

    return fasttext.load_model(path), words


class Onnx(Rival):
    """The encoder of `fast` as a graph with 8-bit integers; no copydesk is in it."""

    def __init__(self, name: str, folder: str, threads: Optional[int]) -> None:
        self.key = (folder, threads or 1)

    def labels_of(self, texts: List[str]) -> Tuple[List[str], List[float]]:
        import numpy

        tokenizer, session = _onnx(*self.key)
        ids = tokenizer(texts, truncation=True, max_length=LONGEST, return_attention_mask=False)["input_ids"]
        order = sorted(range(len(texts)), key=lambda index: len(ids[index]))
        logits = numpy.empty((len(texts), len(LABELS)), numpy.float32)
        for first in range(0, len(order), ONNX_BATCH):
            batch = order[first : first + ONNX_BATCH]
            longest = len(ids[batch[-1]])
            tokens = numpy.zeros((len(batch), longest), numpy.int64)
            mask = numpy.zeros_like(tokens)
            for row, index in enumerate(batch):
                tokens[row, : len(ids[index])] = ids[index]
                mask[row, : len(ids[index])] = 1
            logits[batch] = session.run(None, {"ids": tokens, "mask": mask})[0]
        scores = numpy.exp(logits - logits.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
        return [LABELS[best] for best in scores.argmax(1)], scores.max(1).tolist()


class Nothing(Rival):
    """Gives every text the same label: what is left is the engine's own work."""

    def __init__(self, name: str, folder: str, threads: Optional[int]) -> None:
        self.label = LABELS[-1]

    def labels_of(self, texts: List[str]) -> Tuple[List[str], List[float]]:
        return [self.label] * len(texts), [1.0] * len(texts)


@functools.lru_cache(maxsize=1)
def _onnx(folder: str, threads: int) -> Any:
    # Read by the tokenizer when it begins.
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    import onnxruntime
    from transformers import PreTrainedTokenizerFast

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that spin while they wait would count as work where a machine is shared.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(f"{folder}/fused_int8.onnx", options, providers=["CPUExecutionProvider"])
    return PreTrainedTokenizerFast(tokenizer_file=f"{folder}/copydesk/tokenizer.json"), session


KINDS: Dict[str, Any] = {"fasttext": FastText, "onnxruntime": Onnx, "nothing": Nothing}


def opened(name: str, folder: str, threads: Optional[int]) -> Any:
    """A labeller; what is no rival is a model of copydesk. Without `threads` it has one in an engine's worker process."""
    return KINDS.get(name, Ours)(name, folder, threads)


class Begin:
    """Notes the clock when a process comes by first, and the time of the processor that it has used until then."""

    def __init__(self, path: str, labeller: Any) -> None:
        self.path, self.labeller, self.process = path, labeller, 0

    def note(self) -> None:
        if self.process != os.getpid():
            self.process = os.getpid()
            # To open the model is a part of the start.
            self.labeller.texts(["The council voted 7 to 2 on Monday."])
            with open(self.path, "a") as file:
                print(time.monotonic(), time.process_time(), file=file)


def prepare(names: List[str], folder: Path) -> None:
    """Makes the rivals' models: fastText learns the rows of `data/`, the graph gets the weights of `fast`."""
    _rivals()
    if "fasttext" in names:
        from shallow import FastText as Trained

        lines = (ROOT / "data" / "labels.jsonl").read_text(encoding="utf-8").splitlines()
        Trained([json.loads(line) for line in lines], folder).model.save_model(str(folder / "fasttext.bin"))
    if "onnxruntime" in names:
        import build

        config, weights = build.copydesk_folder(ROOT / "models" / "fast", folder)
        build.onnx_models(config, weights, folder)


def _rivals() -> None:
    path = str(ROOT / "benches" / "rivals")
    if path not in sys.path:
        sys.path.insert(0, path)
