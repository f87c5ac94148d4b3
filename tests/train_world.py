"""Rows to train on, and a teacher that says what a test wants."""

import json
from pathlib import Path

from halubench.records import Example

TEACHER = """
import json, re
from halubench.models.base import Completion, Prices

class Teacher:
    uri = "scripted:SPEC"
    notes = []
    def __init__(self, replies): self.replies = replies
    def prices(self): return Prices(100.0, 100.0)
    def identity(self): return {"engine": "scripted", "model": "SPEC"}
    async def complete(self, request):
        text = request.messages[-1][1]
        label = re.search(r"right verdict is (PASS|FAIL)", text)[1]
        with open(self.replies + ".asked", "a") as log:
            log.write(json.dumps([request.sample, text]) + "\\n")
        replies = json.load(open(self.replies))
        reply = replies[min(request.sample, len(replies) - 1)].replace("LABEL", label)
        return Completion(reply, prompt_tokens=1000, completion_tokens=100, cost_usd=0.11)
    async def aclose(self): pass

def open_model(spec, options): return Teacher(spec)
"""
GOOD = json.dumps({"REASONING": ["The document says so.", "They agree or not."], "SCORE": "LABEL"})


def example(number: int, label: str = "PASS", source: str = "DROP", **changed: str) -> Example:
    """A row about its own bridge; PASS and FAIL of one number are a pair."""
    length = 100 + number + (7 if label == "FAIL" else 0)
    told = {
        "id": f"{source}-{number}-{label[0]}",
        "passage": f"Bridge {number} of {source} spans river {number * 37} near town {number * 91}. "
        f"It is {100 + number} metres long and was opened in {1800 + number}.",
        "question": f"How long is bridge {number}?",
        "answer": f"Bridge {number} is {length} metres long.",
        "label": label,
        "source_ds": source,
    }
    return Example(**{**told, **changed})


def pairs(count: int, source: str = "DROP", start: int = 0) -> list[Example]:
    numbers = range(start, start + count)
    return [example(n, label, source) for n in numbers for label in ("PASS", "FAIL")]


def written(path: Path, rows: list[Example]) -> str:
    fields = ("id", "passage", "question", "answer", "label", "source_ds")
    lines = (json.dumps({name: getattr(row, name) for name in fields}) for row in rows)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


def teacher(folder: Path, *replies: str) -> str:
    """The URI of a teacher that gives those replies, one a sample; content lies in ``folder``."""
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "scripted.py").write_text(TEACHER, encoding="utf-8")
    (folder / "replies.json").write_text(json.dumps(replies or [GOOD]), encoding="utf-8")
    return f"scripted:{folder / 'replies.json'}"


def asked(folder: Path) -> list[tuple[int, str]]:
    """(sample, message) of every request that reached the teacher."""
    path = folder / "replies.json.asked"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [tuple(json.loads(line)) for line in lines]
