"""One specialist as one MCP tool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import quote

import pybase64
from fastmcp import Context
from fastmcp.server.dependencies import get_context
from fastmcp.tools import Tool, ToolResult
from mcp_types import (
    BlobResourceContents,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as MCPTool
from pydantic import PrivateAttr

from gateway.catalog.specialists import Specialist
from gateway.consult.caller import Caller
from gateway.consult.consultation import Answer, ConsultationFailed, Consultations
from gateway.consult.evidence import Found
from gateway.consult.feed import Feed, Follow
from gateway.consult.receipt import META_KEY, Receipt
from gateway.consult.trip import Answered, Attachment
from gateway.knowledge.text import title
from gateway.server.call_log import CallLog
from gateway.server.callers import caller
from gateway.server.cancellation import Cancellations
from gateway.server.progress import Progress, wanted


class SpecialistTool(Tool):
    """FastMCP's tool with a schema taken from the file. Arguments and timeout are the consultation's to check."""

    _specialist: Specialist = PrivateAttr()
    _consultations: Consultations = PrivateAttr()
    _cancellations: Cancellations = PrivateAttr()
    _log: CallLog | None = PrivateAttr()

    @classmethod
    def of(
        cls, specialist: Specialist, consultations: Consultations, cancellations: Cancellations, log: CallLog | None
    ) -> SpecialistTool:
        """The tool; `log` is None over stdio, where stderr belongs to the client that started the gateway."""
        hints = {name: hint for name, hint in asdict(specialist.annotations).items() if hint is not None}
        tool = cls(
            name=specialist.name,
            title=specialist.title,
            description=specialist.description,
            parameters=specialist.input_schema,
            output_schema=None if specialist.output_schema is None else dict(specialist.output_schema),
            annotations=ToolAnnotations.model_validate(hints),
        )
        tool._specialist = specialist
        tool._consultations = consultations
        tool._cancellations = cancellations
        tool._log = log
        return tool

    def to_mcp_tool(self, **overrides: Any) -> MCPTool:
        """The tool as clients see it, without FastMCP's own `_meta`, which would cost every client context."""
        return super().to_mcp_tool(_meta=None, **overrides)

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Consult the specialist; an error is a result with `isError`, and every result carries its receipt."""
        context = get_context()
        who = caller(context)
        taken_back: list[Receipt] = []

        def cancelled(receipt: Receipt) -> None:
            taken_back.append(receipt)
            if self._log is not None:
                self._log.cancelled(who, receipt)

        try:
            with self._cancellations.watch(context):
                answer = await self._follow(context, arguments, who, cancelled)
                if self._log is not None:
                    self._log.answered(who, answer.receipt)
                return _result(answer.text, answer.receipt, answer.answered)
        except ConsultationFailed as failed:
            if self._log is not None:
                self._log.failed(who, failed.receipt)
            return _result(str(failed), failed.receipt, is_error=True)
        # Only a block that the client's own cancellation ended comes here, and that client reads no result.
        return _result(f"{self._specialist.name}: cancelled by the client.", taken_back[0], is_error=True)

    async def _follow(
        self, context: Context, arguments: dict[str, Any], who: Caller, cancelled: Callable[[Receipt], None]
    ) -> Answer:
        consult = partial(self._consultations.consult, self._specialist, arguments, caller=who, cancelled=cancelled)
        if not wanted(context):
            return await consult()
        feed = Feed(Follow(self._specialist.progress))
        ended: Receipt | None = None
        try:
            async with Progress(context, feed):
                try:
                    answer = await consult(feed=feed)
                except ConsultationFailed as failed:
                    ended = failed.receipt
                    raise
                ended = answer.receipt
                return answer
        except asyncio.CancelledError:
            if ended is not None:  # it came while the last of the text was sent
                cancelled(ended)
            raise


def _result(text: str, receipt: Receipt, answered: Answered | None = None, *, is_error: bool = False) -> ToolResult:
    texts = [text]
    if answered is not None and answered.structured is not None:
        # A client that reads no structured content reads this JSON; what is no JSON stands beside it.
        # https://modelcontextprotocol.io/specification/2026-07-28/server/tools#structured-content
        after = answered.notices + answered.sources + answered.next_turn
        texts = [each for each in (answered.text, after.strip()) if each]
    content: list[ContentBlock] = [TextContent(type="text", text=each) for each in texts]
    if answered is not None:
        content += map(_file, answered.attachments)
        content += [_link(found, found.uri) for found in answered.cited if found.uri is not None]
    return ToolResult(
        content=content,
        structured_content=None if answered is None or answered.structured is None else dict(answered.structured),
        meta={META_KEY: receipt.as_json()},
        is_error=is_error,
    )


def _file(attachment: Attachment) -> ContentBlock:
    """An image as MCP's image content; any other file as an embedded resource, whose URI carries its name."""
    data = pybase64.b64encode_as_string(attachment.data)
    if attachment.mime_type.startswith("image/"):
        return ImageContent(type="image", data=data, mime_type=attachment.mime_type)
    uri = f"attachment:///{quote(attachment.name, safe='')}"  # a name has no folders, whoever thought of it
    return EmbeddedResource(
        type="resource", resource=BlobResourceContents(uri=uri, blob=data, mime_type=attachment.mime_type)
    )


def _link(found: Found, uri: str) -> ResourceLink:
    """Where a client reads what the answer cites under that number."""
    return ResourceLink(type="resource_link", uri=uri, name=f"[{found.number}] {title(found.passage)}")
