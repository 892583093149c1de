"""Conversations: what a model said and was told in the turns before, for the next turn of the same caller.

Behind a handle stand the messages as Converse takes them, without the files' bytes. Those are kept beside it as long as
there is room; for one that is gone stands a text that says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from base64 import b64decode, b64encode
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from gateway.bedrock.request import Conversation, Message
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import CONVERSATION, ConverseSpecialist
from gateway.consult.converse.rounds import Written
from gateway.consult.evidence import Found
from gateway.consult.files.formats import FORMATS, MOST
from gateway.consult.handles import Handles, Turn
from gateway.consult.trip import Trip
from gateway.errors import GatewayError
from gateway.tokens import estimated

_MOST_BYTES = 128 * 1024**2
"""Of all conversations' files together; beyond it those go that were used the longest ago."""
_INLINE = 16 * 1024  # bytes: what is smaller, such as reasoning that its model encrypted, is no file
_FILE, _BYTES = "$file", "$bytes"
_NO_ANSWER = "(The model gave no answer.)"

_FOUND = TypeAdapter(list[Found])


class ConversationFull(GatewayError):
    """There is no room for a further turn: what bounds it, and how to begin a new conversation."""


class KeptFiles:
    """The files of all conversations, each once, by the digest of its bytes. Any thread may use it."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def keep(self, data: bytes) -> str:
        """Its digest."""
        digest = hashlib.sha256(data).hexdigest()
        with self._lock:
            if digest not in self._files:
                self._files[digest] = data
                self._size += len(data)
            self._files.move_to_end(digest)
            while self._size > self._most_bytes:
                _, oldest = self._files.popitem(last=False)
                self._size -= len(oldest)
        return digest

    def get(self, digest: str) -> bytes | None:
        """The file; None where it had to go."""
        with self._lock:
            data = self._files.get(digest)
            if data is not None:
                self._files.move_to_end(digest)
            return data


@dataclass(slots=True)
class History:
    """One turn's view of its conversation."""

    specialist: ConverseSpecialist
    turn: Turn
    files: KeptFiles
    messages: tuple[Message, ...] = ()
    found: list[Found] = field(default_factory=list)
    turns: int = 0  # before this one
    tokens: int = 0  # of the last turn's last request and its answer, as Bedrock counted them
    model_id: str | None = None

    def continued(self, opening: Conversation, models: ModelTable) -> Conversation:
        """The opening of this turn behind all turns before it. Raises ConversationFull."""
        if self.specialist.turns is not None and self.turns >= self.specialist.turns.most:
            raise self._full(f"it has had its {self.turns} turns (turns.most)")
        # Said under other names later, a document would be new to the prompt cache, and signed reasoning would not fit.
        own = [_renamed(each, self.turns + 1) for each in opening.messages] if self.turns else opening.messages
        joined = replace(opening, messages=(*self.messages, *own), answered_by=self.model_id)
        self._check_files(joined)
        self._check_tokens(opening, models)
        return joined

    async def keep(self, written: Written, answer: str | None, trip: Trip) -> None:
        """Save this turn. `answer` is what stands in place of how the model gave a structured answer."""
        said = {"role": "assistant", "content": [{"text": answer}]} if answer is not None else _said(written)
        messages = written.conversation.answered(written.model_id, said).messages
        used = trip.spent[-1].usage
        found = [_without_image(each) for each in trip.evidence.found]
        self.turn.save(
            {
                "turns": self.turns + 1,
                "tokens": used.input + used.cache_read + used.cache_write + used.output,
                "model_id": written.model_id,
                "messages": await asyncio.to_thread(self._packed, messages),
                "found": _FOUND.dump_python(found, mode="json"),
            }
        )

    async def load(self) -> None:
        """Take over what the turn before has saved."""
        if (saved := self.turn.value) is None:
            return
        self.turns, self.tokens, self.model_id = saved["turns"], saved["tokens"], saved["model_id"]
        self.messages = tuple(self._unpacked(each) for each in saved["messages"])
        self.found = _FOUND.validate_python(saved["found"])

    def _check_files(self, joined: Conversation) -> None:
        kinds = Counter(
            kind for message in joined.messages for block in message["content"] for kind in FORMATS if kind in block
        )
        for kind, most in MOST.items():
            if kinds[kind] > most:
                raise self._full(
                    f"with this turn's it has {kinds[kind]} files of the kind {kind}, and Bedrock takes {most}"
                )

    def _check_tokens(self, opening: Conversation, models: ModelTable) -> None:
        known = {model_id: models.find(model_id) for model_id in self.specialist.model_id}
        windows = {name: model.context_window for name, model in known.items() if model and model.context_window}
        if not self.turns or not windows:
            return
        name, window = min(windows.items(), key=lambda each: each[1])
        texts = (block["text"] for message in opening.messages for block in message["content"] if "text" in block)
        wanted = self.tokens + sum(map(estimated, texts)) + (self.specialist.max_tokens or 0)
        if wanted > window:
            raise self._full(
                f"with this turn and its answer it has about {wanted:,} tokens, and {name} takes {window:,}"
            )

    def _full(self, why: str) -> ConversationFull:
        return ConversationFull(
            f"{self.specialist.name}: the conversation is full: {why}. Leave `{CONVERSATION}` out to begin a new one."
        )

    def _packed(self, messages: Sequence[Message]) -> Any:
        """The messages as JSON."""
        return [self._pack(message) for message in messages]

    def _pack(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            # A tool's input is JSON already, and the model's own: nothing in it may read as what is written here.
            return {key: each if key == "toolUse" else self._pack(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._pack(each) for each in value]
        if isinstance(value, bytes):
            small = len(value) < _INLINE
            return {_BYTES: b64encode(value).decode()} if small else {_FILE: self.files.keep(value)}
        return value

    def _unpacked(self, message: Any) -> Any:
        return {**message, "content": [self._block(block) for block in message["content"]]}

    def _block(self, block: Any) -> Any:
        if "toolUse" in block:
            return block
        if "toolResult" in block:  # which has to stay, since it answers a use of a tool
            result = block["toolResult"]
            return {"toolResult": {**result, "content": [self._block(each) for each in result["content"]]}}
        try:
            return self._unpack(block)
        except KeyError:  # its file had to go
            kind = next((kind for kind in FORMATS if kind in block), "file")
            name = block.get(kind, {}).get("name")
            return {
                "text": f"[{name or f'an earlier {kind}'}, which is no longer kept: ask for it again if it is needed]"
            }

    def _unpack(self, value: Any) -> Any:
        """What was packed. Raises KeyError for a file that is gone."""
        if isinstance(value, dict):
            if value.keys() == {_BYTES}:
                return b64decode(value[_BYTES])
            if value.keys() == {_FILE}:
                data = self.files.get(value[_FILE])
                if data is None:
                    raise KeyError(value[_FILE])
                return data
            return {key: self._unpack(each) for key, each in value.items()}
        return [self._unpack(each) for each in value] if isinstance(value, list) else value


class Conversations:
    """The conversations of all specialists."""

    def __init__(self, handles: Handles | None = None, files: KeptFiles | None = None) -> None:
        self._handles = Handles(CONVERSATION) if handles is None else handles
        self._files = KeptFiles() if files is None else files

    @asynccontextmanager
    async def turn(self, specialist: ConverseSpecialist, trip: Trip, handle: str | None) -> AsyncIterator[History]:
        """A turn of the conversation behind that handle, or the first of a new one.

        What it keeps is saved when the body ends well. Raises HandleUnknown and HandleBusy.
        """
        assert specialist.turns is not None  # noqa: S101 - who asks has looked
        ttl = specialist.turns.ttl
        async with self._handles.turn(handle, caller=trip.caller, specialist=specialist.name, ttl=ttl) as turn:
            history = History(specialist, turn, self._files)
            await history.load()
            trip.evidence.found.extend(history.found)
            yield history


def _said(written: Written) -> dict[str, Any]:
    """The model's last message without the tools it still asked for: nothing answers them, and Bedrock wants that."""
    content = [block for block in written.said["content"] if "toolUse" not in block]
    if not any("text" in block for block in content):
        content = [*content, {"text": _NO_ANSWER}]
    return {"role": "assistant", "content": content}


def _renamed(message: Message, turn: int) -> Message:
    """With names of documents that no earlier turn's have: Bedrock takes no two alike in a request."""
    content = [
        {"document": {**block["document"], "name": f"{block['document']['name']} (turn {turn})"}}
        if "document" in block
        else block
        for block in message["content"]
    ]
    return {**message, "content": content}


def _without_image(found: Found) -> Found:
    """A passage to be cited later; its image stands in the messages."""
    passage = replace(found.passage, image=None, metadata=dict(found.passage.metadata))
    return replace(found, passage=passage)
