"""The commented file that ``halubench perturbations new`` writes."""

from __future__ import annotations

TEXT = """\
# A kind of error. Fields and operators: perturbations/README.md in the repository.
# Try it:  halubench perturbations check {path}
name: {name}
title: Distance from elsewhere            # a few words, for tables and prompts
definition: A distance is replaced by another one that the passage states of something else.
relation: contradiction                   # or addition, fabricated reference, overclaim
domains: [general]                        # of general, finance, medical
levels: [L2]                              # L1 not in the passage, L2 elsewhere in it, L3 computed
guidance: Choose the distance of another thing in the passage. Keep the unit.
twin: Write the same distance in another spelling.
check: value                              # or unit, name, word; jury where only a reader can tell
quota: 1.0                                # largest share of a source's pairs
rule:                                     # leave it out where only a model can make the edit
  operator: swap                          # a value of the same form from elsewhere in the passage
  sites: [number]
  units: [m, km, metres, kilometres]
examples:                                 # two or more; code executes them
- passage: By the bridge a sign gives the length, 842 metres, and the height, 137 metres.
  question: What is the length of the bridge over the river?
  answer: 842 metres
  fail: 137 metres
  change: 842 -> 137
- passage: The lighthouse stands 46 km from the next one. To the port there are 52 km of coast.
  question: How far does the lighthouse stand from the next one?
  answer: 46 km
  fail: 52 km
  change: 46 -> 52
"""


def text(name: str, path: str) -> str:
    """A whole perturbation of that name, with a comment on each field."""
    return TEXT.format(name=name, path=path)
