"""The rules that reading a catalog can find broken: each with its severity and the page `lint --explain` prints."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.catalog.diagnostics import Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: `title` is one sentence; `explanation` says why it matters, how to mend it, and gives an example."""

    id: str
    severity: Severity
    title: str
    explanation: str


CATALOG_RULES: tuple[Rule, ...] = (
    Rule(
        "unreadable-file",
        ERROR,
        "A file of the catalog cannot be read.",
        "A name in `specialists/` or `knowledge_bases/` that ends in `.yaml` or `.yml` is read as an entry, so it has"
        " to be a regular file that the gateway may read, or a link to one inside the catalog. A folder, a dangling"
        " link, a pipe or a file without read permission is reported here and never waited for."
        " Mend the permission (`chmod a+r FILE`), or move what is no entry elsewhere.",
    ),
    Rule(
        "stray-file",
        WARNING,
        "A file looks like part of the catalog but is not read.",
        "Entries are the files ending in `.yaml` or `.yml` directly in `specialists/` and `knowledge_bases/`, and the"
        " settings are `gateway.yaml`. A file such as `reviewer.yaml.txt`, `reviewer.YAML`, `legal/reviewer.yaml` or"
        " `gateway.yml` looks meant and would be ignored without a word. Rename or move it; give a file that is rightly"
        " ignored another ending.",
    ),
    Rule(
        "path-outside",
        ERROR,
        "A path leads out of the catalog's folder.",
        "A catalog reads nothing but its own folder, so that it means the same on every machine and a change by a"
        " stranger can be linted safely. Paths in a file are relative to that file; absolute paths and links whose"
        " target lies elsewhere are refused. Copy the file into the catalog, for example to"
        " `specialists/prompts/reviewer.md.j2`, and name it as `prompts/reviewer.md.j2`.",
    ),
    Rule(
        "yaml-encoding",
        ERROR,
        "A file is not plain UTF-8 text.",
        "Catalog files are UTF-8 without control characters; a byte order mark at the start is accepted. The line and"
        " column are those of the first byte or character that does not belong. Save the file as UTF-8. U+0085, U+2028"
        " and U+2029 end a line for some YAML readers and not for others, so they are refused too: replace them with"
        " an ordinary line break.",
    ),
    Rule(
        "yaml-limits",
        ERROR,
        "A file is larger or deeper than any catalog entry needs.",
        "A file may have at most 1 MiB, 48 levels and 20,000 keys and values, with each alias counted as all that it"
        " stands for. The bounds keep a hostile file from exhausting the machine that lints it. Move a long prompt into"
        " a file of its own with `system_prompt_file`; it may have 1 MiB, too.",
    ),
    Rule(
        "yaml-syntax",
        ERROR,
        "A file is not valid YAML.",
        "Nothing in the file can be trusted after the place where it stops being YAML, so the rest of this file is not"
        " checked; all other files are. The usual causes are a text with a colon or a brace in it that needs quotes"
        ' (`user_prompt: "{{ content }}"`), a tab used to indent, and a line indented differently from its neighbours.',
    ),
    Rule(
        "yaml-duplicate-key",
        ERROR,
        "A mapping has the same key twice.",
        "Most YAML readers keep the last of two equal keys without a word, so one of the two values would silently not"
        " count. Remove one of them, or rename it.",
    ),
    Rule(
        "yaml-key",
        ERROR,
        "A key is not a text.",
        "Keys become JSON, where a key is always a text. A number, a truth value, nothing, a list or a mapping as a key"
        ' is refused. Quote it: `"1": one`. A key that is a mapping is usually a template that lacks its quotes: write'
        ' `user_prompt: "{{ content }}"`.',
    ),
    Rule(
        "yaml-merge-key",
        ERROR,
        "A merge key (`<<`) is used.",
        "Merge keys belong to YAML 1.1; in YAML 1.2 `<<` is a key like any other, so two readers would disagree about"
        " the file. Write the keys out. An alias for a whole value (`inputs: *common`) works, and so do the `defaults`"
        " in gateway.yaml.",
    ),
    Rule(
        "yaml-tag",
        ERROR,
        "A YAML tag or directive is used that means nothing here.",
        "Values are what they look like: text, numbers, true, false, null, lists and mappings. Tags that construct"
        " anything else, such as `!!python/object` or `!include`, are refused, and so are `%TAG` directives. Remove the"
        " tag. For a text that looks like a number, write quotes.",
    ),
    Rule(
        "yaml-empty",
        ERROR,
        "A file holds nothing.",
        "An entry needs at least a description and a system prompt. Fill the file, or delete it. Only gateway.yaml may"
        " be empty.",
    ),
    Rule(
        "yaml-documents",
        ERROR,
        "A file holds several YAML documents.",
        "One file is one entry, so everything after a second `---` would be ignored. Put each document into a file of"
        " its own.",
    ),
    Rule(
        "unknown-key",
        ERROR,
        "A key is not one the gateway knows.",
        "A misspelt key would silently do nothing. The nearest known key is offered. Keys that begin with `x-` are free"
        " for notes and tools of your own: `x-owner: platform`. Only Bedrock's own mappings have no room"
        " for them: a filter, and the reranking's metadata. Each `kind` of specialist has keys of its own: `agent_id`"
        " goes with `kind: agent`. `gateway schema specialist` prints every key of kind `converse`, `gateway schema"
        " agent`, `embedding` and `image` those of the others.",
    ),
    Rule(
        "missing-key",
        ERROR,
        "A key that is needed is missing.",
        "Every file needs `description`. A specialist of kind `converse`, which is the default, needs one of"
        " `system_prompt` and `system_prompt_file`, a `model_id` (its own, or `defaults.model_id` in gateway.yaml),"
        " and with `api: invoke` also `body` and `answer`. One of kind `agent` needs `agent_id` and `agent_alias_id`,"
        " one of kind `embedding` or `image` its own `model_id`. Whatever is asked in words needs a `user_prompt`,"
        " unless it has an input named `content`. A knowledge base needs `knowledge_base_id`. Add the key at the place"
        " that is named.",
    ),
    Rule(
        "wrong-value",
        ERROR,
        "A value has the wrong type, or lies outside its range.",
        "The message says what the key takes and quotes what it was given. Quotes make a text of a number, so"
        ' `temperature: "0.3"` is refused where `temperature: 0.3` is meant. Numbers are those that JSON carries:'
        " finite, integers of at most 64 bits. Values that look like a credential are never quoted.",
    ),
    Rule(
        "bad-duration",
        ERROR,
        "A duration is not a whole number with a unit, or is too long.",
        "Durations are written with one of the units s, m, h and d: `300s`, `15m`, `24h`, `7d`. A bare number is"
        " refused, because its reader cannot see whether it means seconds or minutes. `timeout` takes at most 24h, the"
        " `ttl` of a cache at most 365d, and that of a conversation or a session at most 7d.",
    ),
    Rule(
        "env-unset",
        WARNING,
        "An environment variable that the catalog names is not set.",
        "`${NAME}` is read from the environment in the ids of models, agents, guardrails and knowledge bases, and in"
        " gateway.yaml, so that one catalog serves several accounts. Unset or empty, it is a warning in `gateway"
        " lint`, where the real environment is elsewhere, and an error in `gateway serve`, where it is needed. Set it,"
        " or write a default: `${NAME:-global.anthropic.claude-haiku-5-5}`.",
    ),
    Rule(
        "env-syntax",
        ERROR,
        "A `${` does not begin a well-formed reference to the environment.",
        "The two forms are `${NAME}` and `${NAME:-default}`, where NAME consists of letters, digits and `_` and does"
        " not begin with a digit. A reference cannot stand inside another one.",
    ),
    Rule(
        "name-invalid",
        ERROR,
        "A name cannot be used as a tool's name.",
        "The name of a specialist is the name of its MCP tool, and clients and models accept only a plain word:"
        " lower-case letters, digits and `_`, beginning with a letter, at most 64 characters. A knowledge base's name"
        " has at most 57, because its tool is called `search_NAME`. Without `name`, the file's name is used: rename"
        " `Code-Reviewer.yaml` to `code_reviewer.yaml`, or write `name: code_reviewer`.",
    ),
    Rule(
        "name-taken",
        ERROR,
        "Two entries have the same name.",
        "Each name is one tool, so the second entry could never be called. Tools made for knowledge bases count:"
        " knowledge base `handbook` makes the tool `search_handbook`. Rename one of the two.",
    ),
    Rule(
        "input-name",
        ERROR,
        "An input's name cannot be used in a template.",
        "An input is a variable in the prompts, so its name consists of letters, digits and `_`, does not begin with a"
        " digit, has at most 64 characters, and is no word of the template language, such as `in`, `not` or `true`."
        " Rename `source-code` to `source_code`. What the gateway adds to a tool by itself, such as `conversation` with"
        " `turns`, is taken, too.",
    ),
    Rule(
        "input-schema",
        ERROR,
        "An input's schema is not valid JSON Schema.",
        "What stands under an input is a JSON Schema (2020-12) that goes to every client as it is; clients refuse a"
        " tool whose schema is wrong. A `$ref` may only point into the same input (`#/$defs/item`): nothing is ever"
        " fetched. Example: `language: {type: string, enum: [Python, Go], default: Python}`.",
    ),
    Rule(
        "input-keyword",
        WARNING,
        "An input's schema has a keyword that JSON Schema does not know.",
        "JSON Schema ignores keywords it does not know, so a misspelt `defualt` makes an optional input required"
        " without a word. The nearest known keyword is offered. Keywords that begin with `x-` are free.",
    ),
    Rule(
        "file-input",
        ERROR,
        "An input that is a file says something that no file can satisfy.",
        "A text of `format: image`, `document`, `audio` or `video` is a file: `{type: string, format: image}`, or a"
        " list of such, `{type: array, items: {type: string, format: image}}`. What callers pass is base64, a data URI"
        " or the URI of a resource of this gateway, so that `pattern`, `enum` and lengths of the text say nothing of"
        " the file, and the only default is null, which makes it optional. Files stand at the top of `inputs`; kind"
        " `agent` takes none, kind `image` takes images.",
    ),
    Rule(
        "output-schema",
        ERROR,
        "The schema of a structured answer is not valid JSON Schema of an object.",
        "`output.schema` is a JSON Schema (2020-12) that goes to the model and to every client as the tool's output"
        " schema, and both want an object at its top: `{type: object, properties: {verdict: {type: string}}, required:"
        " [verdict]}`. A `$ref` may only point into the same schema (`#/$defs/item`): nothing is ever fetched.",
    ),
    Rule(
        "output-keyword",
        WARNING,
        "The schema of a structured answer has a keyword that JSON Schema does not know.",
        "JSON Schema ignores keywords it does not know, so what a misspelt `requierd` was meant to ask for is not"
        " asked. The nearest known keyword is offered. Keywords that begin with `x-` are free.",
    ),
    Rule(
        "key-combination",
        ERROR,
        "Two keys of a file cannot stand beside each other, or one stands without the other.",
        "What the second one was written for could not happen. `body` and `answer` are for `api: invoke`, whose request"
        " is `body` alone: it takes no sampling parameters beside it, and no `output`, `tools`, `turns`, `reasoning`,"
        " `prompt_caching` or files. `reasoning` is a `budget` or an `effort`, by what the model's family takes. An"
        " image's `width` goes with its `height`. Remove the one that is not meant.",
    ),
    Rule(
        "prompt-file",
        ERROR,
        "A system prompt's file cannot be used.",
        "`system_prompt_file` names a text file, relative to the specialist's own file and inside the catalog. It must"
        " exist, be readable UTF-8 of at most 1 MiB, and not be empty.",
    ),
    Rule(
        "local-folder",
        ERROR,
        "A knowledge base's local folder is not there.",
        "`local` names the folder whose files stand in for the knowledge base without AWS, relative to the knowledge"
        " base's own file and inside the catalog. Create it, or remove the key.",
    ),
)

SEVERITIES = {rule.id: rule.severity for rule in CATALOG_RULES}
