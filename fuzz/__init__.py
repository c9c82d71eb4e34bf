"""Throws what nobody would send at everything in llmsim that reads: `make fuzz`, bounded by time."""
