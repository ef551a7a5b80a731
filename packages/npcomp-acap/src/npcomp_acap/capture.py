"""Runs a function once on fake tensors and returns what it did as one functional FX graph of ATen calls.

The recorder is torch's own: `make_fx` below autograd, under `FunctionalTensorMode`, so that views and in-place writes
are already functional, and under a `FakeTensorMode` whose dynamic dimensions are symbols. Kernels that only one device
has are kept out: oneDNN is off and attention takes its mathematical form."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.utils._pytree as pytree
from torch._dispatch.python import enable_python_dispatcher
from torch._subclasses.fake_tensor import FakeTensorMode
from torch._subclasses.functional_tensor import FunctionalTensorMode, dispatch_functionalize
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import (
    DimDynamic,
    GuardOnDataDependentSymNode,
    ShapeEnv,
    StatelessSymbolicContext,
)

from npcomp_acap import decisions, effects, fake_kernels, gradients, optimizers, strided, user_lines, whole
from npcomp_acap.arguments import Arguments
from npcomp_acap.cells import WithCells
from npcomp_acap.errors import CaptureError
from npcomp_acap.gradients import Gradients
from npcomp_acap.signature import Computed
from npcomp_acap.state import State

Dims = Mapping[int, str]
PRIMES = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)


@dataclass
class Captured:
    """One functional graph. Placeholders: the state tensors, then the tensor leaves of the arguments, then the
    gradients that are read. Results: the `results` tensor and size leaves of the returned structure, then the gradients
    that are made, then the optimizer state that is born (`state.born`), then the new values of the state tensors
    numbered `written`, of the tensor arguments numbered `mutated`, and of the gradients that are written. `aliases`
    tells for each result the number of the tensor argument that it is, if it is one."""

    graph: torch.fx.Graph
    owner: torch.fx.GraphModule
    state: State
    examples: list[torch.Tensor]
    inputs: list[torch.Tensor]
    result_spec: pytree.TreeSpec
    result_constants: list[Any]
    results: int
    written: list[int]
    mutated: list[int]
    aliases: list[int | None]
    gradients: Gradients


def _is_leaf(value: Any) -> bool:
    return isinstance(value, torch.Tensor | torch.SymInt | torch.SymFloat | torch.SymBool)


def _fake(mode: FakeTensorMode, tensor: torch.Tensor, dims: Dims, stand_in_sizes: dict[str, int]) -> torch.Tensor:
    """A fake with symbols for the named dims. torch fixes a size 0 or 1 for good: another takes its place."""
    for dim, name in dims.items():
        fresh = next(prime for prime in PRIMES if prime not in stand_in_sizes.values())
        stand_in_sizes.setdefault(name, tensor.shape[dim] if tensor.shape[dim] > 1 else fresh)
    example = tensor.detach()
    if any(example.shape[dim] < 2 for dim in dims):
        shape = [stand_in_sizes[dims[d]] if d in dims else size for d, size in enumerate(example.shape)]
        example = example.new_empty(shape)
    sizes = [DimDynamic.DYNAMIC if d in dims else DimDynamic.STATIC for d in range(example.dim())]
    return mode.from_tensor(example, symbolic_context=StatelessSymbolicContext(dynamic_sizes=sizes))


@contextlib.contextmanager
def _device_neutral() -> Iterator[None]:
    """Keeps kernels of one device out: oneDNN off, attention as its formula, optimizer steps unfused."""
    enabled = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        math = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
        with math, optimizers.in_tensor_form(), whole.kept():
            yield
    finally:
        torch._C._set_mkldnn_enabled(enabled)


class _Lifted:
    """The function with its state as leading arguments, and the final values of state and arguments as trailing
    results, so that the graph itself tells which of them it changes."""

    def __init__(
        self,
        function: Callable[..., Any],
        state: State,
        leaves: Sequence[Any],
        spec: pytree.TreeSpec,
        gradients: Sequence[int],
    ):
        self.function, self.state, self.leaves, self.spec = function, state, leaves, spec
        self.gradients = gradients
        self.has_gradient: list[bool] = []
        self.result_spec: pytree.TreeSpec | None = None
        self.result_constants: list[Any] = []
        self.kept = 0
        self.aliases: list[int | None] = []

    def __call__(self, *flat: torch.Tensor) -> list[Any]:
        count, end = len(self.state.tensors), len(flat) - len(self.gradients)
        stand_ins = [
            new.detach().requires_grad_(old.requires_grad) for new, old in zip(flat[:count], self.state.tensors)
        ]
        gradients.begin(stand_ins, self.gradients, flat[end:])
        arguments = Arguments(self.leaves, flat[count:end])
        args, kwargs = pytree.tree_unflatten(arguments.leaves, self.spec)
        with self.state.replaced(stand_ins) as current, WithCells():
            result = self.function(*args, **kwargs)
            final = current()
        flat_result, self.result_spec = pytree.tree_flatten(result)
        self.result_constants = [Computed() if _is_leaf(value) else value for value in flat_result]
        kept = [value for value in flat_result if _is_leaf(value)]
        self.kept = len(kept)
        self.aliases = arguments.aliases(kept)
        arguments.refuse_other_looks()
        self.state.refuse_other_sizes(final)
        left = [stand_in.grad for stand_in in stand_ins]
        self.has_gradient = [gradient is not None for gradient in left]
        returned = [*kept, *final, *arguments.tensors, *(gradient for gradient in left if gradient is not None)]
        returned += [slot.tensor for slot in self.state.born]
        return [v.detach() if isinstance(v, torch.Tensor) else v for v in returned]


def _origin(node: Any) -> Any:
    """The node that `node` merely renames."""
    while isinstance(node, torch.fx.Node) and node.target in (
        torch.ops.aten.detach.default,
        torch.ops.aten.alias.default,
    ):
        node = node.args[0]
    return node


def results_of(graph: torch.fx.Graph) -> list[Any]:
    """What the graph returns: nodes, and Python numbers where a size is a constant."""
    returned: Any = graph.output_node().args[0]
    return list(returned)


def _prune_results(graph: torch.fx.Graph, lifted: _Lifted, found: Gradients) -> tuple[list[int], list[int]]:
    """Drops results that are unchanged placeholders; says which state tensors and which arguments are changed."""
    placeholders = graph.find_nodes(op="placeholder")
    state, end = len(lifted.state.tensors), len(placeholders) - len(lifted.gradients)
    everything = results_of(graph)
    results, final, left = (
        everything[: lifted.kept], everything[lifted.kept : lifted.kept + end], iter(everything[lifted.kept + end :])
    )  # fmt: skip
    changed = [i for i, (new, old) in enumerate(zip(final, placeholders[:end], strict=True)) if _origin(new) is not old]
    gradient = [next(left) if has else None for has in lifted.has_gradient]
    made, rewritten = gradients.settle(found, gradient, placeholders[end:], _origin)
    graph.output_node().args = ([*results, *made, *left, *(final[i] for i in changed), *rewritten],)
    return [i for i in changed if i < state], [i - state for i in changed if i >= state]


def _drop_unread_gradients(graph: torch.fx.Graph, found: Gradients) -> None:
    given = graph.find_nodes(op="placeholder")
    for number, node in zip(found.before, given[len(given) - len(found.before) :], strict=True):
        if node.users:
            found.read.append(number)
        else:
            graph.erase_node(node)


def capture(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    state: State,
    dims_of_leaf: Sequence[Dims],
) -> tuple[Captured, ShapeEnv]:
    """Captures `function(*args, **kwargs)`.

    `dims_of_leaf` names the dynamic dimensions of each leaf of the arguments. Raises `CaptureError` where the function
    needs a tensor's value to go on, or calls what fake tensors cannot run, with the user's line."""
    everywhere = Gradients(gradients.candidates(state.tensors))
    captured, shapes = _capture(function, args, kwargs, state, dims_of_leaf, everywhere)
    if not everywhere.read:
        return captured, shapes
    present = [n for n in everywhere.before if state.tensors[n].grad is not None]
    return _capture(function, args, kwargs, state, dims_of_leaf, Gradients(present, demanded=True))


def _capture(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    state: State,
    dims_of_leaf: Sequence[Dims],
    found: Gradients,
) -> tuple[Captured, ShapeEnv]:
    leaves, spec = pytree.tree_flatten((tuple(args), dict(kwargs)))
    shapes = ShapeEnv()
    shapes.guards = decisions.Recorder()
    mode = FakeTensorMode(shape_env=shapes, allow_non_fake_inputs=True)
    lifted = _Lifted(function, state, leaves, spec, found.before)
    stand_in_sizes: dict[str, int] = {}
    inputs = [_fake(mode, tensor, {}, stand_in_sizes) for tensor in state.tensors]
    for leaf, dims in zip(leaves, dims_of_leaf):
        if isinstance(leaf, torch.Tensor):
            inputs.append(_fake(mode, leaf, dims, stand_in_sizes))
    given = [_fake(mode, gradients.example(state.tensors[n]), {}, stand_in_sizes) for n in found.before]
    try:
        with _device_neutral(), fake_kernels.known(), mode, enable_python_dispatcher(), user_lines.recorded():
            functional = dispatch_functionalize(lifted, FunctionalTensorMode(_allow_token_discovery=True))
            owner = make_fx(functional, tracing_mode="real", record_stack_traces=True)(*inputs, *given)
    except CaptureError:
        raise
    except (GuardOnDataDependentSymNode, torch._subclasses.fake_tensor.DataDependentOutputException) as error:
        raise _data_dependent(error) from error
    except torch._subclasses.fake_tensor.DynamicOutputShapeException as error:
        raise _refusal(error, f"{error} makes a tensor whose shape depends on values") from error
    except Exception as error:
        first_line = str(error).partition("\n")[0]
        what = f"{type(error).__name__}: {first_line}"
        raise _refusal(error, f"running it on fake tensors raised {what}") from error
    effects_kept = effects.untie(owner.graph)
    written, mutated = _prune_results(owner.graph, lifted, found)
    _drop_profiler_calls(owner.graph)
    strided.on_dense_tensors(owner.graph)
    owner.graph.eliminate_dead_code(lambda node: node.is_impure() or node in effects_kept)
    _drop_unread_gradients(owner.graph, found)
    assert lifted.result_spec is not None
    captured = Captured(
        graph=owner.graph,
        owner=owner,
        state=state,
        examples=[leaf for leaf in leaves if isinstance(leaf, torch.Tensor)],
        inputs=inputs,
        result_spec=lifted.result_spec,
        result_constants=lifted.result_constants,
        results=lifted.kept,
        written=written,
        mutated=mutated,
        aliases=lifted.aliases,
        gradients=found,
    )
    return captured, shapes


def _drop_profiler_calls(graph: torch.fx.Graph) -> None:
    for node in reversed(list(graph.nodes)):
        if node.op == "call_function" and "profiler" in str(node.target):
            node.replace_all_uses_with(None)  # type: ignore[arg-type]
            graph.erase_node(node)


def _data_dependent(error: BaseException) -> CaptureError:
    return _refusal(
        error,
        "a Python decision or number needs the value of a tensor, which a capture must not bake in",
        do="use torch.where or tensor arithmetic, or compile it with npcomp_torchscript, which keeps the branch",
    )


def _refusal(error: BaseException, text: str, do: str = "") -> CaptureError:
    return CaptureError(f"cannot capture this function: {text}", user_lines.of_exception(error), do=do)
