"""Specialist Gateway: a folder of YAML files becomes an MCP server whose tools Amazon Bedrock answers."""
