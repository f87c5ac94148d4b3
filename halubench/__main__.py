"""``python -m halubench``: the same command, by the interpreter that is meant."""

from halubench.cli import main

if __name__ == "__main__":
    main()
