"""Who walks the paths: threads, or the workers of an executor."""
