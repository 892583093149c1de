"""The request of `api: invoke`: JSON whose texts are templates, so that no argument can break out of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from gateway.catalog.combinations import BODY_VARIABLES
from gateway.catalog.specialists import ConverseSpecialist, PromptSource
from gateway.prompts.library import Library
from gateway.prompts.rendering import PLAIN, Template
from gateway.prompts.sandbox import PromptEnvironment

_ONE_NAME: Final = re.compile(r"\s*\{\{-?\s*(?P<name>[A-Za-z_]\w*)\s*-?\}\}\s*", re.ASCII)


class Body:
    """A specialist's `body`, with everything its templates include.

    `straight_line` is whether there is no loop and no macro in them, as of `Prompts`.
    """

    def __init__(self, specialist: ConverseSpecialist, root: Path, environment: PromptEnvironment = PLAIN) -> None:
        """Raises PromptError if a template includes what is not there. `body` has to be there."""
        self._defaults = {name: schema["default"] for name, schema in specialist.inputs.items() if "default" in schema}
        self._variables = (*specialist.inputs, *BODY_VARIABLES)
        library = Library(root)
        self._body = _compiled(specialist.body, library, environment)
        every = list(_templates(self._body))
        self.straight_line = all(each.straight_line for each in every)
        self.included: Mapping[str, str] = {path: text for each in every for path, text in each.included.items()}

    def render(self, arguments: Mapping[str, Any], *, system_prompt: str, user_prompt: str) -> dict[str, Any]:
        """The request's JSON for these arguments and the prompts that were rendered from them. Raises PromptError.

        A text that is one `{{ name }}` and nothing else becomes that argument's value, of whatever type it is.
        """
        prompts = {"system_prompt": system_prompt, "user_prompt": user_prompt}
        values = {**self._defaults, **arguments, **prompts}
        return {key: self._rendered(each, values) for key, each in self._body.items()}

    def _rendered(self, value: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(value, Template):
            single = _ONE_NAME.fullmatch(value.source.text)
            if single is not None and single["name"] in values:
                return values[single["name"]]
            return value.render(values, self._variables)
        if isinstance(value, dict):
            return {key: self._rendered(each, values) for key, each in value.items()}
        return [self._rendered(each, values) for each in value] if isinstance(value, list) else value


def _compiled(value: Any, library: Library, environment: PromptEnvironment) -> Any:
    """The body with each of its texts as a template, in dicts and lists."""
    if isinstance(value, PromptSource):
        return Template(value, library, environment)
    if isinstance(value, Mapping):
        return {key: _compiled(each, library, environment) for key, each in value.items()}
    return [_compiled(each, library, environment) for each in value] if isinstance(value, tuple) else value


def _templates(value: Any) -> Iterator[Template]:
    if isinstance(value, Template):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _templates(each)
