"""Programs of rising difficulty for PyTorch compilers. `registry.programs()` lists them, `runner.run` judges them."""

__version__ = "0.1.0"
