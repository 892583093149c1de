"""The files that a caller passes in: taken out of the arguments, checked, and sent as content blocks."""

from gateway.consult.files.intake import File, FileInputs, FilesRefused, Linked

__all__ = ["File", "FileInputs", "FilesRefused", "Linked"]
