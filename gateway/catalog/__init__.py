"""The catalog: a folder of YAML files, read strictly into frozen entries, with every fault at its place."""

from __future__ import annotations

from gateway.catalog.loading import Loaded, load

__all__ = ["Loaded", "load"]
