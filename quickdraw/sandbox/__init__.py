"""ONNX files of strangers: checked, and run in a process of their own, with limits."""
