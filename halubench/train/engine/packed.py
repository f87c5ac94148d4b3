"""Flash attention over packed rows by torch's own kernel, where flash-attn is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

if TYPE_CHECKING:
    from torch import Tensor

NAME = "halubench_packed"


def available() -> bool:
    """Whether this torch has the kernel (``torch.nn.attention.varlen``, 2.10 and newer) and a GPU
    that runs it in bf16."""
    here = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return here and find_spec("torch.nn.attention.varlen") is not None


def register() -> str:
    """Make it known to transformers; return the name to give as ``attn_implementation``."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, mask)
    return NAME


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **told: Any,
) -> tuple[Tensor, None]:
    """Causal attention of each row to itself; (1, heads, tokens, size) to (1, tokens, heads, size).

    The rows are those of TRL's packing collator: ``cu_seq_lens_q`` holds where each begins, and the
    end. A batch without it is not packed and goes to SDPA.
    """
    starts, longest = told.get("cu_seq_lens_q"), told.get("max_length_q")
    if starts is None:
        read: Any = sdpa_attention_forward(module, query, key, value, attention_mask, **told)
        return read[0], None
    from torch.nn.attention.varlen import varlen_attn

    groups = query.shape[1] // key.shape[1]
    heads = (query, repeat_kv(key, groups), repeat_kv(value, groups))
    rows = [one.transpose(1, 2).flatten(0, 1).to(value.dtype) for one in heads]
    lengths, causal = (starts, starts, longest, longest), (-1, 0)
    seen: Any = varlen_attn(*rows, *lengths, scale=told.get("scaling"), window_size=causal)
    return seen.unsqueeze(0), None


def mask(*args: Any, attention_mask: Tensor | None = None, **kwargs: Any) -> Tensor | None:
    """SDPA's mask of a padded batch; packed rows need none."""
    if attention_mask is None:
        return None
    made: Tensor | None = sdpa_mask(*args, attention_mask=attention_mask, **kwargs)
    return made
