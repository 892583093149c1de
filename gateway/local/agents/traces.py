"""The steps of an agent's orchestration, as AWS's `OrchestrationTrace` tells them.

https://docs.aws.amazon.com/bedrock/latest/userguide/trace-events.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local.agents.agent import Trace
from gateway.local.agents.directives import Citation, FunctionCall


class Steps:
    """Makes the traces of one turn; each step has an id that its input and its output share."""

    def __init__(self) -> None:
        self._number = 0

    @property
    def id(self) -> str:
        """Of two to sixteen characters, as AWS bounds it."""
        return f"step-{self._number}"

    def model_input(self, prompt: str) -> Trace:
        """A new step: what the model is given."""
        self._number += 1
        return self._trace("modelInvocationInput", {"type": "ORCHESTRATION", "text": prompt})

    def model_output(self, text: str, input_tokens: int, output_tokens: int) -> Trace:
        usage = {"inputTokens": input_tokens, "outputTokens": output_tokens}
        output = {"rawResponse": {"content": text}, "metadata": {"usage": usage}}
        return self._trace("modelInvocationOutput", output)

    def rationale(self, text: str) -> Trace:
        return self._trace("rationale", {"text": text})

    def returned_call(self, call: FunctionCall, invocation_id: str) -> Trace:
        """An action group whose function the caller is to call."""
        parameters = call.invocation_input()["functionInvocationInput"]["parameters"]
        given = {"actionGroupName": call.group, "function": call.function, "parameters": parameters}
        given |= {"executionType": "RETURN_CONTROL", "invocationId": invocation_id}
        return self._input("ACTION_GROUP", {"actionGroupInvocationInput": given})

    def results(self, text: str) -> Trace:
        """What an action group answered."""
        return self._observation("ACTION_GROUP", {"actionGroupInvocationOutput": {"text": text}})

    def lookup(self, question: str, citations: Sequence[Citation]) -> tuple[Trace, Trace]:
        """A search of a knowledge base, and what it found."""
        asked = {"knowledgeBaseId": "LOCALCITED", "text": question}
        found = {"retrievedReferences": [citation.reference() for citation in citations]}
        return (
            self._input("KNOWLEDGE_BASE", {"knowledgeBaseLookupInput": asked}),
            self._observation("KNOWLEDGE_BASE", {"knowledgeBaseLookupOutput": found}),
        )

    def code(self, files: Sequence[str]) -> tuple[Trace, Trace]:
        """A run of the code interpreter that wrote files. `Type` has no value for its observation."""
        written = ", ".join(files)
        given = {"code": f"# writes {written}", "files": list(files)}
        output = {"codeInterpreterInvocationOutput": {"executionOutput": f"wrote {written}", "files": list(files)}}
        return (
            self._input("ACTION_GROUP_CODE_INTERPRETER", {"codeInterpreterInvocationInput": given}),
            self._trace("observation", output),
        )

    def final(self, text: str) -> Trace:
        return self._observation("FINISH", {"finalResponse": {"text": text}})

    def _input(self, kind: str, given: Mapping[str, Any]) -> Trace:
        return self._trace("invocationInput", {"invocationType": kind, **given})

    def _observation(self, kind: str, seen: Mapping[str, Any]) -> Trace:
        return self._trace("observation", {"type": kind, **seen})

    def _trace(self, kind: str, step: Mapping[str, Any]) -> Trace:
        return Trace({"orchestrationTrace": {kind: {"traceId": self.id, **step}}})
