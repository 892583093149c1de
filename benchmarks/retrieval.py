"""Search in a local folder: how fast among 100,000 chunks on one core, and how good on labelled questions.

`python -m benchmarks.retrieval [--quick] [--chunks N] [--only speed|quality]`. Every installed embedder is measured.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import labelled, written
from gateway.local.knowledge import Embedder, FolderRetriever, lexical, relevance, results, store
from gateway.local.knowledge.embedding import HashEmbedder, WordLlamaEmbedder
from gateway.local.retrieval import Search

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
_FILTER = {
    "andAll": [
        {"in": {"key": "team", "value": ["platform", "payments"]}},
        {"greaterThanOrEquals": {"key": "year", "value": 2010}},
    ]
}
_CANDIDATES = 20  # that are reranked


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer chunks and fewer searches")
    parser.add_argument("--chunks", type=int, help="how many there are to search (100,000; with --quick 10,000)")
    parser.add_argument("--only", choices=["speed", "quality"], help="measure nothing else")
    arguments = parser.parse_args()
    _on_one_core()
    chunks = arguments.chunks or (10_000 if arguments.quick else 100_000)
    for embedder in _embedders() if arguments.only != "quality" else ():
        _speed(embedder, chunks, searches=40 if arguments.quick else 150)
    for embedder in _embedders() if arguments.only != "speed" else ():
        _quality(embedder)


def _on_one_core() -> None:
    """numpy chooses its threads when it is loaded, so this process is begun anew."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if any(os.environ.get(name) != value for name, value in _ONE_THREAD.items()):
        command = [sys.executable, "-m", "benchmarks.retrieval", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **_ONE_THREAD})


def _embedders() -> list[Embedder]:
    found: list[Embedder] = [HashEmbedder()]
    if importlib.util.find_spec("wordllama"):
        found.append(WordLlamaEmbedder())
    return found


def _speed(embedder: Embedder, chunks: int, *, searches: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "documents"
        folder.mkdir()
        written.write(folder, chunks)
        started = time.perf_counter()
        with closing(FolderRetriever(folder, name="made-up", index=Path(name) / "index", embedder=embedder)) as found:
            found.wait()
            took = time.perf_counter() - started
            size = (Path(name) / "index").stat().st_size / 1e6
            print(f"\nA search for 5 among {chunks:,} chunks, one core, {embedder.name}")
            print(f"indexed in {took:.0f} s, {chunks / took:,.0f} chunks a second; the index has {size:.0f} MB")
            print(f"{'':<60}{'median ms':>12}{'p95 ms':>12}", flush=True)
            for kind, texts in written.queries(searches).items():
                for hybrid in (True, False):
                    for condition in (None, _FILTER):
                        label = f"{'hybrid' if hybrid else 'semantic'}, {kind}{', filter' if condition else ''}"
                        _row(label, _times(found, texts, hybrid=hybrid, condition=condition))
        started = time.perf_counter()
        with closing(FolderRetriever(folder, name="made-up", index=Path(name) / "index", embedder=embedder)) as again:
            again.wait()
            print(f"opened again, nothing changed: {time.perf_counter() - started:.1f} s")
        print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB")


def _times(
    retriever: FolderRetriever, texts: Sequence[str], *, hybrid: bool, condition: Mapping[str, Any] | None
) -> list[float]:
    times = []
    for text in texts:
        started = time.perf_counter()
        retriever.retrieve(Search(text, limit=5, offset=0, hybrid=hybrid, filter=condition))
        times.append((time.perf_counter() - started) * 1e3)
    return times


def _row(label: str, times: Sequence[float]) -> None:
    print(f"{label:<60}{statistics.median(times):>12.1f}{statistics.quantiles(times, n=20)[-1]:>12.1f}", flush=True)


def _quality(embedder: Embedder) -> None:
    asked = labelled.questions()
    numbers = ", ".join(f"{len(each)} {half}" for half, each in asked.items())
    with tempfile.TemporaryDirectory() as name:
        folder, index = Path(name) / "documents", Path(name) / "index"
        labelled.copy_documents(folder)
        with closing(FolderRetriever(folder, name=labelled.NAME, index=index, embedder=embedder)) as found:
            found.wait()
            print(f"\nThe documentation's passages for {numbers} questions, {embedder.name}")
            print(f"{'':<40}" + "".join(f"{f'{half} recall@5':>16}{f'{half} MRR':>12}" for half in asked))
            for label, search in _ways(found, index, embedder).items():
                measured = [labelled.quality(each, search) for each in asked.values()]
                figures = "".join(f"{each.recall:>16.2f}{each.reciprocal_rank:>12.3f}" for each in measured)
                print(f"{label:<40}{figures}", flush=True)


def _ways(
    retriever: FolderRetriever, index: Path, embedder: Embedder
) -> Mapping[str, Callable[[str], labelled.Results]]:
    def searched(text: str, *, hybrid: bool) -> labelled.Results:
        return retriever.retrieve(Search(text, limit=100, offset=0, hybrid=hybrid, filter=None)).results

    def by_words(text: str) -> labelled.Results:
        with closing(store.connect(index)) as connection:
            ids = lexical.search(connection, text, {}).tolist()
            return results.fetch(connection, labelled.NAME, ids, [0.0] * len(ids))

    def reranked(text: str) -> labelled.Results:
        candidates = searched(text, hybrid=True)[:_CANDIDATES]
        scores = relevance(text, [each["content"]["text"] for each in candidates], embedder=embedder)
        return [candidates[index] for index in sorted(range(len(candidates)), key=lambda index: -scores[index])]

    return {
        "words alone": by_words,
        "vectors alone": lambda text: searched(text, hybrid=False),
        "hybrid": lambda text: searched(text, hybrid=True),
        f"hybrid, its first {_CANDIDATES} reranked": reranked,
    }


if __name__ == "__main__":
    main()
