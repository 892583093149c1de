"""Engines, which write the answers: one that asks no model, and one that asks an OpenAI-compatible server."""
