"""Vertex AI jobs: submitted, followed, cancelled; google-cloud-aiplatform is used only here."""
