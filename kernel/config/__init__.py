"""Config files: documents, their shape, and the objects of a run."""
