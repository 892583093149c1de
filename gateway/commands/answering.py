"""What a terminal shows of an answer: its text, what is left when it did not stream, its files, and its receipt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from gateway.commands.waiting import waiting
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.bedrock.usage import Usage
    from gateway.consult.consultation import Answer
    from gateway.consult.feed import Feed
    from gateway.consult.receipt import Receipt
    from gateway.consult.trip import Attachment


_LONGEST_NAME = 80  # characters: 240 bytes of UTF-8 in most scripts, and file systems take 255


class Screen:
    """Prints one answer while it comes. `printed` is what stands on stdout so far."""

    def __init__(self, feed: Feed, what: str) -> None:
        """`what` says what goes on until the answer begins."""
        self.feed = feed
        self._what = what
        self.printed = ""

    async def follow(self, answer: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer, printed meanwhile. When it cannot be printed any longer it is not generated any longer.

        Raises ConsultationFailed, and OSError of stdout; when cancelled, what has come is printed.
        """
        answering, printing = asyncio.create_task(answer), asyncio.create_task(self._print())
        try:
            await asyncio.wait((answering, printing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, printing):
                task.cancel()
            await asyncio.wait((answering, printing))
            if printing.cancelled():
                self._echo(self.feed.rest())
        return await answering if printing.cancelled() else await printing

    def finish(self, text: str) -> None:
        """What of the whole text was not streamed, and the end of its last line."""
        self._echo(text.removeprefix(self.printed))
        self._echo("" if text.endswith("\n") else "\n")

    async def _print(self) -> NoReturn:
        """The answer on stdout as it comes; until its first token a spinner on stderr, where that is a terminal."""
        with waiting(self._what):
            first = await self.feed.take()
        self._echo(first)
        while True:
            self._echo(await self.feed.take())

    def _echo(self, text: str) -> None:
        typer.echo(text, nl=False)
        self.printed += text


def as_json(answer: Answer, saved: list[Path]) -> str:
    """An answer for programs: its text, its data, the files that were written, and its receipt."""
    record: dict[str, Any] = {"text": answer.text}
    if answer.answered.structured is not None:
        record["structured"] = answer.answered.structured
    if saved:
        record["files"] = [str(path) for path in saved]
    return json.dumps({**record, "receipt": answer.receipt.as_json()}, indent=2, ensure_ascii=False)


def save(attachments: tuple[Attachment, ...], folder: Path) -> list[Path]:
    """Write an answer's files there, each under a name that nothing there has yet. Raises GatewayError."""
    paths = []
    for each in attachments:
        path = _free(folder / _file_name(each.name))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(each.data)
        except OSError as error:
            reason = error.strerror or str(error)
            raise GatewayError(
                f"{path} cannot be written: {reason[:1].lower()}{reason[1:]}. Give another folder with --save."
            ) from None
        paths.append(path)
    return paths


def _file_name(name: str) -> str:
    """The name, which an agent may have chosen, as one that stands for a file of that folder and of no other."""
    last = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable()).strip(". ")
    return last[-_LONGEST_NAME:] or "file"


def _free(path: Path) -> Path:
    number, found = 1, path
    while found.exists() or found.is_symlink():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found


def receipt_line(receipt: Receipt, *, local: bool) -> str:
    """What a call took and cost, on one line; a further one for each specialist that was consulted for it."""
    lines = [_line(receipt, local=local), *_consulted(receipt, "  ", local=local)]
    if receipt.children:
        cost = _cost(receipt.total_cost_usd, local=local)
        lines.append(f"  in all: {_tokens(receipt.total_usage)}, {cost}")
    return "\n".join(lines)


def _consulted(receipt: Receipt, indent: str, *, local: bool) -> Iterator[str]:
    for child in receipt.children:
        yield f"{indent}{child.specialist}: {_line(child, local=local)}"
        yield from _consulted(child, indent + "  ", local=local)


def _line(receipt: Receipt, *, local: bool) -> str:
    first = "" if receipt.first_token_s is None else f", first token after {receipt.first_token_s:.2f} s"
    tries = "" if len(receipt.attempts) == 1 else f", {len(receipt.attempts)} attempts"
    return (
        f"{receipt.model_id or 'no answer'}: {_tokens(receipt.usage)}, {_cost(receipt.cost_usd, local=local)}, "
        f"{receipt.seconds:.2f} s{first}{tries}{_searched(receipt)}"
    )


def _tokens(usage: Usage | None) -> str:
    return "tokens unknown" if usage is None else f"{usage.input} tokens in, {usage.output} out"


def _cost(usd: float | None, *, local: bool) -> str:
    cost = "cost unknown" if usd is None else f"${usd:.6f}"
    return f"{cost} on Bedrock, nothing here" if local else cost


def _searched(receipt: Receipt) -> str:
    searches, cited = len(receipt.searches), len(receipt.citations)
    if not searches:
        return ""
    return f", {searches} search{'es' * (searches > 1)}, {cited or 'no'} passage{'s' * (cited != 1)} cited"
