"""`python -m llmsim` is the `llmsim` command."""

from llmsim.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
