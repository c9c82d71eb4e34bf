"""What fills the terminal: the live screen, and the dialogs over it."""
