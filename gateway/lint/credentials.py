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

# Each form is recognised by a prefix of its own, so that one pass over a file finds them all.
_FORMS = (
    ("an AWS access key id", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("an Amazon Bedrock API key", r"\bABSK[A-Za-z0-9+/]{40,}={0,2}|\bbedrock-api-key-[A-Za-z0-9+/=]{20,}"),
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{50,}"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}|\bxapp-[0-9]-[A-Za-z0-9-]{20,}"),
    ("an Anthropic API key", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    ("an OpenAI API key", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}"),
    ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}"),
    ("a PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ("a password in an address", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@{}<>$]{1,64}:[^\s:/@{}<>$]{6,64}@[A-Za-z0-9]"),
)
_KNOWN = re.compile("|".join(f"({form})" for _, form in _FORMS))
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
    for specialist in context.specialists:
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
    for match in _KNOWN.finditer(text):
        if "EXAMPLE" not in match[0]:
            yield CREDENTIAL, match.start(), f"This is {_FORMS[(match.lastindex or 1) - 1][0]}."
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
