"""The server that guesses drawings: an API and a page, on onnxruntime, without TensorFlow."""
