"""From the torch contract to the backend contract: aten ops to structured ops, structured ops to linalg."""

from .lower import lower_module, torch_to_tcf
from .tcf_to_linalg import tcf_to_linalg

__all__ = ["lower_module", "tcf_to_linalg", "torch_to_tcf"]
