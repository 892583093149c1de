"""A specialist made ready for its calls: the check of its arguments, its files, and its templates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.catalog.entries import Catalog
from gateway.catalog.specialists import Specialist
from gateway.consult.arguments import Arguments
from gateway.consult.files import File, FileInputs, Linked
from gateway.consult.trip import Prepared
from gateway.errors import GatewayError
from gateway.prompts import Body, Prompts


class Desk:
    """Made when the specialist is first asked, and kept."""

    def __init__(self, specialist: Specialist, prompts: Prompts) -> None:
        self._name = specialist.name
        self._arguments = Arguments(specialist)
        self._files = FileInputs(specialist)
        self._prompts = prompts

    def is_quick(self, arguments: Mapping[str, Any]) -> bool:
        """Whether `prepare` takes so little time for these arguments that an event loop may wait for it."""
        return self._prompts.straight_line and not self._arguments.needs_thread(arguments)

    def prepare(self, arguments: Mapping[str, Any]) -> Prepared:
        """The checked arguments, their files and the prompts.

        Raises GatewayError, in a sentence that names the specialist.
        """
        checked = self._arguments.check(arguments)
        checked, files = self._files.take(checked)
        try:
            rendered = self._prompts.render(checked)
        except GatewayError as error:
            raise GatewayError(f"{self._name}: {error}") from None
        if not rendered.texts.get("user_prompt", "-").strip():
            # Bedrock refuses blank text; saying so here costs nothing and names the specialist.
            raise GatewayError(f"{self._name}: its user prompt came out empty: pass some text.")
        return Prepared(
            checked,
            rendered,
            files=tuple(each for each in files if isinstance(each, File)),
            linked=tuple(each for each in files if isinstance(each, Linked)),
        )


def digest_of(catalog: Catalog, templates: Iterable[Prompts | Body]) -> str:
    """The catalog's digest with the files that its templates include, which are no entries of the catalog's own."""
    included = {path: text for each in templates for path, text in each.included.items()}
    if not included:
        return catalog.digest
    digest = hashlib.sha256(catalog.digest.encode())
    for path, text in sorted(included.items()):
        digest.update(f"\0{path}\0{text}".encode())
    return digest.hexdigest()
