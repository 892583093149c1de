"""`api: invoke`: the request's JSON of a call, and the call of a model outside Converse with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gateway.aws.session import Aws
from gateway.bedrock.invoked import InvokedGeneration, Paths, parameters
from gateway.bedrock.request import Conversation
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import ConverseSpecialist
from gateway.consult.attempts import OnText
from gateway.consult.converse.rounds import Written
from gateway.consult.endings import cut_short
from gateway.errors import GatewayError
from gateway.prompts import Body


class Invoked:
    """One such specialist, made ready when it is first asked."""

    def __init__(self, specialist: ConverseSpecialist, root: Path, aws: Aws, models: ModelTable) -> None:
        """Raises PromptError for a template that includes what is not there."""
        assert specialist.answer is not None  # noqa: S101 - the catalog wants it of `api: invoke`
        self._specialist = specialist
        self.templates = Body(specialist, root)
        self._paths = Paths.of(specialist.answer)
        self._aws = aws
        self._models = models

    async def body(self, arguments: Mapping[str, Any], opening: Conversation) -> dict[str, Any]:
        """The request's JSON. Its `system_prompt` and `user_prompt` are those of the conversation, passages included.

        Raises GatewayError, in a sentence that names the specialist.
        """
        texts = (block["text"] for message in opening.messages for block in message["content"] if "text" in block)
        render = partial(
            self.templates.render,
            arguments,
            system_prompt="\n\n".join(opening.system),
            user_prompt="\n\n".join(texts),
        )
        try:
            return render() if self.templates.straight_line else await asyncio.to_thread(render)
        except GatewayError as error:
            raise GatewayError(f"{self._specialist.name}: {error}") from None

    def generation(
        self, body: Mapping[str, Any], _conversation: Conversation, model_id: str, on_text: OnText
    ) -> InvokedGeneration:
        """The call of one model."""
        model = self._models.find(model_id)
        return InvokedGeneration(
            self._aws.client("bedrock-runtime"),
            model_id,
            body,
            self._paths,
            parameters=parameters(self._specialist),
            on_text=on_text,
            stream=model is None or "streaming" not in model.refuses,
        )

    def is_astray(self, written: Written) -> bool:
        """Whether there is no text where the file says, although nothing cut or blocked the answer."""
        return not written.text and cut_short(self._specialist, written.stop_reason) is None

    def blank(self, model_id: str) -> GatewayError:
        """What is said of an answer without text: most often it stands elsewhere than the file says."""
        assert self._specialist.answer is not None  # noqa: S101 - as above
        return GatewayError(
            f"{self._specialist.name}: {model_id} answered with no text at {self._specialist.answer.text}: check "
            f"`answer.text` in {self._specialist.path}, or ask otherwise."
        )
