"""A table of a report as bytes and back: Arrow's stream format, so that types, missing values and order stay."""

import pandas as pd
import pyarrow as pa


def to_bytes(frame: pd.DataFrame) -> bytes:
    """The rows of ``frame``; the names of its rows are not kept."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def from_bytes(rows: bytes) -> pd.DataFrame:
    """What ``to_bytes`` was given."""
    frame: pd.DataFrame = pa.ipc.open_stream(rows).read_pandas()
    return frame
