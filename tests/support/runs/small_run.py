"""Settings with which the whole path takes seconds; each tier adds how long it trains."""

SMALL_RUN = (
    "run=small",
    "data.phrasebook.general_pairs=300",
    "data.phrasebook.domain_pairs=120",
    "data.validation_fraction=0.1",
    "data.test_fraction=0.1",
    "model.base_steps=80",
    "training.warmup_steps=2",
    "training.allow_worse_than_base=true",  # so few steps need not reach it
    "training.micro_batch_tokens=256",
    "training.evaluate_every_steps=4",
    "evaluation.bootstrap_samples=100",
)
