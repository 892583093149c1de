"""Writes docs/transcript.md: `gateway serve --local` reviews the gateway's own source, and answers a call of each kind.

`python -m tests.foreign.transcript` writes the page anew; a test compares it with what happens today. What differs from
run to run (seconds, and how many messages a stream was cut into) is left out.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from gateway.consult.receipt import META_KEY
from tests.foreign.conftest import RunNode, node_runner
from tests.processes import GATEWAY, clean_environment, gateway

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "transcript.md"
REVIEWED = "cli.py"

HEAD = """\
# A transcript

The gateway's own `{reviewed}`, reviewed by the sample `code_reviewer` through `gateway serve --local`, so without AWS
and without a model: the answer is the local endpoint's, which says so and quotes what a model would have received.
`python -m tests.foreign.transcript` writes this page, and a test compares it with what happens. Seconds, cost and the
catalog's digest are left out. At its end a sample of each kind is called.

## A client that is not ours, over HTTP

The MCP Inspector's command line, from npm, against `gateway serve --local --http`:

```text
npx @modelcontextprotocol/inspector --cli http://127.0.0.1:8000/mcp --transport http \\
  --method tools/call --tool-name code_reviewer --tool-arg "content=$(cat {reviewed})"
```

```json
{inspector}
```

## FastMCP's client, in both protocol eras, over stdio and HTTP

Each call sent a progress token. The messages together are the answer, to the letter.

| transport | protocol | streamed | messages = answer | answer's SHA-256 begins |
| --- | --- | --- | --- | --- |
{rows}

The answer, the same in all of them:

```text
{answer}
```

## A sample of each kind

The same client over HTTP, without a progress token. Handles, which are random, are left out.

| specialist | passed in | text | beside it | receipt | protocols |
| --- | --- | --- | --- | --- | --- |
{kinds}
"""


CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("invoice_reader", {"invoice": "data:text/plain,Invoice%20A-17%2C%20120%20EUR"}),
    ("devils_advocate", {"content": "We launch on Friday."}),
    ("devils_advocate", {"content": "At noon, with the whole team."}),
    ("launch_counsel", {"content": "May we launch on Friday?"}),
    ("order_desk", {"content": "Where is order 17?"}),
    ("order_desk", {"content": "Write it down.\n/file order.csv"}),
    ("order_desk", {"content": "Cancel it.\n/call orders.cancel number=17"}),
    ("text_embedder", {"texts": ["an overdue invoice", "a cat on the roof"]}),
    ("illustrator", {"content": "A lighthouse at night.", "seed": 7}),
)
"""A specialist that is called twice goes on with the handle that it gave."""
_HANDLE = re.compile(r"\[(session|conversation): (\S+)\]$")


def page(run_node: RunNode) -> str:
    """The page as it would be written now."""
    source = (CHECKOUT / REVIEWED).read_text("utf-8")
    with gateway("serve", "--local", "--http", "--port", "0", cwd=CHECKOUT) as process:
        url = process.url()
        inspected = _inspect(run_node, url, source)
        targets = {
            "HTTP": lambda: url,
            "stdio": lambda: StdioTransport(
                GATEWAY, ["serve", "--local", "--catalog", str(CHECKOUT)], env=clean_environment(), keep_alive=False
            ),
        }
        rows = [
            asyncio.run(_consult(transport, target, era, source))
            for transport, target in targets.items()
            for era in ("auto", "legacy")
        ]
        kinds = asyncio.run(_kinds(url))
    answer = inspected["content"][0]["text"]
    inspected["content"][0]["text"] = answer.splitlines()[0] + " [...]"
    return HEAD.format(
        reviewed=REVIEWED,
        inspector=json.dumps(inspected, indent=2),
        rows="\n".join(rows),
        answer=answer,
        kinds="\n".join(kinds),
    )


def _inspect(run_node: RunNode, url: str, source: str) -> dict[str, Any]:
    done = run_node(
        "@modelcontextprotocol/inspector", "mcp-inspector", "--cli", url, "--transport", "http", "--method",
        "tools/call", "--tool-name", "code_reviewer", "--tool-arg", f"content={source}",
    )  # fmt: skip
    result: dict[str, Any] = json.loads(done.stdout)
    receipt = result["_meta"][META_KEY]
    receipt["catalog"] = receipt["cost_usd"] = receipt["total"]["cost_usd"] = "..."
    receipt["seconds"] = receipt["first_token_s"] = receipt["attempts"][0]["seconds"] = "..."
    return result


async def _consult(transport: str, target: Callable[[], Any], era: str, source: str) -> str:
    heard: list[str] = []

    async def hear(_value: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with Client(target(), mode=era) as client:
        result = await client.call_tool("code_reviewer", {"content": source}, progress_handler=hear)
        version = client.session.protocol_version
    text = result.content[0].text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    same = "yes" if "".join(heard) == text else "NO"
    return f"| {transport} | {version} | {'yes' if len(heard) > 1 else 'NO'} | {same} | `{digest}` |"


async def _kinds(url: str) -> list[str]:
    """A row for each call of a kind, made in both eras at the same time."""
    return _in_both(*await asyncio.gather(_each_kind(url, "auto"), _each_kind(url, "legacy")))


async def _each_kind(url: str, era: str) -> tuple[str, list[str]]:
    """The protocol of that era, and a row for each call without it."""
    rows, handles = [], dict[str, dict[str, str]]()
    async with Client(url, mode=era) as client:
        for name, arguments in CALLS:
            handle = handles.get(name, {})
            result = await client.call_tool(name, {**arguments, **handle})
            if found := _HANDLE.search(result.content[0].text):
                handles[name] = {found[1]: found[2]}
            passed = _cell(json.dumps({**arguments, **dict.fromkeys(handle, "...")}), code=True)
            shown = (f"`{name}`", passed, _text(result), _beside(result), _receipt(result.meta[META_KEY]))
            rows.append(" | ".join(shown))
        return str(client.session.protocol_version), rows


def _in_both(*eras: tuple[str, list[str]]) -> list[str]:
    """Each row with the protocols in which it came out like this."""
    numbered = {
        (number, row): [version for version, others in eras if others[number] == row]
        for _, rows in eras
        for number, row in enumerate(rows)
    }
    return [
        f"| {row} | {', '.join(versions)} |" for (_, row), versions in sorted(numbered.items(), key=lambda e: e[0][0])
    ]


def _text(result: Any) -> str:
    """How it begins, and its handle: what a search of the documentation finds changes with that."""
    text = result.content[0].text
    handle = _HANDLE.search(text)
    return _cell(text.splitlines()[0]) + (f" [...] [{handle[1]}: ...]" if handle else "")


def _beside(result: Any) -> str:
    data = result.structured_content
    parts = []
    if data is not None and "embeddings" in data:
        parts.append(f"{len(data['embeddings'])} vectors of {data['dimensions']} numbers")
    elif data is not None:
        parts.append(f"data: {', '.join(data)}")
    for block in result.content[1:]:
        if block.type == "image":
            parts.append(f"{block.mime_type}, as an image")
        elif block.type == "resource":
            parts.append(f"{block.resource.mime_type}, as `{block.resource.uri}`")
    return "; ".join(parts)


def _receipt(receipt: dict[str, Any]) -> str:
    """What of it stays the same whatever the documentation says, which one of them searches."""
    parts = [f"{key} {receipt[key]}" for key in ("seed", "stop_reason") if receipt.get(key) is not None]
    parts += [f"{child['specialist']} below it" for child in receipt["children"]]
    return ", ".join(parts)


def _cell(text: str, *, code: bool = False) -> str:
    short = text if len(text) <= 80 else f"{text[:80]}..."
    escaped = short.replace("|", "\\|")
    return f"`{escaped}`" if code else escaped


if __name__ == "__main__":
    os.environ.pop("CI", None)
    PAGE.write_text(page(node_runner(Path.home())), "utf-8")
    subprocess.run(["git", "diff", "--stat", "--", str(PAGE)], cwd=CHECKOUT, check=True)
