"""`gateway local`: Bedrock Runtime on this machine, for any program that speaks to it through an AWS SDK."""

from __future__ import annotations

import errno
import os
import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.errors import GatewayError, UsageError

if TYPE_CHECKING:
    from gateway.local import Call, Engine, LocalEndpoint

_HOW_TO = """\
Amazon Bedrock Runtime on this machine: {url}
It answers Converse, ConverseStream and CountTokens for every model id. {writer}

For boto3 and the AWS CLI:

  export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
  export NO_PROXY=127.0.0.1,localhost,::1
  unset AWS_BEARER_TOKEN_BEDROCK AWS_PROFILE

The keys may be any, but nothing is sent without them. Ctrl-C ends it."""


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
) -> None:
    """Answer Bedrock calls on this machine, without AWS."""
    from gateway.local import LocalEndpoint

    try:
        endpoint = LocalEndpoint(
            host=host, port=port, engine=_engine(llm_url, llm_model, pace), keep=100, on_call=_report
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _start(endpoint)
        writer = f"{llm_url} writes the answers." if llm_url else "No model writes: an answer quotes what it was sent."
        typer.echo(_HOW_TO.format(url=endpoint.url, writer=writer))
        stop.wait()
    finally:
        endpoint.close()
        for number, handler in before.items():
            signal.signal(number, handler)


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
    model_id = "".join(letter if letter.isprintable() else "?" for letter in call.model_id[:200])
    typer.echo(
        f"{call.operation} {model_id} {outcome}: {call.input_tokens} tokens in, {call.output_tokens} out, "
        f"{call.chunks} chunks, {call.seconds:.2f} s",
        err=True,
    )
