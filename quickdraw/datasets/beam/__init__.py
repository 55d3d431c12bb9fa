"""Preparing a data set on Apache Beam."""
