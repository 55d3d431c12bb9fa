"""A shard of records, without TensorFlow: framing, Example, PNG, ink, dataset.json."""
