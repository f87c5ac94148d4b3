"""The ``trl`` engine: TRL's and transformers' trainers on accelerate, guarded and resumable."""
