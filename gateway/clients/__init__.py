"""The MCP clients that `gateway connect` knows: where each keeps its servers, and how it writes one down."""
