"""Writes docs/transcript.md: the gateway's own source, reviewed through `gateway serve --local`.

`python -m tests.foreign.transcript` writes the page anew; a test compares it with what happens today. What differs from
run to run (seconds, and how many messages a stream was cut into) is left out.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
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
catalog's digest are left out.

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
"""


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
    answer = inspected["content"][0]["text"]
    inspected["content"][0]["text"] = answer.splitlines()[0] + " [...]"
    return HEAD.format(
        reviewed=REVIEWED, inspector=json.dumps(inspected, indent=2), rows="\n".join(rows), answer=answer
    )


def _inspect(run_node: RunNode, url: str, source: str) -> dict[str, Any]:
    done = run_node(
        "@modelcontextprotocol/inspector", "mcp-inspector", "--cli", url, "--transport", "http", "--method",
        "tools/call", "--tool-name", "code_reviewer", "--tool-arg", f"content={source}",
    )  # fmt: skip
    result: dict[str, Any] = json.loads(done.stdout)
    receipt = result["_meta"][META_KEY]
    receipt["catalog"] = receipt["cost_usd"] = "..."
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


if __name__ == "__main__":
    os.environ.pop("CI", None)
    PAGE.write_text(page(node_runner(Path.home())), "utf-8")
    subprocess.run(["git", "diff", "--stat", "--", str(PAGE)], cwd=CHECKOUT, check=True)
