"""What answers a command's calls: AWS, or the endpoint on this machine that stands in for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.stopping import stopping
from gateway.errors import GatewayError, UsageError

if TYPE_CHECKING:
    from gateway.aws.session import Aws
    from gateway.catalog.entries import Catalog
    from gateway.local import Engine, LocalEndpoint, Retriever

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


class Folders(Enum):
    """What becomes of the folders that stand in for knowledge bases while they are indexed."""

    AWAITED = "awaited"
    """The work begins when they are, and people see how far it is."""

    SHOWN = "shown"
    """The work begins at once, and people see how far it is; a search waits."""

    SILENT = "silent"
    """The work begins at once, and nothing is shown: stderr is not people's."""


@contextmanager
def backing(
    catalog: Catalog,
    *,
    local: bool,
    llm_url: str | None = None,
    llm_model: str | None = None,
    searched: Iterable[str],
    folders: Folders = Folders.AWAITED,
    ready: threading.Event | None = None,
) -> Iterator[tuple[Catalog, Aws]]:
    """The AWS of a command while it runs, and the catalog as it is known there.

    `searched` names the knowledge bases that may be searched; with `local` no other folder is indexed. Where `ready` is
    given, nothing but a search begins that before it is set: indexing takes the interpreter from whatever starts.
    Raises UsageError for --llm-url without --local, AwsSetupError for AWS.
    """
    from gateway.aws.session import Aws

    if (llm_url or llm_model) and not local:
        raise UsageError("--llm-url and --llm-model go with --local.")
    if not local:
        with closing(Aws(region=catalog.settings.region)) as aws:
            yield catalog, aws
        return
    from gateway.commands.standins import standing_in

    known = standing_in(catalog)
    with (
        _endpoint(known, tuple(searched), folders, ready, llm_url, llm_model) as endpoint,
        closing(Aws(local_url=endpoint.url)) as aws,
    ):
        yield known, aws


@contextmanager
def _endpoint(
    catalog: Catalog,
    searched: tuple[str, ...],
    folders: Folders,
    ready: threading.Event | None,
    llm_url: str | None,
    llm_model: str | None,
) -> Iterator[LocalEndpoint]:
    """The endpoint with the folders behind it. Raises GatewayError when it does not start."""
    from gateway.commands.indexes import index_folder
    from gateway.commands.indexing import Indexing
    from gateway.commands.standins import retrievers, wait_until_indexed
    from gateway.local import LocalEndpoint

    with ExitStack() as stack:
        indexing = stack.enter_context(closing(Indexing()))
        standing = {}
        if searched:
            indexes = stack.enter_context(index_folder(os.environ))
            shown = None if folders is Folders.SILENT else indexing
            standing = retrievers(catalog, searched, indexes=indexes, shown=shown, at_once=ready is None)
            if ready is not None:
                stack.callback(ready.set)  # ends the thread where it never came to that
                threading.Thread(target=_begin_when, args=(ready, standing.values()), daemon=True).start()
        guarded = (base.guardrail for base in catalog.knowledge_bases.values())
        try:
            endpoint = LocalEndpoint(
                engine=_engine(llm_url, llm_model),
                knowledge_bases=standing,
                guardrails={guardrail.id: () for guardrail in guarded if guardrail is not None},  # they block nothing
                keep=_REMEMBERED,
            )
            stack.callback(endpoint.close)
            endpoint.start()
        except (OSError, ValueError) as error:
            raise GatewayError(f"the local endpoint did not start: {error}") from None
        if folders is Folders.AWAITED:
            with stopping("stopped; what is indexed already is not indexed again."), closing(indexing):
                wait_until_indexed(standing.values())
        yield endpoint


def _begin_when(ready: threading.Event, standing: Iterable[Retriever]) -> None:
    from gateway.commands.standins import begin_indexing

    ready.wait()
    begin_indexing(standing)


def _engine(llm_url: str | None, llm_model: str | None) -> Engine | None:
    """What writes the answers; None for the endpoint's own. Raises ValueError for what is no URL."""
    from gateway.local import OpenAiEngine

    if not llm_url:
        return None
    return OpenAiEngine(llm_url, model=llm_model, api_key=os.environ.get("GATEWAY_LLM_API_KEY"))
