"""An engine whose text is written by any OpenAI-compatible server: Ollama, llama.cpp, vLLM and their like.

Whatever goes wrong there is a ServiceUnavailableException here; no other engine ever steps in.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.local.engine import Finish, ModelRequest, Parts
from gateway.local.engines.openai_messages import chat
from gateway.local.engines.openai_stream import Reading, reason_given
from gateway.local.errors import UnavailableError

if TYPE_CHECKING:
    import httpx2

_CONNECT_SECONDS = 5.0
_SILENCE_SECONDS = 600.0  # a large prompt on a small machine is silent for minutes


class OpenAiEngine:
    """Asks `POST {url}/v1/chat/completions`, streamed; `url` may itself end in `/v1`.

    Without `model` the first of `GET /v1/models` is asked. `api_key` is sent as a bearer token. Raises ValueError for a
    URL that is none. A proxy from the environment is never used for a URL on this machine.
    """

    def __init__(self, url: str, *, model: str | None = None, api_key: str | None = None) -> None:
        self.url = _base(url)
        self.model = model
        self.api_key = api_key
        self._client: httpx2.AsyncClient | None = None

    async def generate(self, request: ModelRequest) -> Parts:
        import httpx2

        client = self._connected()
        payload = chat(request, self.model or await self._first_model(client))
        try:
            async with client.sse(f"{self.url}/chat/completions", method="POST", json=payload) as events:
                if (status := events.response.status_code) != 200:
                    raise UnavailableError(
                        f"{self._who} answered {status}: {reason_given(await events.response.aread())}"
                    )
                reading = Reading(self._who)
                async for event in events:
                    for part in reading.read(event.data):
                        yield part
                        if isinstance(part, Finish):
                            return
                for part in reading.end():
                    yield part
        except httpx2.HTTPError as error:
            raise UnavailableError(f"{self._who} failed: {type(error).__name__}: {error}") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    @property
    def _who(self) -> str:
        return f"The language model at {self.url}"

    def _connected(self) -> httpx2.AsyncClient:
        """The one client, made in the endpoint's loop when the first request comes."""
        if self._client is None:
            import httpx2

            self._client = httpx2.AsyncClient(
                timeout=httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS, pool=None),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=8),
                headers={"authorization": f"Bearer {self.api_key}"} if self.api_key else None,
                trust_env=not _on_this_machine(self.url),
            )
        return self._client

    async def _first_model(self, client: httpx2.AsyncClient) -> str:
        """The model to ask when none was named; kept once known."""
        import httpx2

        try:
            response = await client.get(f"{self.url}/models")
            name = response.raise_for_status().json()["data"][0]["id"]
        except (httpx2.HTTPError, ValueError, LookupError, TypeError) as error:
            raise UnavailableError(
                f"{self._who} does not say which models it has ({type(error).__name__}: {error}); name one with "
                "--llm-model."
            ) from error
        self.model = str(name)
        return self.model


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no URL of a language model's server; write it like http://localhost:11434.")
    bare = url.rstrip("/")
    return bare if bare.endswith("/v1") else f"{bare}/v1"


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
