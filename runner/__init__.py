"""Windmill's semantics on one machine: workspace files in, jobs out; it knows nothing of chat."""
