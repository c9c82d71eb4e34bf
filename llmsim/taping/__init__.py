"""Works on tapes: shows, checks, masks and merges them, and turns other tools' recordings into tapes and back."""
