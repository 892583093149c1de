"""Images, documents, audio and video in messages: what Bedrock checks of them, and what can be told of them."""

from __future__ import annotations

from gateway.local.media.checks import check
from gateway.local.media.telling import told

__all__ = ["check", "told"]
