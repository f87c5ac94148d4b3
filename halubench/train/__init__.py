"""Training a judge: data, recipe, plan, engines and launch; the training loops are others'."""
