"""What a screen is made of: each draws its own lines, once for each size, theme and state."""
