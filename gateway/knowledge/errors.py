"""Why a search brought nothing back, as a sentence that names the knowledge base."""

from __future__ import annotations

from gateway.errors import GatewayError


class SearchRefused(GatewayError):
    """What was asked cannot be searched for: nothing was sent, and asking otherwise mends it."""


class SearchFailed(GatewayError):
    """Bedrock did not answer. `outcome` is AWS's error code, `Timeout` or one of the network's.

    The sentence is for whoever asked, who may be anybody that the gateway serves. `detail` is for whoever runs it: ids,
    files, AWS's words and the mend; without one it is the same sentence.
    """

    def __init__(self, sentence: str, outcome: str, detail: str | None = None) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.detail = detail or sentence
