"""A doodle as strokes: checked, simplified, rasterised; no TensorFlow."""
