"""The commands together, as `gateway --help` shows them."""

from __future__ import annotations

import re

from typer.testing import CliRunner

from gateway.commands import app

COMMANDS = ["init", "lint", "preview", "call", "search", "serve", "connect", "schema", "local"]


def test_each_command_is_registered_once() -> None:
    names = [command.callback.__name__ for command in app.registered_commands if command.callback is not None]
    assert names == COMMANDS


def test_help_lists_each_command_once_in_the_order_of_a_newcomers_day() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output.split("Commands:")[1]
    assert re.findall(r"^ {2}(\w+)", shown, re.MULTILINE) == COMMANDS
