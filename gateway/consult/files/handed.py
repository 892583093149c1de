"""Files of a request that its model hands on to a specialist it consults: it names them, since it cannot write them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.catalog.specialists import Specialist
from gateway.consult.files.encoding import scheme_of
from gateway.consult.files.intake import File, FilesRefused


def with_files(specialist: Specialist, arguments: Mapping[str, Any], files: Sequence[File]) -> dict[str, Any]:
    """The arguments with each file that is named in them in the place of its name.

    A URI stays as it is. Raises FilesRefused for a name that no file of the request has.
    """
    by_label = {each.label: each for each in files}
    given = dict(arguments)
    for name in specialist.files.keys() & given.keys():
        value = given[name]
        given[name] = (
            [_file(each, name, by_label) for each in value]
            if isinstance(value, list)
            else (_file(value, name, by_label))
        )
    return given


def _file(value: Any, name: str, by_label: Mapping[str, File]) -> Any:
    if not isinstance(value, str) or scheme_of(value) is not None:
        return value
    found = by_label.get(value.strip())
    if found is None:
        there = "there are " + ", ".join(by_label) if by_label else "there is none"
        raise FilesRefused(
            f"{name} names no file of this request; {there}. A kb:// URI of a passage may stand there too."
        )
    return f"data:{found.mime_type};base64,{base64.b64encode(found.data).decode()}"
