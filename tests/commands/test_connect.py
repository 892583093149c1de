"""`gateway connect` prints what each client reads, and writes it without harm to anything else in the file."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.clients import launch
from gateway.clients.table import CLIENTS
from gateway.commands import app

SECRET = "wJalrXUtnFEMI/K7MDENG/EXAMPLEKEY"
CLIENT_NAMES = ["claude-code", "claude-desktop", "cursor", "vscode"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a current folder of the test's own, with a small catalog, and no AWS variable but those it sets."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ["XDG_CONFIG_HOME", *launch._CARRIED, *launch._SECRET]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    (tmp_path / "catalog" / "specialists").mkdir(parents=True)
    (tmp_path / "catalog" / "gateway.yaml").write_text("name: acme\n")
    monkeypatch.chdir(tmp_path / "catalog")
    return tmp_path


def connect(*arguments: object, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["connect", *map(str, arguments)], input=answer)


def printed(client: str, *arguments: object) -> dict[str, object]:
    """The one server entry that `gateway connect` prints for a client, wherever that client keeps it."""
    result = connect(client, *arguments)
    assert result.exit_code == 0, result.output
    if client == "claude-code":
        *words, name, entry = shlex.split(result.stdout)
        assert (words, name) == (["claude", "mcp", "add-json"], "acme")
        return json.loads(entry)
    document = json.loads(result.stdout)
    assert list(document) == ["servers" if client == "vscode" else "mcpServers"]
    return document[next(iter(document))]["acme"]


@pytest.mark.parametrize("client", CLIENT_NAMES)
def test_a_client_is_told_absolute_paths(client: str, home: Path) -> None:
    entry = printed(client, "--local")
    assert Path(str(entry["command"])).is_absolute()
    assert Path(str(entry["command"])).is_file()
    assert entry["args"][-4:] == ["serve", "--catalog", str(home / "catalog"), "--local"]
    assert entry.get("type") == ("stdio" if client in ("claude-code", "vscode") else None)


@pytest.mark.parametrize(
    ("client", "entry"),
    [
        ("claude-code", {"type": "http", "url": "https://g.example/mcp"}),
        ("cursor", {"url": "https://g.example/mcp"}),
        ("vscode", {"type": "http", "url": "https://g.example/mcp"}),
    ],
)
def test_a_running_gateway_is_reached_by_its_url(client: str, entry: dict[str, str]) -> None:
    assert printed(client, "--http", "https://g.example/mcp", "--name", "acme") == entry


def test_a_url_without_a_path_is_doubted() -> None:
    assert "serves at /mcp" in connect("cursor", "--http", "http://127.0.0.1:8000").stderr
    assert "serves at /mcp" not in connect("cursor", "--http", "http://127.0.0.1:8000/mcp").stderr


def test_claude_desktop_takes_no_url_and_says_what_to_do() -> None:
    result = connect("claude-desktop", "--http", "http://127.0.0.1:8000/mcp")
    assert result.exit_code == 2
    assert "Add custom connector" in result.stderr


def test_the_aws_profile_goes_along_and_credentials_never_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "dev")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("HANDBOOK_KB_ID", "ABC")
    result = connect("cursor", "--env", "HANDBOOK_KB_ID")
    assert json.loads(result.stdout)["mcpServers"]["acme"]["env"] == {
        "AWS_PROFILE": "dev",
        "AWS_REGION": "eu-west-1",
        "HANDBOOK_KB_ID": "ABC",
    }
    assert SECRET not in result.output
    assert "plain text: AWS_SECRET_ACCESS_KEY." in result.stderr
    assert "set AWS_PROFILE" not in result.stderr
    monkeypatch.delenv("AWS_PROFILE")
    assert "set AWS_PROFILE" in connect("cursor").stderr
    assert "env" not in printed("cursor", "--local")
    assert connect("cursor", "--local").stderr.count("Left out") == 0


@pytest.mark.parametrize("name", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("value", ["aws.cfg", "./aws.cfg", "~/catalog/aws.cfg"])
def test_a_variable_that_names_a_file_goes_along_absolute(
    name: str, value: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert printed("cursor", "--env", name)["env"] == {name: str(home / "catalog" / "aws.cfg")}


def test_variables_that_the_catalog_reads_are_named_and_not_written_unasked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_MODEL", "a.b")
    monkeypatch.setenv("MY_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    monkeypatch.delenv("MY_OTHER", raising=False)
    (home / "catalog" / "gateway.yaml").write_text(
        "name: acme\nregion: ${MY_REGION:-us-east-1}\nhttp: {allowed_hosts: ['${AWS_SESSION_TOKEN}']}\n"
    )
    (home / "catalog" / "specialists" / "a.yaml").write_text(
        'description: It answers.\nsystem_prompt: Be kind.\nmodel_id: ["${MY_MODEL}", "${MY_OTHER:-c.d}"]\n'
    )
    result = connect("cursor")
    assert "reads MY_MODEL, MY_REGION here" in result.stderr
    assert "--env MY_MODEL --env MY_REGION\n" in result.stderr
    assert "MY_" not in result.stdout
    result = connect("cursor", "--env", "MY_MODEL", "--env", "MY_REGION")
    assert json.loads(result.stdout)["mcpServers"]["acme"]["env"] == {"MY_MODEL": "a.b", "MY_REGION": "eu-west-1"}
    assert "The catalog reads" not in result.stderr


@pytest.mark.parametrize("client", CLIENT_NAMES)
def test_a_current_folder_that_was_deleted_is_one_sentence(client: str, home: Path) -> None:
    shutil.rmtree(home / "catalog")
    result = connect(client, "--http", "http://h/mcp")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "The current folder does not exist any more" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--env", "NOT_SET"], "--env NOT_SET: that variable is not set here"),
        (["--http", "127.0.0.1:8000"], "give the gateway's whole URL"),
        (["--http", "http://h/mcp", "--local"], "--local is for a gateway that the client starts"),
        (["--name", "a b"], "--name a b: clients take letters"),
        (["--catalog", "nowhere"], "gateway init"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = connect("cursor", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr


def test_a_catalog_that_would_not_start_is_told_of(home: Path) -> None:
    (home / "catalog" / "gateway.yaml").write_text("name: acme\nwrong: 1\n")
    assert "run `gateway lint`" in connect("cursor").stderr


@pytest.mark.parametrize(
    ("client", "place"),
    [
        ("claude-code", "catalog/.mcp.json"),
        ("claude-desktop", ".config/Claude/claude_desktop_config.json"),
        ("cursor", ".cursor/mcp.json"),
        ("vscode", "catalog/.vscode/mcp.json"),
    ],
)
def test_write_makes_the_file_and_its_folders(client: str, place: str, home: Path) -> None:
    result = connect(client, "--local", "--write", "--yes")
    assert result.exit_code == 0, result.output
    assert list(json.loads((home / place).read_text())[CLIENTS[client].key]) == ["acme"]
    assert CLIENTS[client].reload in result.stderr
    assert [path.name for path in (home / place).parent.glob(f"{(home / place).name}*")] == [(home / place).name]


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("darwin", "Library/Application Support/Claude/claude_desktop_config.json"),
        ("win32", "Roaming/Claude/claude_desktop_config.json"),
    ],
)
def test_claude_desktop_elsewhere(platform: str, place: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    environ = {"APPDATA": str(home / "Roaming"), "LOCALAPPDATA": str(home / "Local")}
    assert CLIENTS["claude-desktop"].file(environ) == home / place


def test_claude_desktop_installed_as_msix(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    package = home / "Packages" / "Claude_abc"
    package.mkdir(parents=True)
    found = CLIENTS["claude-desktop"].file({"LOCALAPPDATA": str(home), "APPDATA": str(home / "Roaming")})
    assert found == package / "LocalCache" / "Roaming" / "Claude" / "claude_desktop_config.json"


def test_writing_shows_the_difference_keeps_a_backup_and_the_other_servers(home: Path) -> None:
    file = home / "mcp.json"
    before = '{\n    "mcpServers": {\n        "other": {"command": "x"}\n    },\n    "theme": "dark"\n}\n'
    file.write_text(before)
    file.chmod(0o600)
    result = connect("cursor", "--local", "--write", "--file", file, answer="y\n")
    assert result.exit_code == 0, result.output
    assert '+        "acme": {' in result.stdout
    after = json.loads(file.read_text())
    assert (after["mcpServers"]["other"], after["theme"]) == ({"command": "x"}, "dark")
    assert file.stat().st_mode & 0o777 == 0o600
    (backup,) = home.glob("mcp.json.*.bak")
    assert backup.read_text() == before
    assert str(backup) in result.stdout


def test_declining_changes_nothing(home: Path) -> None:
    file = home / "mcp.json"
    file.write_text("{}")
    for answer in ("n\n", ""):
        assert connect("cursor", "--write", "--file", file, answer=answer).exit_code == 1
    assert [path.name for path in home.glob("mcp.json*")] == ["mcp.json"]
    assert file.read_text() == "{}"


def test_a_second_time_there_is_nothing_to_change(home: Path) -> None:
    arguments = ["cursor", "--local", "--write", "--yes", "--file", home / "mcp.json"]
    connect(*arguments)
    result = connect(*arguments)
    assert result.exit_code == 0
    assert "has this already; nothing to change" in result.stdout
    assert not list(home.glob("*.bak"))


def test_ones_own_keys_in_an_older_entry_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "dev")
    file = home / "mcp.json"
    old = {"url": "http://h/mcp", "headers": {}, "disabled": True, "env": {"LOG": "1"}}
    file.write_text(json.dumps({"mcpServers": {"acme": old}}))
    connect("cursor", "--write", "--yes", "--file", file)
    entry = json.loads(file.read_text())["mcpServers"]["acme"]
    assert sorted(entry) == ["args", "command", "disabled", "env"]
    assert entry["env"] == {"LOG": "1", "AWS_PROFILE": "dev"}


def test_comments_survive_where_the_client_reads_them(home: Path) -> None:
    file = home / "mcp.json"
    file.write_text('{\n  // mine\n  "servers": {}\n}\n')
    assert connect("vscode", "--local", "--write", "--yes", "--file", file).exit_code == 0
    assert "  // mine\n" in file.read_text()


@pytest.mark.parametrize("content", [b'{"mcpServers": ', b"{} // x", b"\xff\xfe", b"[]"])
def test_a_file_that_cannot_be_edited_is_left_and_the_entry_printed(content: bytes, home: Path) -> None:
    file = home / "config.json"
    file.write_bytes(content)
    result = connect("claude-desktop", "--local", "--write", "--yes", "--file", file)
    assert result.exit_code == 1
    assert "nothing was written" in result.stderr
    assert "acme" in json.loads(result.stdout)["mcpServers"]
    assert file.read_bytes() == content
    assert [path.name for path in home.glob("config.json*")] == ["config.json"]


def test_a_byte_order_mark_stays(home: Path) -> None:
    file = home / "config.json"
    file.write_bytes(b"\xef\xbb\xbf{}")
    assert connect("claude-desktop", "--local", "--write", "--yes", "--file", file).exit_code == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbf{")


def test_a_link_stays_a_link(home: Path) -> None:
    real, link = home / "dotfiles.json", home / "mcp.json"
    real.write_text("{}")
    link.symlink_to(real)
    assert connect("cursor", "--local", "--write", "--yes", "--file", link).exit_code == 0
    assert link.is_symlink()
    assert "acme" in real.read_text()


def test_a_file_that_cannot_be_written_is_one_sentence_and_the_entry(home: Path) -> None:
    (home / "blocked").write_text("")
    result = connect("cursor", "--local", "--write", "--yes", "--file", home / "blocked" / "mcp.json")
    assert result.exit_code == 1
    assert "Cannot" in result.stderr
    assert "acme" in json.loads(result.stdout[result.stdout.rindex('{\n  "mcpServers"') :])["mcpServers"]


def test_a_failed_write_leaves_the_file_whole(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "mcp.json"
    file.write_text("{}")

    def refuses(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", refuses)
    result = connect("cursor", "--local", "--write", "--yes", "--file", file)
    assert result.exit_code == 1
    assert "Operation not permitted. It is as it was." in result.stderr
    assert file.read_text() == "{}"
    assert not list(home.glob(".mcp.json*.tmp"))


def test_a_change_made_meanwhile_is_not_overwritten(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "mcp.json"
    file.write_text("{}")

    def another_program_writes(*_: object, **__: object) -> bool:
        file.write_text('{"theirs": 1}')
        return True

    monkeypatch.setattr("typer.confirm", another_program_writes)
    result = connect("cursor", "--local", "--write", "--file", file)
    assert result.exit_code == 1
    assert "changed while you were reading" in result.stderr
    assert file.read_text() == '{"theirs": 1}'
