"""Where cache points stand in a request, so that Bedrock bills what stays the same once.

https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from gateway.catalog.capabilities import PromptCaching
from gateway.tokens import estimated

Block = Mapping[str, Any]

_TIMES = 2
"""A text has at most about so many times the tokens that are estimated, for a model that counts finely."""


def with_cache_points(request: Mapping[str, Any], caching: PromptCaching, ttl: Literal["5m", "1h"]) -> dict[str, Any]:
    """The request with a cache point after its tools, its system prompts and what its first message is bound to.

    A model reads the tools first, then the system prompts, then the messages. There is no point where the model takes
    none, nor where what stands before it surely has fewer tokens than the model wants: such a point is of no use and
    counts against the four that a request may have.
    """
    cached = dict(request)
    point: Block = {"cachePoint": {"type": "default", **({"ttl": "1h"} if ttl == "1h" and "1h" in caching.ttl else {})}}
    before = 0
    if tools := request.get("toolConfig", {}).get("tools"):
        before += _most_tokens(tools)
        if "tools" in caching.places and before >= caching.minimum:
            cached["toolConfig"] = {**request["toolConfig"], "tools": [*tools, point]}
    if system := request.get("system"):
        before += _most_tokens(system)
        if "system" in caching.places and before >= caching.minimum:
            cached["system"] = [*system, point]
    first, *others = request["messages"]
    bound = _bound(first["content"], caching)
    before += _most_tokens(first["content"][:bound])
    if bound and "messages" in caching.places and before >= caching.minimum:
        content = [*first["content"][:bound], point, *first["content"][bound:]]
        cached["messages"] = [{**first, "content": content}, *others]
    return cached


def _bound(content: Sequence[Block], caching: PromptCaching) -> int:
    """How many blocks stand before what a caller asks, which is the last one, and can have a cache point after them."""
    count = len(content) - 1
    while count > 0 and not _can_end(content[count - 1], caching):
        count -= 1
    return count


def _can_end(block: Block, caching: PromptCaching) -> bool:
    """Bedrock takes no cache point right after a video, nor after most documents."""
    if document := block.get("document"):
        return document.get("format") in caching.documents
    return "video" not in block


def _most_tokens(blocks: Sequence[Block]) -> int:
    """More tokens than these blocks have, of texts; of anything else, more than any minimum."""
    most = 0
    for block in blocks:
        if "text" in block:
            most += estimated(block["text"])
        elif "toolSpec" in block:
            most += estimated(json.dumps(block["toolSpec"]))
        else:
            most += 1_000_000
    return most * _TIMES
