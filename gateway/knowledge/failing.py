"""A search that failed, told twice: to whoever asked for it, and to whoever runs the gateway.

Whoever asked reads the catalog's name of the knowledge base and what they can do themselves. Its id, the region, the
account, the catalog's files and AWS's own words are none of their business. Without AWS there are none of these: what
the endpoint on this machine says is made for both.
"""

from __future__ import annotations

import math

from gateway.aws.errors import AwsFault
from gateway.bedrock.advice import retrieval_refusal
from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.quoting import one_line
from gateway.knowledge.errors import SearchFailed

_TELL = "tell whoever runs the gateway, whose log says why"


def failed(fault: AwsFault, *, base: KnowledgeBase, region: str, local: bool) -> SearchFailed:
    """The error for a search that AWS, or with `local` the endpoint on this machine, did not answer."""
    if local:
        said = f"{fault.message.rstrip('.')}. {_local_mend(fault)}".rstrip()
        return SearchFailed(one_line(f"{base.name} was not searched. {said}"), fault.code)
    why, mend = _told(fault)
    return SearchFailed(
        f"{base.name} was not searched: {why} ({fault.code}). {mend}",
        fault.code,
        one_line(f"{base.name}: {retrieval_refusal(fault, base=base, region=region)}"),
    )


def late(base: KnowledgeBase) -> SearchFailed:
    """The error for a search that has not ended within the knowledge base's timeout."""
    sentence = f"{base.name}: no passages within its timeout of {base.timeout:g} s. Try again in a moment"
    return SearchFailed(f"{sentence}.", "Timeout", f"{sentence}, or raise `timeout` in {base.path}.")


def _told(fault: AwsFault) -> tuple[str, str]:
    """Why it failed and the mend, as far as they are a caller's."""
    match fault.code:
        case "ThrottlingException" | "ServiceQuotaExceededException":
            back = f"in {math.ceil(fault.retry_after)} s" if fault.retry_after else "in a moment"
            return "too much is asked at once", f"Try again {back}."
        case "ValidationException" | "ParamValidation":
            return "Bedrock refused it", f"Ask in other words or without a filter; if that does not help, {_TELL}."
        case "Unreachable":
            return "Bedrock cannot be reached", f"Try again in a moment; if that does not help, {_TELL}."
        case "ReadTimeout":
            return "Bedrock did not answer", "Try again in a moment."
    if fault.again:
        return "Bedrock did not answer", "Try again in a moment."
    return "the gateway cannot use it", f"Asking again does not help: {_TELL}."


def _local_mend(fault: AwsFault) -> str:
    match fault.code:
        case "ValidationException" | "ResourceNotFoundException":
            return ""  # the endpoint says it
        case "Unreachable" | "ConnectionBroken":
            return "The endpoint on this machine has ended: start the gateway again."
    return "Try again in a moment."
