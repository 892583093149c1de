"""What a tool costs at the least: a FastMCP server whose tool returns a constant.

Its uvicorn, event loop, header check, telemetry and garbage collection are set as the gateway's are: none of that is
compared.
"""

from __future__ import annotations

import argparse
import asyncio

import fastmcp
import uvicorn
import uvloop
from fastmcp import Context, FastMCP

from benchmarks.fast_bedrock import text
from gateway.server.http import PATH, bind, tune_garbage_collection


def server(answer: str) -> FastMCP:
    """Two tools that return the answer: one in silence, one after sending it as a progress notification."""
    made: FastMCP = FastMCP("bare")

    # Without an output schema, as a specialist has none: with one, FastMCP would send the text a second time.
    @made.tool(output_schema=None)
    async def bare(content: str) -> str:  # noqa: ARG001 - takes what a specialist takes
        return answer

    @made.tool(output_schema=None)
    async def bare_progress(content: str, context: Context) -> str:  # noqa: ARG001
        await context.report_progress(1, message=answer)
        return answer

    fastmcp.settings.telemetry_mode = "propagation_only"
    schemas = {"bare": {"type": "object"}, "bare_progress": {"type": "object"}}
    made._mcp_server.get_tool_input_schema = schemas.get
    return made


async def _serve(chunks: int) -> None:
    listener = bind("127.0.0.1", 0)
    app = server(text(chunks)).http_app(path=PATH, stateless_http=True, host_origin_protection=True)
    config = uvicorn.Config(app, http="h11", lifespan="on", log_config=None, access_log=False, server_header=False)
    serving = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener]))
    await asyncio.sleep(1)  # everything that start-up makes is there by now
    tune_garbage_collection()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}", flush=True)
    await serving


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=10)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(parser.parse_args().chunks))
