"""Untrusted ONNX files: validated, and run in sandboxed processes with limits."""
