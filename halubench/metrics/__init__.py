"""What a judge's verdicts are worth. Positive class: FAIL (hallucinated)."""
