"""From a trained run to what people load: weights in their formats, a model card, a parity table."""
