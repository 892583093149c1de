"""Which family a model belongs to: by its id, or by its body where the id does not tell.

A family's module is imported when its first request comes: what draws and what makes vectors is slow to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from gateway.local.invoke.format import Format
from gateway.local.invoke.making import Maker

Body = Mapping[str, Any]
Family = Format | Maker

# The beginning of a model's name, behind the prefix of a cross-region profile, and what answers it: a module of this
# package and a name in it. The first that fits counts.
_BY_NAME: Mapping[str, str] = {
    "anthropic.": "anthropic:MESSAGES",
    "amazon.titan-embed-text-v2": "titan:text_v2",
    "amazon.titan-embed-image": "titan:multimodal",
    "amazon.titan-embed": "titan:text_g1",
    "amazon.nova-canvas": "canvas:nova",
    "amazon.titan-image-generator": "canvas:titan",
    "amazon.nova-2-multimodal-embeddings": "nova_embeddings:vector",
    "cohere.embed-v4": "cohere:v4",
    "cohere.embed": "cohere:v3",
    "stability.": "stability:picture",
    "meta.": "completion:LLAMA",
    "mistral.": "completion:MISTRAL",
}
# What only the body of one family has; for ids that name no model, such as an application inference profile's.
_BY_KEY: Mapping[str, str] = {
    "anthropic_version": "anthropic:MESSAGES",
    "embeddingConfig": "titan:multimodal",
    "inputImage": "titan:multimodal",
    "inputText": "titan:text_v2",
    "input_type": "cohere:v4",
    "singleEmbeddingParams": "nova_embeddings:vector",
    "taskType": "canvas:nova",
    "max_gen_len": "completion:LLAMA",
    "messages": "chat:OPENAI",
}
_loaded: dict[str, Family] = {}


def name_of(model_id: str, body: Body) -> str:
    """The family's name. A model that nothing is known of is asked as OpenAI's are."""
    model = model_id.rpartition("/")[2]
    names = (model, model.partition(".")[2])  # the second is behind the prefix of a cross-region profile, if it has one
    by_name = next((family for prefix, family in _BY_NAME.items() for name in names if name.startswith(prefix)), None)
    if by_name == "completion:MISTRAL" and "messages" in body:
        return "chat:MISTRAL"  # which of Mistral's models takes a prompt, and which messages, is not in its name
    return by_name or next((family for key, family in _BY_KEY.items() if key in body), "completion:OPENAI")


def loaded(name: str) -> Family | None:
    """The family, if it has been asked before."""
    return _loaded.get(name)


def load(name: str) -> Family:
    """The family. Blocks while its module is imported."""
    module, _, attribute = name.partition(":")
    family: Family = getattr(import_module(f"gateway.local.invoke.{module}"), attribute)
    _loaded[name] = family
    return family
