"""`gateway local`: Bedrock's runtimes on this machine, for any program that speaks to them through an AWS SDK."""

from __future__ import annotations

import errno
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.errors import GatewayError, UsageError

if TYPE_CHECKING:
    from gateway.local import Call, Engine, LocalEndpoint, Retriever

_HOW_TO = """\
Amazon Bedrock on this machine: {url}
It answers Converse, InvokeModel, their streams and CountTokens for every model id,
InvokeAgent for every agent, and Rerank. {writer}
It answers Retrieve for {bases}.

For boto3 and the AWS CLI:

  export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}
  export AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME={url}
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
  export NO_PROXY=127.0.0.1,localhost,::1
  unset AWS_BEARER_TOKEN_BEDROCK AWS_PROFILE

The keys may be any, but nothing is sent without them. Ctrl-C ends it."""

_NO_BASES = "no knowledge base; give it one with --knowledge-base ID=DIR"
_ID = re.compile("[0-9a-zA-Z]{10}")
_GUARDRAIL = re.compile("[a-z0-9]+")


def local(
    host: Annotated[str, typer.Option(help="The loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 8425,
    llm_url: Annotated[
        str | None,
        typer.Option(help="An OpenAI-compatible server that writes the answers; GATEWAY_LLM_API_KEY is its key."),
    ] = None,
    llm_model: Annotated[
        str | None,
        typer.Option(help="With --llm-url: the model to ask it for.", show_default="the first it lists"),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(help="Without --llm-url: tokens per second; 0 is without a pause.", min=0, show_default="150"),
    ] = None,
    knowledge_base: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=DIR", help="A folder to search as the knowledge base of that id; may be repeated."),
    ] = None,
    guardrail: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=WORD,WORD", help="The words that the guardrail of that id blocks; may be repeated."),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="With --knowledge-base: the folder that keeps what was indexed.",
            show_default="GATEWAY_LOCAL_INDEX, or in the user's cache folder",
        ),
    ] = None,
) -> None:
    """Answer Bedrock calls on this machine, without AWS."""
    from gateway.local import LocalEndpoint

    folders = _folders(knowledge_base or ())
    if index is not None and not folders:
        raise UsageError("--index keeps the index of what --knowledge-base gives; give both.")
    try:
        endpoint = LocalEndpoint(
            host=host,
            port=port,
            engine=_engine(llm_url, llm_model, pace),
            guardrails=_guardrails(guardrail or ()),
            keep=100,
            on_call=_report,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    with _stopped_by_signals() as stop, ExitStack() as ending:
        searching = ending.enter_context(_searching(index)) if folders else None
        ending.callback(endpoint.close)
        _start(endpoint)
        if searching is not None:
            for name, folder in folders.items():
                endpoint.knowledge_bases[name] = searching(name, folder)
        typer.echo(_how_to(endpoint.url, llm_url, folders))
        stop.wait()


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _how_to(url: str, llm_url: str | None, folders: Mapping[str, Path]) -> str:
    writer = f"{llm_url} writes the answers." if llm_url else "No model writes: an answer quotes what it was sent."
    bases = ", ".join(f"{name} ({folder})" for name, folder in folders.items())
    return _HOW_TO.format(url=url, writer=writer, bases=bases or _NO_BASES)


def _engine(llm_url: str | None, llm_model: str | None, pace: float | None) -> Engine:
    """The engine the options ask for; raises UsageError or ValueError."""
    from gateway.local import EchoEngine, OpenAiEngine

    if llm_url is None:
        if llm_model is not None:
            raise UsageError("--llm-model names a model of the server that --llm-url gives; give both.")
        return EchoEngine() if pace is None else EchoEngine(pace=pace)
    if pace is not None:
        raise UsageError("--pace has no effect with --llm-url: that server sets the pace.")
    return OpenAiEngine(llm_url, model=llm_model, api_key=os.environ.get("GATEWAY_LLM_API_KEY"))


def _guardrails(values: Sequence[str]) -> dict[str, list[str]]:
    """The words of each guardrail id; raises UsageError."""
    guardrails: dict[str, list[str]] = {}
    for value in values:
        name, _, words = value.partition("=")
        blocked = [word.strip() for word in words.split(",") if word.strip()]
        if not blocked or _GUARDRAIL.fullmatch(name) is None:
            raise UsageError(
                "--guardrail takes ID=WORD,WORD, ID being small letters and digits, as in guard1=secret,salary;"
                f" not {value!r}."
            )
        if name in guardrails:
            raise UsageError(f"--guardrail gives {name} twice; give all its words at once.")
        guardrails[name] = blocked
    return guardrails


def _folders(values: Sequence[str]) -> dict[str, Path]:
    """The folder of each knowledge base id; raises UsageError."""
    folders: dict[str, Path] = {}
    for value in values:
        name, separator, folder = value.partition("=")
        if not separator or not folder or _ID.fullmatch(name) is None:
            raise UsageError(
                f"--knowledge-base takes ID=DIR, ID being ten letters and digits, as in HANDBOOK01=docs; not {value!r}."
            )
        if name in folders:
            raise UsageError(f"--knowledge-base gives {name} twice; one folder stands in for one knowledge base.")
        if not Path(folder).is_dir():
            raise UsageError(f"--knowledge-base {value}: there is no folder {folder}.")
        folders[name] = Path(folder)
    return folders


@contextmanager
def _searching(index: Path | None) -> Iterator[Callable[[str, Path], Retriever]]:
    """What makes the retriever of a knowledge base id and a folder; indexing begins with it, and stderr tells of it."""
    from gateway.commands.indexes import VARIABLE, index_file, index_folder
    from gateway.commands.indexing import Indexing
    from gateway.local.knowledge import FolderRetriever

    indexing = Indexing()

    def make(name: str, folder: Path) -> Retriever:
        file = index_file(kept, folder)
        called = folder.resolve().name or name
        progress, waiting = indexing.watch(name), indexing.waiting(name)
        return FolderRetriever(folder, name=called, index=file, progress=progress, waiting=waiting)

    with index_folder(os.environ if index is None else {VARIABLE: str(index)}) as kept:
        try:
            yield make
        finally:
            indexing.close()


def _start(endpoint: LocalEndpoint) -> None:
    try:
        endpoint.start()
    except OSError as error:
        place = f"{endpoint.host} port {endpoint.port}"
        if error.errno == errno.EADDRINUSE:
            raise GatewayError(f"{place} is in use; give another with --port, or --port 0 for a free one.") from None
        raise GatewayError(f"cannot listen on {place}: {error.strerror or error}.") from None


def _report(call: Call) -> None:
    """One line for a call that has ended, on stderr; never what was said in it."""
    outcome = f"{call.outcome} ({call.error})" if call.error else call.outcome
    named = (call.model_id or call.knowledge_base_id or call.agent_id)[:200]
    subject = "".join(letter if letter.isprintable() else "?" for letter in named)
    if call.results or call.operation in ("Retrieve", "Rerank"):
        amount = f"{call.results} results"
    else:
        amount = f"{call.input_tokens} tokens in, {call.output_tokens} out, {call.chunks} chunks"
    typer.echo(
        f"{' '.join(filter(None, (call.operation, subject, outcome)))}: {amount}, {call.seconds:.2f} s", err=True
    )
