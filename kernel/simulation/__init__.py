"""Paths through a market: what may be asked of them, who walks them, and what comes out."""
