"""Plug-ins: one file each, found by name. See halubench.content."""
