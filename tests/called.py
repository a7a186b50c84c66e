"""The command line, called in this process."""

from lloydq import cli


def call(*words):
    """The exit code of a command line, argparse's own ends included."""
    try:
        return cli.main(words)
    except SystemExit as end:
        return end.code
