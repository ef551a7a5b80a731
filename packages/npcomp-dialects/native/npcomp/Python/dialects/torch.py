"""The torch dialect: one class an op and a type. ATen ops have no classes: build them by name."""

from .._mlir_libs._npcompTypes.torch import *  # noqa: F403
from ._torch_ops_gen import *  # noqa: F403
