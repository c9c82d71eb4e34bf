"""Measures how fast llmsim is and how true its time is, as ratios to a floor and to peers within one run."""
