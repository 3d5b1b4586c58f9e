"""What a command reports: results as plain values, for JSON, and the blocks made from them, for people.

Each report is a file with `results(...)` and `blocks(results)`; each form that people read, such as text, is one that
writes blocks.
"""
