"""halubench: hallucination benchmarks from your own documents, and honest scores for judges."""

__version__ = "0.1.0"
