"""boto3 cannot tell the endpoint's knowledge bases from Bedrock's: Retrieve."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from gateway.local import (
    BedrockError,
    EchoEngine,
    Fault,
    Found,
    LocalEndpoint,
    Retriever,
    ScriptedRetriever,
    Search,
    shapes,
)

from .conftest import HELLO, MODEL, bedrock, passage

KB = "HANDBOOK01"
ARN = f"arn:aws:bedrock:us-east-1:123456789012:knowledge-base/{KB}"
RERANKER = "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0"
RESULTS = [passage(number) for number in range(12)]
VECTOR = "vectorSearchConfiguration"
MANAGED = "managedSearchConfiguration"


@pytest.fixture
def retriever() -> ScriptedRetriever:
    return ScriptedRetriever(RESULTS)


@pytest.fixture
def endpoint(retriever: ScriptedRetriever) -> Iterator[LocalEndpoint]:
    engine = EchoEngine(pace=0)
    guardrails = {"abc123": ["bomb", "insider trading"]}
    with LocalEndpoint(engine=engine, knowledge_bases={KB: retriever}, guardrails=guardrails) as running:
        yield running


def search(agents: Any, text: str = "holidays", **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = agents.retrieve(
        **{"knowledgeBaseId": KB, "retrievalQuery": {"text": text}, **request},
    )
    return answer


def configured(kind: str = VECTOR, **configuration: Any) -> dict[str, Any]:
    return {"retrievalConfiguration": {kind: configuration}}


def uris(answer: dict[str, Any]) -> list[str]:
    return [result["location"]["s3Location"]["uri"] for result in answer["retrievalResults"]]


def test_five_results_come_as_the_retriever_found_them(
    agents: Any, endpoint: LocalEndpoint, retriever: ScriptedRetriever
) -> None:
    answer = search(agents)

    assert answer["retrievalResults"] == RESULTS[:5]
    assert "guardrailAction" not in answer
    assert retriever.searches == [Search("holidays", limit=5, offset=0, hybrid=True, filter=None)]
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "complete")
    assert (call.operation, call.knowledge_base_id, call.model_id, call.results) == ("Retrieve", KB, "", 5)


@pytest.mark.parametrize("kind", [VECTOR, MANAGED])
def test_the_configuration_reaches_the_retriever(agents: Any, retriever: ScriptedRetriever, kind: str) -> None:
    condition = {"andAll": [{"equals": {"key": "team", "value": "legal"}}, {"in": {"key": "year", "value": [1, 2]}}]}
    semantic = {"overrideSearchType": "SEMANTIC"} if kind == VECTOR else {}

    search(agents, **configured(kind, numberOfResults=7, filter=condition, **semantic))

    assert retriever.searches == [Search("holidays", 7, 0, hybrid=kind == MANAGED, filter=condition)]


def test_every_kind_of_location_and_content_passes_through(agents: Any, retriever: ScriptedRetriever) -> None:
    results: list[dict[str, Any]] = [
        {"content": {"type": "TEXT", "text": "t"}, "location": {"type": kind, member: {key: "there"}}, "score": 0.5}
        for kind, member, key in [
            ("WEB", "webLocation", "url"),
            ("CONFLUENCE", "confluenceLocation", "url"),
            ("SALESFORCE", "salesforceLocation", "url"),
            ("SHAREPOINT", "sharePointLocation", "url"),
            ("CUSTOM", "customDocumentLocation", "id"),
            ("KENDRA", "kendraDocumentLocation", "uri"),
            ("SQL", "sqlLocation", "query"),
            ("ONEDRIVE", "oneDriveLocation", "url"),
            ("GOOGLEDRIVE", "googleDriveLocation", "url"),
        ]
    ]
    results += [
        {"content": {"type": "IMAGE", "byteContent": "data:image/png;base64,YWJj"}},
        {"content": {"type": "ROW", "row": [{"columnName": "n", "columnValue": "1", "type": "LONG"}]}},
        {"content": {"type": "AUDIO", "audio": {"s3Uri": "s3://b/a.mp3", "transcription": "hello"}}},
        {"content": {"type": "VIDEO", "video": {"s3Uri": "s3://b/v.mp4", "summary": "a film"}}},
    ]
    retriever.results = tuple(results)

    assert search(agents, **configured(numberOfResults=20))["retrievalResults"] == results


def test_an_arn_names_a_knowledge_base_too(agents: Any, endpoint: LocalEndpoint) -> None:
    assert uris(search(agents, knowledgeBaseId=ARN)) == uris(search(agents))
    assert {call.knowledge_base_id for call in endpoint.calls} == {KB}


@pytest.mark.parametrize("size", [1, 5, 6, 12])
def test_pages_lead_to_every_result_once(agents: Any, size: int) -> None:
    seen: list[str] = []
    token: dict[str, Any] = {}
    while True:
        answer = search(agents, **configured(numberOfResults=size), **token)
        seen += uris(answer)
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
        assert len(answer["nextToken"]) <= 2048

    assert seen == [f"s3://handbook/{number}.md" for number in range(12)]


@pytest.mark.parametrize(
    "change",
    [
        {"retrievalQuery": {"text": "another"}},
        {"userContext": {"userId": "somebody-else"}},
        configured(numberOfResults=4),
        configured(numberOfResults=3, overrideSearchType="SEMANTIC"),
        configured(numberOfResults=3, filter={"equals": {"key": "a", "value": 1}}),
        configured(MANAGED, numberOfResults=3),
    ],
)
def test_a_token_of_another_request_is_refused(agents: Any, change: dict[str, Any]) -> None:
    request = {"userContext": {"userId": "me"}, **configured(numberOfResults=3)}
    token = search(agents, **request)["nextToken"]
    assert len(uris(search(agents, **request, nextToken=token))) == 3

    with pytest.raises(agents.exceptions.ValidationException, match="belongs to another request"):
        search(agents, **{**request, **change}, nextToken=token)


def test_a_token_of_another_knowledge_base_is_refused(agents: Any, endpoint: LocalEndpoint) -> None:
    endpoint.knowledge_bases["POLICIES01"] = ScriptedRetriever(RESULTS)
    token = search(agents)["nextToken"]

    with pytest.raises(agents.exceptions.ValidationException, match="belongs to another request"):
        search(agents, knowledgeBaseId="POLICIES01", nextToken=token)


@pytest.mark.parametrize("token", ["x", "YWJj", "MTIzIDQ1Ng==", "é", "a" * 2048])
def test_what_is_no_token_is_refused(agents: Any, token: str) -> None:
    with pytest.raises(agents.exceptions.ValidationException, match="nextToken is not valid"):
        search(agents, nextToken=token)


def test_a_knowledge_base_that_is_not_there_is_not_found(agents: Any) -> None:
    with pytest.raises(agents.exceptions.ResourceNotFoundException) as caught:
        search(agents, knowledgeBaseId="NOTTHERE01")

    assert caught.value.response["Error"]["Message"] == (
        f"Knowledge Base with id NOTTHERE01 does not exist. The local endpoint serves {KB}."
    )


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"retrievalQuery": {"text": ""}}, "The text field in retrievalQuery is empty."),
    ({"retrievalQuery": {"text": " \n"}}, "The text field in retrievalQuery is empty."),
    ({"retrievalQuery": {}}, "The text field in retrievalQuery is empty."),
    (
        {"retrievalQuery": {"type": "IMAGE", "image": {"format": "png", "inlineContent": b"abc"}}},
        "does not support image queries",
    ),
    ({"retrievalQuery": {"type": "IMAGE", "text": "x"}}, "does not support image queries"),
    (
        {"retrievalQuery": {"text": "x" * 20_001}},
        "at 'retrievalQuery.text' failed to satisfy constraint: Member must have length less than or equal to 20000",
    ),
    ({"knowledgeBaseId": "not-an-id!"}, "at 'knowledgeBaseId' failed to satisfy constraint"),
    (
        configured(numberOfResults=101),
        "Value '101' at 'retrievalConfiguration.vectorSearchConfiguration.numberOfResults' failed to satisfy "
        "constraint: Member must have value less than or equal to 100",
    ),
    (configured(overrideSearchType="WORDS"), "enum value set: [HYBRID, SEMANTIC]"),
    ({"retrievalConfiguration": {}}, "must set exactly one of the following keys: vectorSearchConfiguration, managed"),
    ({"retrievalConfiguration": {VECTOR: {}, MANAGED: {}}}, "must set exactly one of the following keys"),
    (configured(filter={"equals": {"key": "a" * 101, "value": 1}}), "less than or equal to 100"),
    (
        configured(filter={"orAll": [{"equals": {"key": "a", "value": 1}}, {"lessThan": {"key": "b", "value": "2"}}]}),
        "The value at retrievalConfiguration.vectorSearchConfiguration.filter.orAll.1.lessThan.value must be a number.",
    ),
    (configured(filter={"equals": {"key": "a", "value": ["b"]}}), "must be a string, a number or a boolean."),
    (configured(filter={"greaterThan": {"key": "a", "value": True}}), "must be a number."),
    (configured(filter={"in": {"key": "a", "value": "b"}}), "must be a list of at least one string, number or bool"),
    (configured(filter={"notIn": {"key": "a", "value": []}}), "must be a list of at least one"),
    (configured(filter={"in": {"key": "a", "value": [["b"]]}}), "must be a list of at least one"),
    (configured(filter={"startsWith": {"key": "a", "value": 1}}), "startsWith.value must be a string."),
    (configured(MANAGED, filter={"listContains": {"key": "a", "value": 1}}), "listContains.value must be a string."),
    (
        configured(
            implicitFilterConfiguration={
                "metadataAttributes": [{"key": "a", "type": "STRING", "description": "d"}],
                "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude",
            }
        ),
        "no model that writes filters",
    ),
    (configured(rerankingConfiguration={"type": "BEDROCK_RERANKING_MODEL"}), "bedrockRerankingConfiguration must be"),
    (configured(MANAGED, rerankingModelType="CUSTOM"), "set rerankingConfiguration too"),
    (
        {"guardrailConfiguration": {"guardrailId": "unknown", "guardrailVersion": "1"}},
        "The guardrail identifier or version provided in the request does not exist.",
    ),
    (
        {"guardrailConfiguration": {"guardrailId": "abc123", "guardrailVersion": "first"}},
        "Value 'first' at 'guardrailConfiguration.guardrailVersion'",
    ),
]

REFUSED_RAW: list[tuple[dict[str, Any], str, str]] = [
    ({"retrievalQuery": "text"}, "SerializationException", "can not be converted to a Structure at 'retrievalQuery'"),
    ({"retrievalQuery": None}, "ValidationException", "Value null at 'retrievalQuery'"),
    (configured(numberOfResults="5"), "SerializationException", "can not be converted to an Integer"),
    (configured(numberOfResults=0), "ValidationException", "greater than or equal to 1"),
    (configured(filter={}), "ValidationException", "RetrievalFilter object at retrievalConfiguration.vectorSearch"),
    (
        configured(filter={"equals": {"key": "a", "value": 1}, "in": {"key": "a", "value": ["b"]}}),
        "ValidationException",
        "must set only one of the following keys: andAll, equals",
    ),
    (configured(filter={"equal": {"key": "a", "value": 1}}), "ValidationException", "must be one of the known members"),
    (configured(filter={"equals": {"key": "a"}}), "ValidationException", "filter.equals.value' failed to satisfy"),
    ({"nextToken": "a b"}, "ValidationException", "Value 'a b' at 'nextToken'"),
    (
        configured(filter={"andAll": [{"equals": {"key": "a", "value": 1}}]}),
        "ValidationException",
        "filter.andAll' failed to satisfy constraint: Member must have length greater than or equal to 2",
    ),
    ({"retrieval": {}}, "ValidationException", "Member must be one of the known members: [guardrailConfiguration"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_boto3_is_refused_with_a_validation_exception(
    agents: Any, endpoint: LocalEndpoint, retriever: ScriptedRetriever, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(agents.exceptions.ValidationException) as caught:
        search(agents, **change)

    assert message in caught.value.response["Error"]["Message"]
    assert retriever.searches == []
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome != "running")
    assert (call.outcome, call.error, call.status) == ("failed", "ValidationException", 400)


@pytest.mark.parametrize(("change", "error", "message"), REFUSED_RAW)
def test_what_boto3_would_not_send_is_refused_too(
    raw: httpx2.Client, change: dict[str, Any], error: str, message: str
) -> None:
    answer = raw.post(f"/knowledgebases/{KB}/retrieve", json={"retrievalQuery": {"text": "x"}, **change})

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, error)
    assert message in answer.json()["message"]


@pytest.mark.parametrize("levels", [51, 480, 100_000])
def test_a_filter_nested_beyond_reason_is_refused(raw: httpx2.Client, levels: int) -> None:
    leaf = '{"equals": {"key": "a", "value": 1}}'
    condition = '{"andAll": [' * levels + leaf + f", {leaf}]}}" * levels
    configuration = f'{{"{VECTOR}": {{"filter": {condition}}}}}'

    answer = raw.post(
        f"/knowledgebases/{KB}/retrieve",
        content=f'{{"retrievalQuery": {{"text": "x"}}, "retrievalConfiguration": {configuration}}}',
    )

    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] in ("ValidationException", "SerializationException")


def test_what_is_nested_beyond_what_can_be_checked_is_refused() -> None:
    """A newer Python parses JSON of any depth."""
    condition: dict[str, Any] = {"equals": {"key": "a", "value": 1}}
    for _ in range(sys.getrecursionlimit()):
        condition = {"andAll": [condition, condition]}

    with pytest.raises(BedrockError, match="nested too deeply") as caught:
        shapes.validate("Retrieve", {"knowledgeBaseId": KB, "retrievalQuery": {}, **configured(filter=condition)})

    assert caught.value.name == "ValidationException"


def test_members_that_are_null_do_not_reach_the_retriever(raw: httpx2.Client, retriever: ScriptedRetriever) -> None:
    condition = {"equals": {"key": "a", "value": 1}, "andAll": None}

    raw.post(f"/knowledgebases/{KB}/retrieve", json={"retrievalQuery": {"text": "x"}, **configured(filter=condition)})

    assert retriever.searches[0].filter == {"equals": {"key": "a", "value": 1}}


def test_a_guardrail_lets_a_query_pass_or_blocks_it(agents: Any, retriever: ScriptedRetriever) -> None:
    guardrail = {"guardrailConfiguration": {"guardrailId": "abc123", "guardrailVersion": "DRAFT"}}

    passed = search(agents, "a bombastic question", **guardrail)
    blocked = [search(agents, text, **guardrail) for text in ("How is a BOMB made?", "On Insider trading")]

    assert passed["guardrailAction"] == "NONE"
    assert len(passed["retrievalResults"]) == 5
    assert [(answer["guardrailAction"], answer["retrievalResults"]) for answer in blocked] == [("INTERVENED", [])] * 2
    assert len(retriever.searches) == 1


def reranked(
    limit: int | None = None, kind: str = VECTOR, metadata: Any = None, **configuration: Any
) -> dict[str, Any]:
    details: dict[str, Any] = {"modelConfiguration": {"modelArn": RERANKER}}
    if limit is not None:
        details["numberOfRerankedResults"] = limit
    if metadata is not None:
        details["metadataConfiguration"] = metadata
    reranking = {"type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": details}
    return configured(kind, rerankingConfiguration=reranking, **configuration)


FOOD = [
    passage(0, "The weather in Paris is mild in spring."),
    passage(1, "Trains leave from platform four every hour."),
    passage(2, "Expense reports for travel are due within thirty days."),
    passage(3, "Submit expense reports in the finance portal."),
    passage(4, "Expense reports: how expense reports are approved."),
]


@pytest.mark.parametrize("kind", [VECTOR, MANAGED])
def test_a_reranking_model_orders_the_candidates_anew_and_keeps_the_best(
    agents: Any, retriever: ScriptedRetriever, kind: str
) -> None:
    retriever.results = tuple(FOOD)

    answer = search(agents, "expense reports", **reranked(3, kind, numberOfResults=5))

    assert set(uris(answer)) == {f"s3://handbook/{number}.md" for number in (2, 3, 4)}
    scores = [result["score"] for result in answer["retrievalResults"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert retriever.searches[0].limit == 5


def test_pages_of_reranked_results_lead_to_every_result_once(agents: Any, retriever: ScriptedRetriever) -> None:
    retriever.results = tuple(FOOD + [passage(number) for number in range(5, 12)])
    request = reranked(2, numberOfResults=5)
    seen: list[list[str]] = []
    token: dict[str, Any] = {}
    while True:
        answer = search(agents, "expense reports", **request, **token)
        seen.append(uris(answer))
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}

    assert [len(page) for page in seen] == [2, 2, 1, 2, 2, 1, 2]
    assert set(itertools.chain(*seen[:3])) == {f"s3://handbook/{number}.md" for number in range(5)}
    assert sorted(itertools.chain(*seen)) == sorted(f"s3://handbook/{number}.md" for number in range(12))


METADATA = [
    passage(0, "Nothing of interest.", team="nothing"),
    passage(1, "Nothing of interest.", secret="zebra crossing"),
    passage(2, "Nothing of interest.", title="zebra"),
]


@pytest.mark.parametrize(
    ("metadata", "first"),
    [
        (None, 0),
        ({"selectionMode": "ALL"}, 1),
        (
            {
                "selectionMode": "SELECTIVE",
                "selectiveModeConfiguration": {"fieldsToInclude": [{"fieldName": "title"}, {"fieldName": "none"}]},
            },
            2,
        ),
        (
            {
                "selectionMode": "SELECTIVE",
                "selectiveModeConfiguration": {"fieldsToExclude": [{"fieldName": "secret"}]},
            },
            2,
        ),
    ],
)
def test_the_model_reads_the_metadata_that_is_selected(
    agents: Any, retriever: ScriptedRetriever, metadata: Any, first: int
) -> None:
    retriever.results = tuple(METADATA)

    answer = search(agents, "zebra crossing", **reranked(metadata=metadata, numberOfResults=5))

    assert uris(answer)[0] == f"s3://handbook/{first}.md"


def test_managed_search_may_be_reranked_by_the_services_own_model_or_by_none(
    agents: Any, retriever: ScriptedRetriever
) -> None:
    retriever.results = tuple(FOOD)

    managed = search(agents, "expense reports", **configured(MANAGED, rerankingModelType="MANAGED"))
    none = search(agents, "expense reports", **reranked(2, MANAGED, rerankingModelType="NONE"))

    assert uris(managed)[0] in {f"s3://handbook/{number}.md" for number in (2, 3, 4)}
    assert none["retrievalResults"] == FOOD


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5",
        "arn:aws:bedrock:us-east-1::foundation-model/",
        "",
    ],
)
def test_a_model_that_reranks_nothing_is_refused(raw: httpx2.Client, arn: str) -> None:
    request = reranked(2)
    details = request["retrievalConfiguration"][VECTOR]["rerankingConfiguration"]["bedrockRerankingConfiguration"]
    details["modelConfiguration"]["modelArn"] = arn

    answer = raw.post(f"/knowledgebases/{KB}/retrieve", json={"retrievalQuery": {"text": "x"}, **request})

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "ValidationException")


class Held(Retriever):
    """Finds nothing until it is let go, or closed."""

    def __init__(self, size: int = 1) -> None:
        self.present = threading.Barrier(size + 1)
        self.go = threading.Event()
        self.closed = False

    def retrieve(self, search: Search) -> Found:
        self.present.wait(10)
        assert self.go.wait(10)
        if self.closed:
            raise BedrockError("InternalServerException", "It has been closed.")
        return Found([passage(0, search.text)], more=False)

    def close(self) -> None:
        self.closed = True
        self.go.set()


def test_a_search_holds_up_no_other_call() -> None:
    """16 searches wait in their retriever while a model answers; none of them is lost."""
    held = Held(16)
    with (
        LocalEndpoint(engine=EchoEngine(pace=0), knowledge_bases={KB: held}) as endpoint,
        ThreadPoolExecutor(16) as threads,
    ):
        agents, client = bedrock(endpoint, "bedrock-agent-runtime", pool=16), bedrock(endpoint)
        answers = [threads.submit(search, agents, f"number {number}") for number in range(16)]
        held.present.wait(10)

        assert client.converse(modelId=MODEL, messages=HELLO)["stopReason"] == "end_turn"
        held.go.set()

        texts = [answer.result()["retrievalResults"][0]["content"]["text"] for answer in answers]
        agents.close()
        client.close()
    assert texts == [f"number {number}" for number in range(16)]


def test_close_ends_the_searches_under_way_and_closes_each_retriever() -> None:
    held, idle = Held(), ScriptedRetriever()
    endpoint = LocalEndpoint(knowledge_bases={KB: held, "IDLE000001": idle})
    endpoint.start()
    agents = bedrock(endpoint, "bedrock-agent-runtime")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(search, agents)
        held.present.wait(10)

        endpoint.close()
        endpoint.close()

        assert isinstance(answer.exception(10), ConnectionClosedError)
    agents.close()
    assert held.closed
    assert idle.closed
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("local-search")]


def test_an_endpoint_that_never_started_closes_its_retrievers_too() -> None:
    retriever = ScriptedRetriever()

    LocalEndpoint(knowledge_bases={KB: retriever}).close()

    assert retriever.closed


@pytest.mark.parametrize("name", ["handbook", "HANDBOOK001", "HANDBOOK-1", ""])
def test_what_is_no_knowledge_base_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="ten letters and digits"):
        LocalEndpoint(knowledge_bases={name: ScriptedRetriever()})


def test_what_a_retriever_raises_is_what_the_caller_gets(agents: Any, endpoint: LocalEndpoint) -> None:
    class Failing(ScriptedRetriever):
        def retrieve(self, search: Search) -> Found:
            raise BedrockError("ServiceQuotaExceededException", "Too large an index.")

    endpoint.knowledge_bases["FAILING001"] = Failing()

    with pytest.raises(agents.exceptions.ServiceQuotaExceededException, match="Too large an index"):
        search(agents, knowledgeBaseId="FAILING001")


def test_a_mistake_in_a_retriever_is_an_internal_error_and_is_logged(
    agents: Any, endpoint: LocalEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(ScriptedRetriever):
        def retrieve(self, search: Search) -> Found:
            raise LookupError("no such table")

    endpoint.knowledge_bases["BROKEN0001"] = Broken()

    with pytest.raises(agents.exceptions.InternalServerException, match="LookupError: no such table"):
        search(agents, knowledgeBaseId="BROKEN0001")
    assert "failed in Retrieve" in caplog.text


EXCEPTIONS = {
    "AccessDeniedException": 403,
    "BadGatewayException": 502,
    "ConflictException": 409,
    "DependencyFailedException": 424,
    "InternalServerException": 500,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 400,
    "ThrottlingException": 429,
    "ValidationException": 400,
}


@pytest.mark.parametrize(("name", "status"), EXCEPTIONS.items())
def test_each_exception_arrives_as_its_class(agents: Any, endpoint: LocalEndpoint, name: str, status: int) -> None:
    endpoint.faults.add(Fault(error=name, message="as asked", times=1))

    with pytest.raises(getattr(agents.exceptions, name), match="as asked") as caught:
        search(agents)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert len(uris(search(agents))) == 5


def test_a_fault_strikes_only_the_knowledge_base_and_the_operation_it_names(
    agents: Any, client: Any, endpoint: LocalEndpoint
) -> None:
    endpoint.knowledge_bases["POLICIES01"] = ScriptedRetriever(RESULTS)
    endpoint.faults.add(
        Fault(error="ThrottlingException", knowledge_base_id=KB),
        Fault(error="AccessDeniedException", operation="Retrieve", knowledge_base_id="POLICIES01"),
        Fault(error="ConflictException", model_id=MODEL, operation="Retrieve"),
    )

    assert client.converse(modelId=MODEL, messages=HELLO)["stopReason"] == "end_turn"
    with pytest.raises(agents.exceptions.ThrottlingException):
        search(agents)
    with pytest.raises(agents.exceptions.ThrottlingException):
        search(agents, knowledgeBaseId=ARN)
    with pytest.raises(agents.exceptions.AccessDeniedException):
        search(agents, knowledgeBaseId="POLICIES01")


def test_a_request_at_fault_uses_up_no_fault(agents: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", times=1))

    with pytest.raises(agents.exceptions.ValidationException):
        search(agents, "")
    with pytest.raises(agents.exceptions.ThrottlingException):
        search(agents)


@pytest.mark.parametrize("at", [None, 1])
def test_a_stall_is_a_read_timeout_and_the_client_is_seen_to_go(endpoint: LocalEndpoint, at: int | None) -> None:
    endpoint.faults.add(Fault(kind="stall", at=at))
    agents = bedrock(endpoint, "bedrock-agent-runtime", read_timeout=0.3)

    with pytest.raises(ReadTimeoutError):
        search(agents)

    agents.close()
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "aborted")
    assert call.operation == "Retrieve"


@pytest.mark.parametrize("kind", ["slow", "slow_start"])
def test_a_slow_search_is_slow_and_comes_whole(agents: Any, endpoint: LocalEndpoint, kind: Any) -> None:
    endpoint.faults.add(Fault(kind=kind, seconds=0.2))

    assert len(uris(search(agents))) == 5
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "complete")
    assert call.seconds >= 0.2


def test_a_connection_cut(agents: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="break"))

    with pytest.raises(ConnectionClosedError):
        search(agents)


def test_an_answer_that_is_no_json_reaches_the_caller_without_its_results(agents: Any, endpoint: LocalEndpoint) -> None:
    """boto3 does not complain of it: a caller of Retrieve must."""
    endpoint.faults.add(Fault(kind="garbage"))

    assert "retrievalResults" not in search(agents)


def test_another_process_sees_the_searches_and_adds_faults(agents: Any, raw: httpx2.Client) -> None:
    search(agents, "where is it?")

    [call] = raw.get("/_local/calls?content=1").json()["calls"]
    assert (call["operation"], call["knowledge_base_id"], call["results"]) == ("Retrieve", KB, 5)
    assert call["request"] == {"retrievalQuery": {"text": "where is it?"}}
    raw.post("/_local/faults", json={"error": "ThrottlingException", "knowledge_base_id": KB})
    with pytest.raises(agents.exceptions.ThrottlingException):
        search(agents)
