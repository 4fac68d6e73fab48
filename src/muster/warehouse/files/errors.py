"""What can be wrong with a file or its mapping.

MusterError
  FileError
    EncodingUnreadable   encoding_unreadable
    FileUnreadable       file_unreadable
    ColumnUnknown        column_unknown
    MappingInvalid       mapping_invalid
    DateAmbiguous        date_ambiguous
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class FileError(MusterError):
    code = "file_unreadable"


class EncodingUnreadable(FileError):
    code = "encoding_unreadable"


class FileUnreadable(FileError):
    code = "file_unreadable"


class ColumnUnknown(FileError):
    code = "column_unknown"


class MappingInvalid(FileError):
    code = "mapping_invalid"


class DateAmbiguous(FileError):
    code = "date_ambiguous"
