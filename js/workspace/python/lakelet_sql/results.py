"""Results on disk: a folder with a file for each chunk, named by its number."""

import csv
import io
import os

import pyarrow as pa

from .errors import SqlError
from .render import column_json, column_texts, dumps

# Bytes after which a chunk ends.
CHUNK_BYTES = 4 << 20
# Rows that are rendered at a time.
STEP = 1024


class Chunks:
    """Writes the rows of a result to chunks, up to its limits."""

    def __init__(self, folder, names, form, limits):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.names, self.form = folder, names, form
        self.row_limit, self.byte_limit, self.chunk_rows = limits["row_limit"], limits["byte_limit"], limits["chunk_rows"]
        self.chunks = []
        self.truncated = False
        self.pieces, self.rows, self.bytes = [], 0, 0
        self.total_rows, self.total_bytes = 0, 0

    def add(self, batch):
        """Takes a batch of rows. Returns whether more are wanted."""
        for start in range(0, batch.num_rows, STEP):
            if not self._step(batch.slice(start, STEP)):
                return False
        return True

    def _step(self, batch):
        if self.row_limit is not None and self.total_rows + batch.num_rows > self.row_limit:
            self.truncated = True
            batch = batch.slice(0, self.row_limit - self.total_rows)
        pieces = [batch] if self.form == "ARROW_STREAM" else self._texts(batch)
        for piece in pieces:
            size = piece.nbytes if self.form == "ARROW_STREAM" else len(piece.encode())
            if self.byte_limit is not None and self.total_bytes + size > self.byte_limit:
                self.truncated = True
                return False
            if self.rows > 0 and (self.bytes + size > CHUNK_BYTES or self.rows == self.chunk_rows):
                self._end()
            rows = batch.num_rows if self.form == "ARROW_STREAM" else 1
            self.pieces.append(piece)
            self.rows += rows
            self.bytes += size
            self.total_rows += rows
            self.total_bytes += size
        return not self.truncated

    def _texts(self, batch):
        if self.form == "rows":
            columns = [column_json(column) for column in batch.columns]
            return [dumps(dict(zip(self.names, row))) + "\n" for row in zip(*columns)]
        columns = [column_texts(column) for column in batch.columns]
        if self.form == "JSON_ARRAY":
            return [dumps(row) for row in zip(*columns)]
        return [csv_line("null" if value is None else value for value in row) for row in zip(*columns)]

    def _end(self):
        with open(os.path.join(self.folder, str(len(self.chunks))), "wb") as file:
            if self.form == "ARROW_STREAM":
                with pa.ipc.new_stream(file, self.pieces[0].schema) as stream:
                    for batch in self.pieces:
                        stream.write_batch(batch)
            elif self.form == "JSON_ARRAY":
                file.write(b"[" + ",".join(self.pieces).encode() + b"]")
            else:
                header = csv_line(self.names) if self.form == "CSV" and not self.chunks else ""
                file.write((header + "".join(self.pieces)).encode())
            self.bytes = file.tell()
        self.chunks.append({"rows": self.rows, "bytes": self.bytes})
        self.pieces, self.rows, self.bytes = [], 0, 0

    def finish(self):
        if self.rows > 0:
            self._end()
        return {"chunks": self.chunks, "truncated": self.truncated}


def csv_line(values):
    """A line by RFC 4180."""
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def write(batches, columns, folder, form, limits, stop):
    """Writes record batches to chunks and returns what is in them. `stop` is asked whether to give up.

    Of the limits, `row_limit` and `byte_limit` cut the result, `max_bytes` makes the statement fail, and `chunk_rows` ends a chunk.
    """
    chunks = Chunks(folder, [column["name"] for column in columns], form, limits)
    max_bytes = limits["max_bytes"]
    for batch in batches:
        if stop():
            break
        more = chunks.add(batch)
        if max_bytes is not None and chunks.total_bytes > max_bytes:
            raise SqlError(
                "INLINE_BYTE_LIMIT_EXCEEDED",
                "54000",
                f"Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result size of at most {max_bytes} "
                "bytes. Please execute the statement with disposition=EXTERNAL_LINKS if you want to download the full result.",
            )
        if not more:
            break
    return {"columns": columns, **chunks.finish()}
