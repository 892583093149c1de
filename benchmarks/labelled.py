"""Questions whose answers in this repository's documentation are known, and how well a ranking finds them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
_QUESTIONS = Path(__file__).parent / "data" / "questions.yaml"
NAME = "repository"  # of the knowledge base

Results = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and as (file, phrase) what the passages that answer it hold: any one of them will do."""

    text: str
    answers: tuple[tuple[str, str], ...]

    def is_answered_by(self, result: Mapping[str, Any]) -> bool:
        """Whether a KnowledgeBaseRetrievalResult is one of those passages."""
        uri, text = result["location"]["s3Location"]["uri"], squeezed(result["content"]["text"])
        return any(uri == f"s3://{NAME}/{file}" and squeezed(phrase) in text for file, phrase in self.answers)


@dataclass(frozen=True, slots=True)
class Quality:
    """Over all questions: the share whose answer is among the first five, and the mean of one over its rank."""

    recall: float
    reciprocal_rank: float


def questions() -> Mapping[str, Sequence[Question]]:
    """Those the ranking may be tuned on, `dev`, and those it may not, `test`."""
    halves = yaml.safe_load(_QUESTIONS.read_text("utf-8"))
    return {
        half: [
            Question(each["question"], tuple((answer["file"], answer["phrase"]) for answer in each["answers"]))
            for each in asked
        ]
        for half, asked in halves.items()
    }


def documents() -> list[Path]:
    """The documentation: README, CONTRIBUTING and docs/."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def copy_documents(folder: Path) -> None:
    """Puts the documentation there, each page at its path in the repository."""
    for page in documents():
        there = folder / page.relative_to(ROOT)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, there)


def quality(asked: Sequence[Question], search: Callable[[str], Results]) -> Quality:
    """How well a search does; what it finds beyond the hundredth place does not count."""
    ranks = [_rank(question, search(question.text)) for question in asked]
    recall = sum(rank is not None and rank <= 5 for rank in ranks) / len(ranks)
    return Quality(recall, sum(1 / rank for rank in ranks if rank) / len(ranks))


def squeezed(text: str) -> str:
    """The text with every run of white space as one space, since pages are wrapped."""
    return " ".join(text.split())


def _rank(question: Question, results: Results) -> int | None:
    return next((rank for rank, each in enumerate(results[:100], 1) if question.is_answered_by(each)), None)
