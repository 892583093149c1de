"""What answers a command's calls: AWS, or the endpoint on this machine that stands in for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.errors import GatewayError, UsageError

if TYPE_CHECKING:
    from gateway.aws.session import Aws
    from gateway.catalog.entries import Catalog

LlmUrlOption = Annotated[
    str | None,
    typer.Option("--llm-url", help="With --local: an OpenAI-compatible server that writes the answers."),
]
LlmModelOption = Annotated[
    str | None,
    typer.Option("--llm-model", help="With --llm-url: the model to ask it for."),
]

_REMEMBERED = 100
"""Calls that the endpoint inside `serve --local` keeps, each with its whole request, for `/_local/calls`."""


@contextmanager
def backing(catalog: Catalog, *, local: bool, llm_url: str | None, llm_model: str | None) -> Iterator[Aws]:
    """The AWS of a command while it runs. Raises UsageError for --llm-url without --local, AwsSetupError for AWS."""
    from gateway.aws.session import Aws

    if (llm_url or llm_model) and not local:
        raise UsageError("--llm-url and --llm-model go with --local.")
    if not local:
        aws = Aws(region=catalog.settings.region)
        try:
            yield aws
        finally:
            aws.close()
        return
    from gateway.local import LocalEndpoint, OpenAiEngine

    try:
        api_key = os.environ.get("GATEWAY_LLM_API_KEY")
        engine = OpenAiEngine(llm_url, model=llm_model, api_key=api_key) if llm_url else None
        endpoint = LocalEndpoint(engine=engine, keep=_REMEMBERED)
        endpoint.start()
    except (OSError, ValueError) as error:
        raise GatewayError(f"the local endpoint did not start: {error}") from None
    aws = Aws(local_url=endpoint.url)
    try:
        yield aws
    finally:
        aws.close()
        endpoint.close()
