"""CSV, TSV, Parquet and Arrow files: pyarrow tables, which pandas, polars and DuckDB take."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lake.dataset.codecs.limits import check_bytes

_DELIMITERS = {"text/csv": ",", "text/tab-separated-values": "\t"}


def decode(data: bytes, media_type: str) -> pa.Table:
    """The whole table, in memory; CSV with a header line and types found by pyarrow."""
    if media_type in _DELIMITERS:
        from pyarrow import csv

        options = csv.ParseOptions(delimiter=_DELIMITERS[media_type])
        return csv.read_csv(pa.BufferReader(data), parse_options=options)
    if media_type == "application/vnd.apache.arrow.file":
        with pa.ipc.open_file(pa.BufferReader(data)) as reader:
            return reader.read_all()
    from pyarrow import parquet

    with parquet.ParquetFile(pa.BufferReader(data)) as file:
        groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
        check_bytes(sum(group.total_byte_size for group in groups), "a table")
        return file.read()


def encode(obj: Any, media_type: str) -> bytes:
    """The bytes of a table: pyarrow's, or one of pandas, polars, or a dict of columns."""
    table = obj if isinstance(obj, pa.Table) else pa.table(obj)
    sink = pa.BufferOutputStream()
    if media_type in _DELIMITERS:
        from pyarrow import csv

        csv.write_csv(table, sink, csv.WriteOptions(delimiter=_DELIMITERS[media_type]))
    elif media_type == "application/vnd.apache.arrow.file":
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        from pyarrow import parquet

        parquet.write_table(table, sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data
