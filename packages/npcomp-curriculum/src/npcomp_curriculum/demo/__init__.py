"""The demo: a digit classifier from training to a file that runs without torch."""
