"""What the HTTP endpoint serves besides MCP."""
