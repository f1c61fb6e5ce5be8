"""Tables of other libraries, in and out, without importing any that its owner has not."""

from __future__ import annotations

from typing import Any, Callable, Optional

from ._copydesk import Desk
from ._errors import ColumnError


def labelled(desk: Desk, batch: Any, text: str, page: Optional[str], unit: str, plain: bool) -> Any:
    """A table with the columns of its labels, as a table of the same library."""
    arguments = (text, page, unit, plain)
    library, kind = _owner(batch)
    if library == "pyarrow" and kind == "RecordBatch":
        import pyarrow

        return pyarrow.record_batch(desk.label_batch(batch, *arguments))
    if library == "pyarrow" and kind == "Table":
        import pyarrow

        return _whole(pyarrow.table, desk.label_stream(batch, *arguments))
    if library == "pyarrow" and kind == "RecordBatchReader":
        import pyarrow

        return pyarrow.RecordBatchReader.from_stream(desk.label_stream(batch, *arguments))
    if library == "polars" and kind == "DataFrame":
        import polars

        return _whole(polars.DataFrame, desk.label_stream(batch, *arguments))
    if library == "pandas" and kind == "DataFrame":
        import pandas
        import pyarrow

        table = pyarrow.Table.from_pandas(batch)
        result = _whole(pyarrow.table, desk.label_stream(table, *arguments)).to_pandas()
        return result if isinstance(result, pandas.DataFrame) else pandas.DataFrame(result)
    # A batch in memory has both; then it comes back as a batch.
    if hasattr(batch, "__arrow_c_array__"):
        return desk.label_batch(batch, *arguments)
    if hasattr(batch, "__arrow_c_stream__"):
        return desk.label_stream(batch, *arguments)
    raise ColumnError(
        f"expected a table with __arrow_c_array__ or __arrow_c_stream__, got {type(batch).__module__}.{type(batch).__name__}"
    )


def _owner(batch: Any) -> "tuple[str, str]":
    kind = type(batch)
    return kind.__module__.partition(".")[0], kind.__name__


def _whole(read: Callable[[Any], Any], stream: Any) -> Any:
    """What a library reads of a stream; a signal that came meanwhile is raised as itself."""
    try:
        return read(stream)
    except Exception as error:
        stream.raise_signal()
        # Each library has an exception of its own for a stream that fails.
        raise ColumnError(str(error)) from error
