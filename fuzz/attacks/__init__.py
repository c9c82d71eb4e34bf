"""Attacks on a real `llmsim serve` of this machine: `python -m fuzz.attacks`, bounded; what each of them comes to."""
