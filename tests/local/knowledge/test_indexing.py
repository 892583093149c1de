"""The index: kept from run to run, brought in line with its folder, begun anew when it is no good."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.local.errors import BedrockError, UnavailableError
from gateway.local.knowledge import FolderRetriever, store
from gateway.local.knowledge.embedding import HashEmbedder, Vectors
from gateway.local.knowledge.indexing import Indexer
from tests.local.knowledge.conftest import EMBEDDER, NAME, Open, describe, find, paths, texts


class Counting(HashEmbedder):
    """Counts what is embedded for the index; a search's query is a call of its own with one text."""

    def __init__(self, name: str = "counting") -> None:
        super().__init__(64)
        self.name = name
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += [text.splitlines()[0] for text in texts if "\n" in text]
        return super().embed(texts)


def eventually(fulfilled: Callable[[], bool]) -> None:
    """Each try is a search, which brings a look at the folder about."""
    deadline = time.monotonic() + 20
    while not fulfilled():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


@contextmanager
def held(index: Path) -> Iterator[None]:
    """The index's lock, as soon as it is free."""
    while True:
        with store.lock(index) as mine:
            if mine:
                yield
                return
        threading.Event().wait(0.01)


def write(folder: Path, number: int) -> None:
    for each in range(number):
        (folder / f"page{each}.md").write_text(f"This is about subject{each}.")


def test_a_restart_embeds_nothing_again(folder: Path, opened: Open) -> None:
    write(folder, 3)
    first = Counting()
    before = find(opened(embedder=first), "subject1")
    assert sorted(first.embedded) == ["page0", "page1", "page2"]
    again = Counting()
    assert find(opened(embedder=again), "subject1") == before
    assert again.embedded == []


def test_a_restart_finds_what_was_added_changed_and_deleted(folder: Path, opened: Open) -> None:
    write(folder, 4)
    retriever = opened()
    find(retriever, "subject1")
    retriever.close()
    (folder / "page1.md").write_text("This is about wombats.")
    (folder / "page2.md").unlink()
    (folder / "page9.md").write_text("This is about penguins.")
    counting = Counting(name=HashEmbedder(64).name)
    retriever = opened(embedder=counting)
    assert sorted(paths(find(retriever, "about", limit=10))) == ["page0.md", "page1.md", "page3.md", "page9.md"]
    assert sorted(counting.embedded) == ["page1", "page9"]
    assert texts(find(retriever, "wombats", limit=1)) == ["This is about wombats."]


@pytest.mark.usefixtures("restless")
def test_changes_are_found_without_a_restart(folder: Path, opened: Open) -> None:
    write(folder, 3)
    counting = Counting()
    retriever = opened(embedder=counting)
    assert paths(find(retriever, "subject1", limit=1)) == ["page1.md"]
    (folder / "page1.md").write_text("This is about wombats.")
    eventually(lambda: texts(find(retriever, "wombats", limit=1)) == ["This is about wombats."])
    (folder / "new.md").write_text("This is about penguins.")
    eventually(lambda: paths(find(retriever, "penguins", limit=1)) == ["new.md"])
    (folder / "page0.md").unlink()
    eventually(lambda: sorted(paths(find(retriever, "about"))) == ["new.md", "page1.md", "page2.md"])
    assert sorted(counting.embedded) == ["new", "page0", "page1", "page1", "page2"]


@pytest.mark.usefixtures("restless")
def test_a_changed_metadata_file_is_found_without_a_restart(folder: Path, opened: Open) -> None:
    write(folder, 2)
    retriever = opened()
    private = {"equals": {"key": "team", "value": "private"}}
    assert paths(find(retriever, "about", filter=private)) == []
    describe(folder / "page1.md", {"team": "private"})
    eventually(lambda: paths(find(retriever, "about", filter=private)) == ["page1.md"])
    (folder / "page1.md.metadata.json").unlink()
    eventually(lambda: paths(find(retriever, "about", filter=private)) == [])


@pytest.mark.usefixtures("restless")
def test_a_touched_document_is_not_embedded_again(folder: Path, opened: Open) -> None:
    write(folder, 2)
    counting = Counting()
    retriever = opened(embedder=counting)
    find(retriever, "about")
    os.utime(folder / "page0.md", (1, 1))
    (folder / "page1.md").write_text("This is about wombats.")
    eventually(lambda: "wombats" in str(texts(find(retriever, "wombats", limit=1))))
    assert sorted(counting.embedded) == ["page0", "page1", "page1"]


ANSWERS = ["subject1", "about a wombat", "penguins", "this is about something", "leopards and subject3"]


def answers(retriever: FolderRetriever, *, hybrid: bool) -> list[list[tuple[float, str, str]]]:
    """What is found with which score; equals in no order."""
    found = [find(retriever, query, limit=100, hybrid=hybrid) for query in ANSWERS]
    return [
        sorted(
            (round(each["score"], 5), path, text)
            for each, path, text in zip(one.results, paths(one), texts(one), strict=True)
        )
        for one in found
    ]


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("hybrid", [True, False])
def test_an_index_brought_in_line_answers_as_one_made_anew(
    folder: Path, index: Path, opened: Open, tmp_path: Path, hybrid: bool
) -> None:
    write(folder, 6)
    retriever = opened()
    find(retriever, "about")
    animals = ["wombat", "penguin", "leopard", "wombat"]
    for number, animal in enumerate(animals):
        (folder / f"page{number}.md").write_text(f"This is about a {animal}.\n\n" * (1 + number * 40))
        (folder / f"page{number + 3}.md").unlink(missing_ok=True)
        (folder / f"new{number}.md").write_text(f"Here is another {animal}.")
        wanted = f"new{number}.md"
        eventually(lambda wanted=wanted: wanted in paths(find(retriever, "another", limit=100)))
    fresh = FolderRetriever(folder, name=NAME, index=tmp_path / "fresh", embedder=EMBEDDER)
    with closing(fresh):
        expected = answers(fresh, hybrid=hybrid)
    eventually(lambda: answers(retriever, hybrid=hybrid) == expected)
    retriever.close()
    assert answers(opened(), hybrid=hybrid) == expected


@pytest.mark.usefixtures("restless")
def test_an_index_that_another_process_began_anew_is_read_from_its_start(
    folder: Path, index: Path, opened: Open
) -> None:
    write(folder, 6)
    retriever = opened()
    find(retriever, "about")
    for number in range(4):
        (folder / f"page{number}.md").unlink()
    with held(index):  # as another process would
        store.begin_anew(index, EMBEDDER.name)
        Indexer(folder, index, EMBEDDER, lambda: False, lambda done, total: None).update()
        assert answers(retriever, hybrid=False) == answers(opened(), hybrid=False)
        assert sorted(paths(find(retriever, "about"))) == ["page4.md", "page5.md"]


def test_another_embedder_begins_the_index_anew(folder: Path, opened: Open) -> None:
    write(folder, 2)
    find(opened(embedder=Counting("one")), "about")
    other = Counting("other")
    assert paths(find(opened(embedder=other), "subject1", limit=1)) == ["page1.md"]
    assert len(other.embedded) == 2


def spoil_schema(index: Path) -> None:
    with sqlite3.connect(index) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()


def spoil_tables(index: Path) -> None:
    with sqlite3.connect(index) as connection:
        connection.execute("DROP TABLE chunks")
    connection.close()


def spoil_pages(index: Path) -> None:
    content = bytearray(index.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    index.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda index: index.write_bytes(b"This is no database at all." * 1_000),
        lambda index: index.write_bytes(b""),
        lambda index: os.truncate(index, 8_192),
        spoil_schema,
        spoil_tables,
        spoil_pages,
    ],
    ids=["garbage", "empty", "cut", "schema", "tables", "pages"],
)
def test_a_spoilt_index_is_begun_anew(folder: Path, index: Path, opened: Open, spoil: Callable[[Path], None]) -> None:
    write(folder, 3)
    retriever = opened(embedder=Counting())
    find(retriever, "about")
    retriever.close()
    spoil(index)
    counting = Counting()
    assert paths(find(opened(embedder=counting), "subject1", limit=1)) == ["page1.md"]
    assert len(counting.embedded) == 3


def test_an_index_that_is_deleted_under_a_retriever_is_made_anew(folder: Path, index: Path, opened: Open) -> None:
    write(folder, 3)
    retriever = opened()
    find(retriever, "about")
    for file in index.parent.glob("index.sqlite*"):
        file.unlink()
    assert paths(find(retriever, "subject1", limit=1)) == ["page1.md"]


def test_progress_counts_the_documents_that_changed(folder: Path, opened: Open) -> None:
    write(folder, 3)
    told: list[tuple[int, int]] = []
    find(opened(progress=lambda done, total: told.append((done, total))), "about")
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    told.clear()
    find(opened(progress=lambda done, total: told.append((done, total))), "about")
    assert told == []


def test_a_folder_that_is_not_there_is_an_error_that_says_so(
    folder: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(folder)
    with pytest.raises(
        BedrockError, match=r"The folder of handbook cannot be indexed: No such file or directory\. Whoever runs"
    ) as failed:
        find(opened(), "about")
    assert failed.value.name == "ValidationException"  # which is not asked again
    assert caplog.messages == [
        f"The folder of handbook cannot be indexed: No such file or directory ({folder}). See that it is there and can "
        "be read."
    ]


@pytest.mark.usefixtures("restless")
def test_a_folder_that_comes_back_is_searched_again(folder: Path, opened: Open) -> None:
    folder.rmdir()
    retriever = opened()
    with pytest.raises(BedrockError):
        find(retriever, "about")
    folder.mkdir()
    write(folder, 1)
    assert paths(find(retriever, "about")) == ["page0.md"]


def test_an_index_that_cannot_be_written_is_an_error_that_says_so(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    retriever = FolderRetriever(folder, name=NAME, index=tmp_path / "file" / "index", embedder=Counting())
    try:
        with pytest.raises(
            BedrockError, match=r"The index of handbook cannot be used: (Not a directory|File exists)\."
        ):
            find(retriever, "about")
    finally:
        retriever.close()


def test_where_an_index_cannot_be_used_is_for_the_log_and_not_for_callers(
    opened: Open, index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index.mkdir()
    said = "The index of handbook cannot be used: unable to open database file"
    with caplog.at_level(logging.WARNING, "gateway.local"), pytest.raises(BedrockError) as failed:
        find(opened(), "about")
    assert str(failed.value) == f"{said}. Whoever runs the gateway can mend that: its log names the place."
    assert failed.value.name == "ValidationException"  # which is not asked again
    assert caplog.messages == [
        f"{said} ({index}). See that it can be written there, or remove what lies there: it is made anew."
    ]


class Stuck(Counting):
    """Embeds one batch, then waits for `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.go = threading.Event(), threading.Event()

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.began.set()
        assert self.go.wait(20)
        return super().embed(texts)


def test_close_ends_indexing_and_the_searches_that_wait_for_it(folder: Path, opened: Open) -> None:
    write(folder, 50)
    stuck = Stuck()
    retriever = opened(embedder=stuck)
    failed: list[str] = []

    def search() -> None:
        try:
            find(retriever, "about")
        except UnavailableError as error:
            failed.append(str(error))

    waiting = threading.Thread(target=search)
    waiting.start()
    assert stuck.began.wait(20)
    closing = threading.Thread(target=retriever.close)
    closing.start()
    waiting.join(20)
    assert failed == ["The knowledge base handbook is closed."]
    stuck.go.set()
    closing.join(20)
    assert not closing.is_alive()
    assert len(stuck.embedded) == 1  # of fifty documents
    with pytest.raises(UnavailableError, match="closed"):
        find(retriever, "about")
    assert not [thread for thread in threading.enumerate() if "handbook" in thread.name]


def test_an_interrupted_indexing_goes_on_where_it_stopped(folder: Path, opened: Open) -> None:
    write(folder, 6)
    first = Counting()
    halfway = threading.Event()

    def progress(done: int, _: int) -> None:
        if done == 3:
            halfway.set()
            retriever._closed.wait(20)

    retriever = opened(embedder=first, progress=progress)
    assert halfway.wait(20)
    retriever.close()
    rest = Counting()
    assert len(paths(find(opened(embedder=rest), "about", limit=10))) == 6
    assert len(first.embedded) + len(rest.embedded) == 6
    assert len(first.embedded) == 3


CHILD = """
import sys
from pathlib import Path
from tests.local.knowledge.conftest import find, paths
from tests.local.knowledge.test_indexing import Counting
from gateway.local.knowledge import FolderRetriever

counting = Counting()
retriever = FolderRetriever(Path(sys.argv[1]), name="handbook", index=Path(sys.argv[2]), embedder=counting)
print(*paths(find(retriever, "subject7", limit=1)), len(counting.embedded))
retriever.close()
"""


def test_two_processes_share_an_index_and_one_of_them_makes_it(folder: Path, index: Path) -> None:
    write(folder, 40)
    command = [sys.executable, "-c", CHILD, str(folder), str(index)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [child.communicate(timeout=50)[0].split() for child in children]
    assert [answer[0] for answer in answers] == ["page7.md", "page7.md"]
    assert sum(int(answer[1]) for answer in answers) == 40


KILLED = """
import sys, time
from pathlib import Path
from tests.local.knowledge.test_indexing import Counting
from gateway.local.knowledge import FolderRetriever

def progress(done, total):
    if done == 2:
        print("halfway", flush=True)
        time.sleep(60)

FolderRetriever(Path(sys.argv[1]), name="x", index=Path(sys.argv[2]), embedder=Counting(), progress=progress).wait()
"""


def test_an_index_whose_maker_was_killed_is_finished_by_another(folder: Path, index: Path, opened: Open) -> None:
    write(folder, 5)
    command = [sys.executable, "-c", KILLED, str(folder), str(index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "halfway\n"
        counting = Counting()
        retriever = opened(embedder=counting)
        assert not retriever.wait(0.5)  # the other one holds the lock, and there is no whole index yet
        child.send_signal(signal.SIGKILL)
        assert len(paths(find(retriever, "about", limit=10))) == 5
    assert len(counting.embedded) == 3


def test_who_waits_for_another_process_is_told_once_and_who_does_not_is_not(
    folder: Path, index: Path, opened: Open
) -> None:
    write(folder, 3)
    told: list[str] = []
    heard = threading.Event()

    def waiting() -> None:
        told.append("waits")
        heard.set()

    with held(index):
        retriever = opened(waiting=waiting)
        assert heard.wait(20)
        assert not retriever.wait(0.5)  # several looks at the index later
    assert paths(find(retriever, "subject1", limit=1)) == ["page1.md"]
    find(opened(waiting=waiting), "about")
    assert told == ["waits"]


@pytest.mark.parametrize("begin", [FolderRetriever.begin, lambda retriever: find(retriever, "about")])
def test_indexing_that_is_held_back_begins_when_it_may_or_with_a_search(
    folder: Path, opened: Open, begin: Callable[[FolderRetriever], object]
) -> None:
    write(folder, 3)
    counting = Counting()
    retriever = opened(embedder=counting, at_once=False)
    assert not retriever.wait(0.2)
    assert counting.embedded == []
    begin(retriever)
    assert retriever.wait(20)
    assert len(counting.embedded) == 3


def test_a_whole_index_is_searched_while_another_process_holds_it(folder: Path, index: Path, opened: Open) -> None:
    write(folder, 3)
    find(opened(), "about")
    with held(index):
        assert paths(find(opened(), "subject1", limit=1)) == ["page1.md"]
