"""A catalog as an MCP server: the only room that imports fastmcp."""
