"""What the documentation tells a reader to do has the result that it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import clean_environment
from tests.test_docs import ROOT, blocks


def test_the_readmes_knowledge_base_finds_the_readmes_document(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.split("## Add a knowledge base in 60 seconds\n")[1].split("\n## ")[0]
    folder, search = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (written,) = re.findall(r"^```yaml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    shell(folder, tmp_path)
    (tmp_path / "my-catalog" / "knowledge_bases").mkdir()
    (tmp_path / "my-catalog" / "knowledge_bases" / "handbook.yaml").write_text(written, encoding="utf-8")
    assert "answers the pager, at night too." in shell(search, tmp_path)


@pytest.mark.parametrize("text", [text for _, text in blocks("python")])
def test_a_python_block_runs(text: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=clean_environment(), timeout=60, check=True)


def shell(text: str, folder: Path) -> str:
    """What the commands of a block write, as somebody types them who has `gateway` installed."""
    environment = clean_environment()
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"]))
    done = subprocess.run(
        ["bash", "-e", "-c", text], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
