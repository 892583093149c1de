"""The JSON Schemas that ship: in step with the dataclasses, complete for an editor, and valid themselves."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from botocore.loaders import Loader
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from gateway.catalog import entries, models, specialists
from gateway.catalog.file_inputs import FileInput
from gateway.catalog.schemas import KINDS, SPECIALISTS, schema_of, text_of
from gateway.catalog.search_schema import search_input_schema
from gateway.commands import app

SPECIALIST, AGENT, EMBEDDING, IMAGE, KNOWLEDGE_BASE, GATEWAY = (schema_of(kind) for kind in KINDS)
OBJECTS = {
    specialists.ConverseSpecialist: SPECIALIST,
    specialists.AgentSpecialist: AGENT,
    specialists.EmbeddingSpecialist: EMBEDDING,
    specialists.ImageSpecialist: IMAGE,
    specialists.Output: SPECIALIST["properties"]["output"],
    specialists.ResponsePaths: SPECIALIST["properties"]["answer"],
    specialists.Reasoning: SPECIALIST["properties"]["reasoning"],
    specialists.Turns: SPECIALIST["properties"]["turns"],
    specialists.ToolLimits: SPECIALIST["properties"]["tool_limits"],
    specialists.Annotations: SPECIALIST["properties"]["annotations"],
    specialists.Cache: SPECIALIST["properties"]["cache"],
    specialists.KnowledgeBinding: SPECIALIST["properties"]["knowledge_bases"]["items"],
    entries.KnowledgeBase: KNOWLEDGE_BASE,
    entries.CallerFilter: KNOWLEDGE_BASE["properties"]["caller_filters"]["additionalProperties"],
    entries.Reranking: KNOWLEDGE_BASE["properties"]["reranking"],
    entries.RerankingMetadata: KNOWLEDGE_BASE["properties"]["reranking"]["properties"]["metadata"],
    specialists.Guardrail: SPECIALIST["properties"]["guardrail"],
    entries.Settings: GATEWAY,
    entries.Defaults: GATEWAY["properties"]["defaults"],
    entries.ModelOverride: GATEWAY["$defs"]["model"],
    entries.Price: GATEWAY["$defs"]["model"]["properties"]["price"],
    entries.Http: GATEWAY["properties"]["http"],
    entries.Access: GATEWAY["properties"]["access"],
    entries.Jwt: GATEWAY["properties"]["access"]["properties"]["jwt"],
    entries.LintSettings: GATEWAY["properties"]["lint"],
}
KINDS_OF_SPECIALIST = tuple(each for each in OBJECTS if issubclass(each, specialists.Specialist))
NOT_WRITTEN = {"path"}  # where the entry comes from
WRITTEN_TWO_WAYS = {"system_prompt_file": "system_prompt"}
DURATIONS = {"timeout", "ttl", "session_ttl"}
SIZES = {"max_body"}
SHORTHAND = {"caller_filters": "array", "metadata": "string", "turns": "boolean"}  # what else than a mapping it takes
ONE_OR_SEVERAL = {"model_id", "audience", "input_type"}
WORDS_OF_THE_TABLE = {(entries.ModelOverride, "reasoning")}
SWITCHES = {"prompt_caching"}  # true and false, besides the words
BEDROCKS_OWN = ("filter", "condition", "metadata")  # mappings that have no room for notes


@pytest.mark.parametrize("entry", OBJECTS, ids=lambda entry: entry.__name__)
def test_fields_and_keys_are_the_same(entry: type) -> None:
    keys = {WRITTEN_TWO_WAYS.get(key, key) for key in OBJECTS[entry]["properties"]}
    written = {field.name for field in fields(entry)} - NOT_WRITTEN
    if entry in KINDS_OF_SPECIALIST:
        written = (written | {"kind"}) - ({"inputs"} if entry is specialists.EmbeddingSpecialist else set())
    assert keys == written


@pytest.mark.parametrize("entry", OBJECTS, ids=lambda entry: entry.__name__)
def test_a_field_has_the_type_its_key_takes(entry: type) -> None:
    hints = get_type_hints(entry)
    hints["kind"] = Literal[entry.kind] if entry in KINDS_OF_SPECIALIST else None
    for key, schema in OBJECTS[entry]["properties"].items():
        if (entry, key) in WORDS_OF_THE_TABLE:
            continue
        hint = hints[WRITTEN_TWO_WAYS.get(key, key)]
        assert json_types(schema) == field_types(key, hint), f"{entry.__name__}.{key}"


@pytest.mark.parametrize("entry", OBJECTS, ids=lambda entry: entry.__name__)
def test_a_field_without_a_default_is_a_key_that_is_required_or_found_elsewhere(entry: type) -> None:
    elsewhere = {"name", "system_prompt", "user_prompt", "inputs"} if entry in KINDS_OF_SPECIALIST else set()
    elsewhere |= {"model_id"} if entry is specialists.ConverseSpecialist else set()
    elsewhere |= {"name"} if entry is entries.KnowledgeBase else set()
    needed = {each.name for each in fields(entry) if each.default is MISSING and each.default_factory is MISSING}
    chosen = {"kind"} if entry in KINDS_OF_SPECIALIST and entry is not specialists.ConverseSpecialist else set()
    assert set(OBJECTS[entry].get("required", ())) == (needed - elsewhere) | chosen


def test_every_dataclass_that_is_written_in_a_file_is_compared() -> None:
    others = {specialists.PromptSource, specialists.Specialist, FileInput, entries.Catalog}
    named = [*vars(entries).values(), *vars(specialists).values()]
    known = {each for each in named if isinstance(each, type) and is_dataclass(each)}
    assert known - others == set(OBJECTS)


def json_types(schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return {"object"}
    if "enum" in schema:
        return {f"={each}" for each in schema["enum"]}
    if {"items", "pattern"} <= schema.keys() and "enum" in schema["items"]:
        return {f"={each}" for each in schema["items"]["enum"]}
    found = schema["type"]
    return set(found) if isinstance(found, list) else {found}


def field_types(key: str, hint: Any) -> set[str]:
    """The JSON types that make a value of this Python type."""
    if get_origin(hint) in (Union, types.UnionType):
        return set().union(*(field_types(key, each) for each in get_args(hint) if each is not type(None)))
    if get_origin(hint) is Literal:
        return {f"={each}" for each in [*get_args(hint), *([True, False] if key in SWITCHES else ())]}
    if get_origin(hint) is tuple and get_origin(get_args(hint)[0]) is Literal:
        return field_types(key, get_args(hint)[0])
    if get_origin(hint) is tuple:
        return {"array", "string"} if key in ONE_OR_SEVERAL else {"array"}
    if key in DURATIONS | SIZES:
        return {"string"}
    if (is_dataclass(hint) and hint is not specialists.PromptSource) or get_origin(hint) is not None:
        return {"object"} | ({SHORTHAND[key]} if key in SHORTHAND else set())
    names = {bool: "boolean", int: "integer", float: "number"}
    return {names.get(hint, "string")}


def objects(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield where, schema
        for key, each in schema.items():
            if key not in {"examples", "json_schema"}:
                yield from objects(each, f"{where}/{key}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_valid_and_each_key_has_a_description_and_an_example_that_fits(kind: Any) -> None:
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    found = dict(objects(schema, kind))
    assert found
    for where, each in found.items():
        assert each["additionalProperties"] is False, where
        assert where.endswith(BEDROCKS_OWN) or set(each["patternProperties"]) == {"^x-"}, where
        for key, value in each["properties"].items():
            assert value.get("description", "").endswith("."), f"{where}/{key}"
            if where.endswith(("/filter", "_condition")):
                continue  # the filter's one example stands at its top
            assert value["examples"], f"{where}/{key}"
            whole = Draft202012Validator({**value, "$defs": schema.get("$defs", {})})
            for example in value["examples"]:
                assert whole.is_valid(example), f"{where}/{key}: {example}"


def test_a_filter_is_the_same_wherever_it_is_written() -> None:
    names = [name for name in KNOWLEDGE_BASE["$defs"] if name == "filter" or name.endswith(("attribute", "condition"))]
    assert len(names) == 6
    assert {name: SPECIALIST["$defs"][name] for name in names} == {
        name: KNOWLEDGE_BASE["$defs"][name] for name in names
    }


def test_what_several_kinds_have_is_the_same_in_each() -> None:
    for one in (AGENT, EMBEDDING, IMAGE):
        for key in {field.name for field in fields(specialists.Specialist)} & one["properties"].keys():
            same = {**SPECIALIST["properties"][key], "description": one["properties"][key]["description"]}
            assert one["properties"][key] == (same if key == "progress" else SPECIALIST["properties"][key]), key
        for name, definition in one.get("$defs", {}).items():
            assert definition == SPECIALIST["$defs"][name], name
        used = set(re.findall(r'"\$ref": "#/\$defs/(\w+)"', json.dumps(one)))
        assert used == set(one.get("$defs", {}))


def test_the_kind_chooses_the_schema() -> None:
    assert {each.kind: kind for each, kind in zip(KINDS_OF_SPECIALIST, KINDS[:4], strict=True)} == SPECIALISTS
    for kind, name in SPECIALISTS.items():
        assert schema_of(name)["properties"]["kind"]["enum"] == [kind]


def test_a_model_can_be_described_in_the_words_of_the_table() -> None:
    model = GATEWAY["$defs"]["model"]["properties"]
    assert set(model["refuses"]["items"]["enum"]) == models.REFUSALS
    assert set(model["reasoning"]["enum"]) == set(models.reasonings())


def test_what_bedrock_bounds_is_bounded_as_it_bounds_it() -> None:
    """The newest service model that is installed, against what an author may write."""
    shapes = Loader().load_service_model("bedrock-agent-runtime", "service-2")["shapes"]
    search, properties = KNOWLEDGE_BASE["$defs"], KNOWLEDGE_BASE["properties"]
    assert set(search["filter"]["properties"]) == set(shapes["RetrievalFilter"]["members"])
    assert search["filter"]["properties"]["andAll"]["minItems"] == shapes["RetrievalFilterList"]["min"]
    assert "max" not in shapes["RetrievalFilterList"]
    for condition in ("scalar_condition", "number_condition", "text_condition", "list_condition"):
        assert set(search[condition]["properties"]) == set(shapes["FilterAttribute"]["members"])
    assert (search["attribute"]["minLength"], search["attribute"]["maxLength"]) == _length(shapes["FilterKey"])
    most = "KnowledgeBaseVectorSearchConfigurationNumberOfResultsInteger"
    managed = "ManagedSearchConfigurationNumberOfResultsInteger"
    for key in (properties["num_results"], properties["reranking"]["properties"]["candidates"]):
        assert (key["minimum"], key["maximum"]) == _length(shapes[most]) == _length(shapes[managed])
    metadata = properties["reranking"]["properties"]["metadata"]["properties"]["include"]
    assert (metadata["minItems"], metadata["maxItems"]) == _length(shapes["FieldsForReranking"])
    assert metadata["items"]["maxLength"] == shapes["FieldForRerankingFieldNameString"]["max"]
    guardrail = properties["guardrail"]["properties"]
    for key, shape in (("id", "GuardrailIdString"), ("version", "GuardrailVersionString")):
        said = shapes[f"GuardrailConfiguration{shape}"]
        for text in ("DRAFT", "1", "12345678", "123456789", "0", "a" * 64, "a" * 65, "A", "", "12345"):
            fits = re.search(said["pattern"], text) is not None and len(text) <= said["max"]
            assert takes(guardrail[key], text) == fits, text
    types = {each.lower() for each in shapes["AttributeType"]["enum"]}
    assert types == set(properties["caller_filters"]["additionalProperties"]["properties"]["type"]["enum"])
    assert properties["search_type"]["enum"] == [each.lower() for each in shapes["SearchType"]["enum"]]
    query = search_input_schema(entries.KnowledgeBase("a", "A.", "ABCDEFGHIJ"))["properties"]["query"]
    assert query["maxLength"] == shapes["KnowledgeBaseQueryTextString"]["max"]


def test_what_converse_bounds_is_bounded_as_it_bounds_it() -> None:
    shapes = Loader().load_service_model("bedrock-runtime", "service-2")["shapes"]
    properties = SPECIALIST["properties"]
    sequences = properties["stop_sequences"]
    assert sequences["maxItems"] == shapes["InferenceConfigurationStopSequencesList"]["max"]
    assert sequences["items"]["minLength"] == shapes["NonEmptyString"]["min"]
    metadata, logged = properties["request_metadata"], shapes["RequestMetadata"]
    assert (metadata["minProperties"], metadata["maxProperties"]) == _length(logged)
    for schema, shape in ((metadata["propertyNames"], "Key"), (metadata["additionalProperties"], "Value")):
        assert schema["pattern"] == f"^{shapes[f'RequestMetadata{shape}String']['pattern']}$"
    assert properties["performance"]["enum"] == shapes["PerformanceConfigLatency"]["enum"]
    assert properties["service_tier"]["enum"] == shapes["ServiceTierType"]["enum"]
    assert properties["prompt_caching"]["enum"][2:] == shapes["CacheTTL"]["enum"]
    for key in ("temperature", "top_p"):
        limits = shapes[f"InferenceConfiguration{'Temperature' if key == 'temperature' else 'TopP'}Float"]
        assert (properties[key]["minimum"], properties[key]["maximum"]) == _length(limits)
    for key, shape in (("id", "GuardrailIdentifier"), ("version", "GuardrailVersion")):
        arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc123"
        for text in ("DRAFT", "1", "12345678", "123456789", "0", "abc123", "Abc", arn, f"{arn}/x"):
            fits = re.fullmatch(shapes[shape]["pattern"], text) is not None
            assert takes(properties["guardrail"]["properties"][key], text) == fits, text


def test_what_an_agent_bounds_is_bounded_as_it_bounds_it() -> None:
    shapes = Loader().load_service_model("bedrock-agent-runtime", "service-2")["shapes"]
    for key, shape in (("agent_id", "AgentId"), ("agent_alias_id", "AgentAliasId")):
        for text in ("ABCDEFGHIJ", "a1", "ABCDEFGHIJK", "A-B", "TSTALIASID"):
            fits = re.search(shapes[shape]["pattern"], text) is not None and len(text) <= shapes[shape]["max"]
            assert takes(AGENT["properties"][key], text) == fits, text


def takes(schema: dict[str, Any], text: str) -> bool:
    return bool(Draft202012Validator(schema).is_valid(text))


def _length(shape: dict[str, Any]) -> tuple[int, int]:
    return shape["min"], shape["max"]


def test_the_schemas_print_as_they_are_shipped() -> None:
    for kind in KINDS:
        printed = CliRunner().invoke(app, ["schema", kind.replace("_", "-")])
        assert (printed.exit_code, printed.stdout) == (0, text_of(kind))
        assert json.loads(printed.stdout)["$schema"].endswith("2020-12/schema")
