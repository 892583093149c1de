"""Prompts: what a Jinja2 template needs, and the text it renders to. No network, no clock that shows in the text."""

from gateway.prompts.body import Body
from gateway.prompts.errors import PromptError
from gateway.prompts.rendering import Prompts, Rendered

__all__ = ["Body", "PromptError", "Prompts", "Rendered"]
