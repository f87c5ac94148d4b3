"""Takes finished folders to the Hugging Face Hub and back, whole or not at all.

One module a kind of folder (``benchmark``, ``results``, ``model``, ``space``), found by file name:
each says whether a folder is of its kind and what of it is published. Importing this loads no
Hub client.
"""

from __future__ import annotations

from halubench.publish.base import Bundle, PushOptions
from halubench.publish.diff import Difference, difference
from halubench.publish.pull import Pulled, pull
from halubench.publish.push import Pushed, bundle_of, push

NOT_PLUGINS = ("diff", "hub", "pull", "push")

__all__ = [
    "NOT_PLUGINS",
    "Bundle",
    "Difference",
    "Pulled",
    "PushOptions",
    "Pushed",
    "bundle_of",
    "difference",
    "pull",
    "push",
]
