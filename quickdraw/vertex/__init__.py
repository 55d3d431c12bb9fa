"""Vertex AI jobs: submitted, followed and cancelled, through google-cloud-aiplatform."""
