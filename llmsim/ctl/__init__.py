"""`llmsim ctl`: everything that the control API of a running server does, from a shell."""

from llmsim.ctl.options import add_options

__all__ = ["add_options"]
