"""Turns while the vendors of a chatbot's models are killed, stalled, throttled and garbled."""
