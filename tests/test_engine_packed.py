"""Torch's flash kernel over packed rows: each sees itself alone; what is not packed goes to SDPA."""

from __future__ import annotations

from itertools import accumulate, chain
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
import engine_world as world
from transformers import AutoModelForCausalLM

from halubench.train.engine import packed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch
ROWS = [[5, 9, 12, 40], [7, 8, 9, 10, 11, 12, 13], [30, 31]]
gpu = pytest.mark.skipif(not packed.available(), reason="no GPU with torch's varlen kernel")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.tiny_llama(tmp_path_factory.mktemp("packed") / "llama")


def _model(llama: Path, attention: str, **options: object):
    made = AutoModelForCausalLM.from_pretrained(llama, attn_implementation=attention, **options)
    return made.eval()


def test_a_padded_batch_reads_and_writes_as_under_sdpa(llama: Path) -> None:
    width = max(map(len, ROWS))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in ROWS])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ROWS])
    ours, sdpa = _model(llama, packed.register()), _model(llama, "sdpa")
    with torch.no_grad():
        read = [model(input_ids=ids, attention_mask=mask).logits for model in (ours, sdpa)]
        told = {"max_new_tokens": 8, "do_sample": False, "pad_token_id": 0}
        wrote = [m.generate(input_ids=ids, attention_mask=mask, **told) for m in (ours, sdpa)]
        alone = [model(input_ids=ids[1:2]).logits for model in (ours, sdpa)]
    assert torch.equal(read[0], read[1])
    assert torch.equal(wrote[0], wrote[1])
    assert torch.equal(alone[0], alone[1])


@gpu
def test_packed_rows_see_themselves_alone_forward_and_backward(llama: Path) -> None:
    model = _model(llama, packed.register(), dtype=torch.bfloat16).cuda()
    exact = _model(llama, "eager", dtype=torch.float32).cuda()
    starts = torch.tensor([0, *accumulate(map(len, ROWS))], dtype=torch.int32).cuda()
    longest = max(map(len, ROWS))
    together = model(
        input_ids=torch.tensor([[*chain(*ROWS)]]).cuda(),
        position_ids=torch.cat([torch.arange(len(row)) for row in ROWS])[None].cuda(),
        cu_seq_lens_q=starts,
        cu_seq_lens_k=starts,
        max_length_q=longest,
        max_length_k=longest,
        use_cache=False,
    ).logits[0]
    apart = torch.cat([exact(input_ids=torch.tensor([row]).cuda()).logits[0] for row in ROWS])
    torch.testing.assert_close(together.float(), apart, atol=5e-3, rtol=5e-2)
    together.float().square().sum().backward()
    apart.square().sum().backward()
    for ours, theirs in zip(model.parameters(), exact.parameters(), strict=True):
        error = (ours.grad.float() - theirs.grad).norm() / theirs.grad.norm()
        assert error < 0.05
