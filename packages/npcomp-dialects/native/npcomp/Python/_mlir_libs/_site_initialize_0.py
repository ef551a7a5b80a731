"""Every context knows the dialects that npcomp uses; passes are found by name.

Passes written in Python and diagnostics want one thread.
"""

from ._npcomp import register_dialects, register_passes

register_passes()
disable_multithreading = True

__all__ = ["disable_multithreading", "register_dialects"]
