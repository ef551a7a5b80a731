"""The refrt dialect: run-time values of the reference backend."""

from .._mlir_libs._npcompTypes.refrt import *  # noqa: F403
from ._refrt_ops_gen import *  # noqa: F403
