"""How TFRecords of doodles are made: sources, strokes to image, splits, the sharded writer."""
