"""A catalog as an MCP server: the only room that imports fastmcp."""

import os

# FastMCP reads settings of its own from FASTMCP_* and from a .env in the current folder, where people keep other
# things. gateway.yaml and the command line say all there is to say, and this stands before any import of fastmcp.
for _name in [name for name in os.environ if name.startswith("FASTMCP_")]:
    del os.environ[_name]
os.environ["FASTMCP_ENV_FILE"] = os.devnull
