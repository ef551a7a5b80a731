"""Tracing frontend: any Python that calls torch becomes one program. See `trace`."""

from npcomp_acap.errors import CaptureError
from npcomp_acap.traced import TracedProgram, import_function, trace

__version__ = "0.1.0"
__all__ = ["CaptureError", "TracedProgram", "import_function", "trace"]
