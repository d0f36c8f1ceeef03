"""./chatmill chaos: the real steps, killed and frozen, judged by what the vendors accepted."""
