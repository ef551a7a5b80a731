"""The tcf dialect: structured ops on builtin tensors, and guards."""

from ._tcf_ops_gen import *  # noqa: F403
