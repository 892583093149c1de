"""A catalog as an MCP server: the only room that imports fastmcp."""

import gc
import os

# What importing FastMCP makes is kept: to walk through it time and again took a third of a second of each start.
gc.set_threshold(50_000, 20, 50)

# FastMCP reads settings of its own from FASTMCP_* and from a .env in the current folder, where people keep other
# things. gateway.yaml and the command line say all there is to say, and this stands before any import of fastmcp.
for _name in [name for name in os.environ if name.startswith("FASTMCP_")]:
    del os.environ[_name]
os.environ["FASTMCP_ENV_FILE"] = os.devnull
