"""What ./chatmill bench runs."""
