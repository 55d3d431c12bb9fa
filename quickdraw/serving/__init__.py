"""The server that recognises drawings: an API and a page, on onnxruntime, no TensorFlow."""
