"""What the pages of docs/ are written by, one script a page."""
