"""One job, asked of one peer: an edit proposed for each row, by its own way of asking a server.

Started by ``generators.py`` with the Python of an environment that has the peer and nothing of ours:
``python generator_peers.py PEER URL ROWS FOLDER``. Prints the seconds and processor seconds between
the start of the job and its finished table, and the number of answers, as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

IN_FLIGHT = 64
PROMPT = (
    "Passage:\n{{ passage }}\n\nQuestion: {{ question }}\nAnswer: {{ answer }}\n\n"
    "Change one value of the answer so that the passage contradicts it."
)


def distilabel(url: str, rows: list[dict[str, str]], folder: Path) -> list[Any]:
    """A pipeline of one task; requests of a batch are sent at once, so that a batch is what is in
    flight."""
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    with Pipeline(cache_dir=folder) as pipeline:
        load = LoadDataFromDicts(data=rows, batch_size=IN_FLIGHT)
        task = TextGeneration(
            llm=OpenAILLM(model="m", base_url=url, api_key="none"),
            template=PROMPT, columns=["passage", "question", "answer"], input_batch_size=IN_FLIGHT,
        )  # fmt: skip
        load >> task
    made = pipeline.run(use_cache=False)
    return [one for one in made["default"]["train"]["generation"] if one]


def curator(url: str, rows: list[dict[str, str]], folder: Path) -> list[Any]:
    """One prompt a row; its own limits by the minute set out of the way, and the vocabulary that it
    counts tokens by taken from litellm, which it depends on, in place of the network."""
    spec = find_spec("litellm")
    assert spec is not None
    assert spec.origin is not None
    vocabulary = Path(spec.origin).parent / "litellm_core_utils" / "tokenizers"
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(vocabulary))
    from bespokelabs import curator as library
    from datasets import Dataset

    class Editor(library.LLM):  # type: ignore[misc]
        def prompt(self, row: dict[str, str]) -> str:
            return filled(row)

        def parse(self, row: dict[str, str], said: str) -> dict[str, str]:
            return {"id": row["id"], "edit": said}

    limits = {
        "base_url": url, "api_key": "none", "max_concurrent_requests": IN_FLIGHT,
        "max_requests_per_minute": 10**7, "max_tokens_per_minute": 10**10,
    }  # fmt: skip
    editor = Editor(model_name="m", backend="openai", backend_params=limits)
    made = editor(Dataset.from_list(rows), working_dir=str(folder))
    found = getattr(made, "dataset", made)
    return [one for one in found["edit"] if one]


def designer(url: str, rows: list[dict[str, str]], folder: Path) -> list[Any]:
    """One text column over a table of seeds."""
    import data_designer.config as dd
    import pandas as pd
    from data_designer.interface import DataDesigner

    speed = dd.ChatCompletionInferenceParams(max_parallel_requests=IN_FLIGHT)
    model = dd.ModelConfig(
        alias="pen", model="m", provider="here", inference_parameters=speed, skip_health_check=True
    )
    here = dd.ModelProvider(name="here", endpoint=url, provider_type="openai", api_key="none")
    config = dd.DataDesignerConfigBuilder(model_configs=[model])
    config.with_seed_dataset(dd.DataFrameSeedSource(df=pd.DataFrame(rows)))
    config.add_column(dd.LLMTextColumnConfig(name="edit", model_alias="pen", prompt=PROMPT))
    maker = DataDesigner(artifact_path=folder, model_providers=[here])
    made = maker.create(config_builder=config, num_records=len(rows))
    return [one for one in made.load_dataset()["edit"] if one]


def filled(row: dict[str, str]) -> str:
    """The prompt of a row."""
    text = PROMPT
    for name in ("passage", "question", "answer"):
        text = text.replace("{{ " + name + " }}", row[name])
    return text


def spent() -> float:
    """Processor seconds so far, of this process and of those it started that have ended."""
    whole = (resource.getrusage(one) for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in whole)


def main() -> None:
    """Once with few rows, so that everything is imported, then for the clock."""
    peer, url, path, folder = sys.argv[1:]
    run = {"distilabel": distilabel, "curator": curator, "designer": designer}[peer]
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    run(url, rows[:IN_FLIGHT], Path(folder) / "warm")
    wall, cpu = perf_counter(), spent()
    answers = len(run(url, rows, Path(folder) / "timed"))
    told = {"seconds": perf_counter() - wall, "cpu": spent() - cpu, "answers": answers}
    os.write(3, json.dumps(told).encode())


if __name__ == "__main__":
    main()
