"""Converse, ConverseStream and CountTokens: what is checked of a request, and the bytes that answer it."""
