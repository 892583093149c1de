"""Setting a member of a JSON file changes that member and not one byte more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clients import jsonfile
from gateway.clients.jsonfile import UneditableError, parse, set_member

ENTRY = {"command": "gateway", "args": ["serve"]}


def edited(text: str, *, comments: bool = True) -> str:
    return set_member(text, "mcpServers", "mine", ENTRY, comments=comments)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "mcpServers": {\n    "mine": {"..."}\n  }\n}\n'),
        ("{}", '{\n  "mcpServers": {\n    "mine": {"..."}\n  }\n}'),
        ('{\n\t"x": 1.0\n}\n', '{\n\t"x": 1.0,\n\t"mcpServers": {\n\t\t"mine": {"..."}\n\t}\n}\n'),
        (
            '{\n    "mcpServers": {\n        "o": [1, 2]\n    },\n    "x": "\\u00e9"\n}\n',
            '{\n    "mcpServers": {\n        "o": [1, 2],\n        "mine": {"..."}\n    },\n    "x": "\\u00e9"\n}\n',
        ),
        (
            '{\r\n  "mcpServers": {\r\n    "mine": {\r\n      "old": 1\r\n    }\r\n  }\r\n}\r\n',
            '{\r\n  "mcpServers": {\r\n    "mine": {"..."}\r\n  }\r\n}\r\n',
        ),
        (
            '// top\n{\n  "mcpServers": {\n    "o": {}, // tail\n  },\n}\n',
            '// top\n{\n  "mcpServers": {\n    "o": {}, // tail\n    "mine": {"..."}\n  },\n}\n',
        ),
        (
            '{\n  "mcpServers": {\n    "o": {} // no, comma\n  }\n}\n',
            '{\n  "mcpServers": {\n    "o": {}, // no, comma\n    "mine": {"..."}\n  }\n}\n',
        ),
        ('{"a": 1, /* last */}', '{"a": 1, "mcpServers": {"mine": {"..."}}, /* last */}'),
    ],
)
def test_everything_around_the_entry_stays_byte_for_byte(before: str, after: str) -> None:
    result = edited(before)
    start, end = after.split('{"..."}')
    assert result.startswith(start)
    assert result.endswith(end)
    assert json.loads(result[len(start) : len(result) - len(end)]) == ENTRY


@given(
    document=st.dictionaries(
        st.text(max_size=5) | st.sampled_from(["mcpServers"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(alphabet='"\\/*,:{}[] \né'),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=10,
        ),
        max_size=4,
    ),
    indent=st.sampled_from([None, 2, 4, "\t"]),
)
def test_whatever_the_file_holds_is_still_there(document: dict[str, object], indent: int | str | None) -> None:
    servers = document.get("mcpServers", {})
    text = json.dumps(document, indent=indent)
    if not isinstance(servers, dict):
        with pytest.raises(UneditableError):
            edited(text, comments=False)
        return
    assert json.loads(edited(text, comments=False)) == {**document, "mcpServers": {**servers, "mine": ENTRY}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1', "line 1, column 8: not valid JSON"),
        ("[]", "not a JSON object"),
        ('{"mcpServers": []}', '"mcpServers" is not a JSON object'),
        ('{"mcpServers": {}, "mcpServers": {}}', 'the key "mcpServers" stands twice'),
        ('{"mcpServers": {"mine": {"a": 1 /* why */}}}', "has comments inside, which would be lost"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": NaN}', "not valid JSON (NaN)"),
    ],
)
def test_what_cannot_be_edited_without_loss_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UneditableError) as refused:
        edited(text)
    assert reason in str(refused.value)


def test_an_edit_that_would_change_anything_else_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonfile, "_insert", lambda *_, **__: json.dumps({"mcpServers": {"mine": ENTRY}}))
    with pytest.raises(UneditableError, match="cannot be edited safely"):
        edited('{"theirs": 1}')


def test_comments_are_refused_where_the_client_cannot_read_them() -> None:
    with pytest.raises(UneditableError):
        parse('{"a": 1} // why', comments=False)
