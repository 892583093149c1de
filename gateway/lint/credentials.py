"""Rules on credentials: none stands in a catalog, and none is ever quoted back."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.lint.context import Context

CREDENTIAL = Rule(
    "credential",
    Severity.ERROR,
    "A file holds a credential.",
    "What stands in a catalog is in its repository, in every prompt sent and in clients' contexts. The text has the"
    " exact form of a key that someone issued, so revoke it first, then remove it: deleting the line does not take it"
    " out of the history. The gateway needs no secret in its catalog; ids that differ between accounts are read from"
    " the environment with `${NAME}`. The keys in AWS's own documentation, which contain EXAMPLE, are let through.",
)
LIKELY = Rule(
    "credential-likely",
    Severity.WARNING,
    "A file holds a text that looks like a credential.",
    "A name such as `password`, `token` or `api_key` is given a long and random-looking value. If it is a secret,"
    " revoke it and remove it. If it is an example for the model, write an obvious stand-in such as"
    " `<your-token>`, or ignore this rule in gateway.yaml.",
)
RULES = (CREDENTIAL, LIKELY)

# What it is, a text every one of its kind contains, and its form. Looking for a plain text costs next to nothing, so a
# file without any of them, which is nearly every file, is never searched by a regular expression.
_FORMS = tuple(
    (what, marks, re.compile(form))
    for what, marks, form in (
        ("an AWS access key id", ("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
        ("an Amazon Bedrock API key", ("ABSK",), r"\bABSK[A-Za-z0-9+/]{40,}={0,2}"),
        ("an Amazon Bedrock API key", ("bedrock-api-key-",), r"\bbedrock-api-key-[A-Za-z0-9+/=]{20,}"),
        ("a private key", ("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
        ("a GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"\bgh[pousr]_[A-Za-z0-9]{36,}"),
        ("a GitHub token", ("github_pat_",), r"\bgithub_pat_[A-Za-z0-9_]{50,}"),
        ("a GitLab token", ("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20,}"),
        ("a Slack token", ("xox",), r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}"),
        ("a Slack token", ("xapp-",), r"\bxapp-[0-9]-[A-Za-z0-9-]{20,}"),
        ("an Anthropic API key", ("sk-ant-",), r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
        ("an OpenAI API key", ("sk-",), r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}"),
        ("a Stripe key", ("k_live_",), r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
        ("a Google API key", ("AIza",), r"\bAIza[A-Za-z0-9_-]{35}"),
        ("an npm token", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}"),
        ("a PyPI token", ("pypi-AgEI",), r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
        ("a Hugging Face token", ("hf_",), r"\bhf_[A-Za-z0-9]{30,}"),
        ("a JSON Web Token", ("eyJ",), r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
        (
            "a password in an address",
            ("://",),
            r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@{}<>$]{1,64}:[^\s:/@{}<>$]{6,64}@[A-Za-z0-9]",
        ),
    )
)
_NAMES = ("secret", "passw", "token", "key", "credential")
_ASSIGNED = re.compile(
    r"(?i)(?:secret|passw(?:or)?d|token|api_?-?key|access_?-?key|credential)[\w-]{0,20}"
    r"[\"']?[ \t]{0,3}[:=]{1,2}[ \t]{0,3}[\"']?(?P<value>[A-Za-z0-9+/=_.~-]{20,200})(?![A-Za-z0-9+/=_.~-])"
)
_RANDOM_PART = re.compile(r"[A-Za-z0-9+/]{12,}")
_BITS = 3.2  # of entropy a character; words, versions and ids of models have less, or are of short parts


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings in every file of the catalog that was read."""
    for path, text in _texts(context).items():
        yield from _findings(path, text)


def _texts(context: Context) -> dict[str, str]:
    texts = {path: source.text for path, source in context.sources.items()}
    for specialist in context.conversing:  # of the other kinds, every template stands in the file itself
        texts.setdefault(specialist.system_prompt.path, specialist.system_prompt.text)
    for template in context.library.templates():
        texts.setdefault(template.path, template.text)
    return texts


def _findings(path: str, text: str) -> Iterator[Diagnostic]:
    breaks: list[int] = []
    found: set[int] = set()
    for rule, offset, message in _secrets(text):
        breaks = breaks or [0, *(match.end() for match in re.finditer("\r\n|\r|\n", text))]
        line = bisect_right(breaks, offset)
        if line not in found:
            found.add(line)
            yield Diagnostic(path, line, offset - breaks[line - 1] + 1, rule.severity, rule.id, message, _MEND)


_MEND = "Revoke it, then remove it."


def _secrets(text: str) -> Iterator[tuple[Rule, int, str]]:
    for what, marks, form in _FORMS:
        if any(mark in text for mark in marks):
            for match in form.finditer(text):
                if "EXAMPLE" not in match[0]:
                    yield CREDENTIAL, match.start(), f"This is {what}."
    folded = text.lower()
    if any(name in folded for name in _NAMES):
        for match in _ASSIGNED.finditer(text):
            if _random(match["value"]):
                yield LIKELY, match.start("value"), "This looks like a credential."


def _random(value: str) -> bool:
    """Whether a part of a text looks like it came out of a random generator: letters and digits, hardly repeating."""
    return "EXAMPLE" not in value and any(
        re.search(r"[0-9]", part) and re.search(r"[A-Za-z]", part) and _entropy(part) >= _BITS
        for part in _RANDOM_PART.findall(value)
    )


def _entropy(text: str) -> float:
    """Shannon's entropy of its characters, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
