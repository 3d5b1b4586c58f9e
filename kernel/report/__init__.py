"""What a command tells: one dictionary for JSON, and a text for people made from it."""
