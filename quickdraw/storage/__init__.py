"""Files, local and on gs://: the room's face. Google's library is imported for gs:// paths only."""

from quickdraw.storage.json_files import read_json, write_json
from quickdraw.storage.lfs import refuse_pointer
from quickdraw.storage.output_check import check_output, refuse_records
from quickdraw.storage.paths import (
    checksum,
    delete,
    exists,
    file_size,
    is_folder,
    is_remote,
    listdir,
    make_folders,
    move,
    open_binary,
    rename,
    staging,
    write_whole,
    writing,
)
from quickdraw.storage.patterns import expand, folders_in, pattern_of, patterns_in
from quickdraw.storage.spreadsheets import safe_cell

__all__ = [
    "check_output",
    "checksum",
    "delete",
    "exists",
    "expand",
    "file_size",
    "folders_in",
    "is_folder",
    "is_remote",
    "listdir",
    "make_folders",
    "move",
    "open_binary",
    "pattern_of",
    "patterns_in",
    "read_json",
    "refuse_pointer",
    "refuse_records",
    "rename",
    "safe_cell",
    "staging",
    "write_json",
    "write_whole",
    "writing",
]
