"""What `gateway preview` shows of agents, and of models that make vectors or images: texts, requests, their price."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.catalog.specialists import (
    SEED,
    AgentSpecialist,
    EmbeddingSpecialist,
    ImageSpecialist,
    Specialist,
)
from gateway.errors import GatewayError
from gateway.tokens import estimated

if TYPE_CHECKING:
    from gateway.catalog import Loaded
    from gateway.catalog.models import Model

_SESSION = "‹session›"
_SEED = "‹seed›"


@dataclass(frozen=True, slots=True)
class Preview:
    """`sections` are titles and texts for people, `requests` what boto3 is given, `cost` one line about the price."""

    sections: tuple[tuple[str, str], ...]
    requests: tuple[Mapping[str, Any], ...]
    cost: str
    usd: float | None = None

    def text(self) -> str:
        """The sections as a terminal shows them."""
        return "\n".join(f"── {title}\n{text}" for title, text in self.sections)

    def as_json(self, specialist: Specialist, absent: list[str]) -> str:
        """All of it for programs."""
        record = {
            "specialist": specialist.name,
            "kind": specialist.kind,
            "requests": self.requests,
            "not_given": absent,
            "estimate": {"usd": self.usd},
        }
        return json.dumps(record, indent=2, ensure_ascii=False)


def preview_of(
    loaded: Loaded, specialist: Specialist, texts: Mapping[str, str], arguments: Mapping[str, Any]
) -> Preview:
    """What a specialist of another kind than converse would send. `texts` are its templates, rendered.

    Raises GatewayError for a model that nothing is known of.
    """
    if isinstance(specialist, AgentSpecialist):
        return _agent(specialist, texts)
    if isinstance(specialist, ImageSpecialist):
        return _image(loaded, specialist, texts, arguments)
    assert isinstance(specialist, EmbeddingSpecialist)  # noqa: S101 - there is no fourth
    return _embedding(loaded, specialist, arguments)


def _agent(specialist: AgentSpecialist, texts: Mapping[str, str]) -> Preview:
    from gateway.bedrock.agents import invoke_agent_request

    request = invoke_agent_request(specialist, texts, _SESSION)
    attributes = [(place, text) for place, text in texts.items() if place != "user_prompt"]
    return Preview(
        (
            ("agent", f"{specialist.agent_id}, alias {specialist.agent_alias_id}"),
            *attributes,
            ("user", texts["user_prompt"]),
        ),
        (request,),
        "What a call of an agent costs is known once it has answered: its own prompts and tools are not in the file.",
    )


def _image(
    loaded: Loaded, specialist: ImageSpecialist, texts: Mapping[str, str], arguments: Mapping[str, Any]
) -> Preview:
    from gateway.bedrock.images import Wanted, draw_body
    from gateway.bedrock.pictures import Picture
    from gateway.bedrock.prices import cost_usd
    from gateway.bedrock.usage import Usage

    model_id, overrides = specialist.model_id[0], loaded.catalog.settings.models
    model = _known(loaded, model_id)
    if model.image is None:
        raise GatewayError(f"{specialist.name}: {model_id} draws nothing; `gateway lint` offers one that does.")
    begins = specialist.image_input is not None and arguments.get(specialist.image_input) is not None
    prompt, negative = texts["user_prompt"], texts.get("negative_prompt", "")
    wanted = Wanted(prompt, negative.strip(), Picture(b"", "png") if begins else None, 0)
    seed = arguments.get(SEED, _SEED) if specialist.seed is None else specialist.seed
    body = _with(draw_body(specialist, model.image, wanted), seed, specialist.image_input)
    size = (specialist.width or 1024, specialist.height or 1024)
    usd = cost_usd(model_id, Usage(), overrides, images=specialist.count, size=size, quality=specialist.quality)
    count = f"{specialist.count} image{'s' * (specialist.count > 1)}"
    sections = [("prompt", prompt)]
    sections += [("negative prompt", negative)] if negative.strip() else []
    return Preview(
        tuple(sections),
        ({"modelId": model_id, "body": body},),
        f"{model_id}: {count}, {_price(usd, model_id)}",
        usd,
    )


def _embedding(loaded: Loaded, specialist: EmbeddingSpecialist, arguments: Mapping[str, Any]) -> Preview:
    from gateway.bedrock.embeddings import batches
    from gateway.bedrock.prices import cost_usd
    from gateway.bedrock.usage import Usage

    model = _known(loaded, specialist.model_id)
    if model.embedding is None:
        raise GatewayError(f"{specialist.name}: {specialist.model_id} makes no vectors; `gateway lint` offers one.")
    given = arguments.get("texts")
    texts = list(map(str, given)) if isinstance(given, list) else ["‹texts›"]
    input_type = arguments.get("input_type") or next(iter(specialist.input_type), None)
    requests = batches(specialist, model.embedding, texts, (), input_type)
    tokens = sum(map(estimated, texts)) if isinstance(given, list) else 0
    usd = cost_usd(specialist.model_id, Usage(input=tokens), loaded.catalog.settings.models)
    asked = f"{len(requests)} request{'s' * (len(requests) > 1)}"
    return Preview(
        (("texts", "\n".join(texts)),),
        tuple({"modelId": specialist.model_id, "body": each.body} for each in requests),
        f"{specialist.model_id}: {asked}, about {tokens:,} tokens in, {_price(usd, specialist.model_id)}",
        usd,
    )


def _known(loaded: Loaded, model_id: str) -> Model:
    from gateway.catalog.models import ModelTable

    model = ModelTable.load(loaded.catalog.settings.models).find(model_id)
    if model is None:
        raise GatewayError(
            f"how {model_id} is asked is not known. If it stands for a model that is, write in gateway.yaml: models: "
            f"{{{model_id}: {{same_as: MODEL_ID}}}}."
        )
    return model


def _with(body: Any, seed: Any, image_input: str | None) -> Any:
    """The body with the seed, and the image's name, where the numbers and bytes of a call will be."""
    from gateway.bedrock.invocation import Base64

    if isinstance(body, dict):
        return {key: seed if key == "seed" else _with(value, seed, image_input) for key, value in body.items()}
    if isinstance(body, list):
        return [_with(each, seed, image_input) for each in body]
    return f"‹{image_input}›" if isinstance(body, Base64) else body


def _price(usd: float | None, model_id: str) -> str:
    if usd is None:
        return f"its price is not known. Give it in gateway.yaml: models: {{{model_id}: {{price: ...}}}}."
    return f"about ${usd:.6f}."
