"""`trace`: one captured program, callable and savable, with the state it updates."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import npcomp_dialects
import torch
import torch.utils._pytree as pytree
from npcomp_dialects.mlir import ir
from npcomp_dialects.program import CompileOptions, Program, compile_module

from npcomp_acap import signature
from npcomp_acap.arguments import tensor_leaves
from npcomp_acap.capture import Captured, capture, results_of
from npcomp_acap.errors import CaptureError
from npcomp_acap.gradients import candidates
from npcomp_acap.importer import Importer
from npcomp_acap.named_dims import check_guards
from npcomp_acap.state import State, owners_of

Dynamic = Mapping[Any, Mapping[int, str]]  # argument position or name → dim → name


def trace(
    function: Callable[..., Any],
    *examples: Any,
    dynamic: Dynamic | None = None,
    name: str = "forward",
    backend: Any = "refbackend",
    options: CompileOptions | None = None,
    **keywords: Any,
) -> TracedProgram:
    """Captures `function(*examples, **keywords)` as one program and compiles it.

    `function` is a module or any callable that computes with torch; a backward pass and an optimizer step in it are
    captured too. `dynamic` names dimensions that may differ from call to call, by argument position or name:
    `{0: {0: "batch"}}`; the same name twice is the same size. Everything else about the examples (sizes, dtypes, Python
    values) is fixed. Modules, optimizers and tensors that the function reaches through its closure, its globals or
    `self` are state: what the function leaves unchanged is compiled in as constants, what it changes is read before and
    written back after every call. Arguments that the function writes in place are written by the program too.

    Raises `CaptureError` with the user's line where the function cannot be one program: a Python decision on a tensor's
    value, a dynamic dimension that the function fixes."""

    def compiled() -> tuple[Program, Captured]:
        module, captured = _capture(function, examples, keywords, dynamic or {}, name)
        return compile_module(module, backend=backend, options=options), captured

    return TracedProgram(compiled)


def import_function(
    function: Callable[..., Any], *examples: Any, dynamic: Dynamic | None = None, name: str = "forward", **keywords: Any
) -> ir.Module:
    """The torch dialect as captured, before any pass: what `trace` compiles."""
    return _capture(function, examples, keywords, dynamic or {}, name)[0]


class TracedProgram:
    """A compiled capture. Call it like the function; `.module` is the IR at the backend contract.

    A step in which an optimizer makes its state differs from those after it: the first call runs its own program."""

    def __init__(self, compiled: Callable[[], tuple[Program, Captured]]):
        self._compiled = compiled
        self._take(*compiled())

    def _take(self, program: Program, captured: Captured) -> None:
        self._program = program
        self._born = captured.state.born
        tensors, found = captured.state.tensors, captured.gradients
        self._written = [tensors[i] for i in captured.written]
        self._read = [tensors[i] for i in found.read]
        self._made = [tensors[i] for i in found.made]
        self._cleared = [tensors[i] for i in found.cleared]
        self._demanded = {i: tensors[i] for i in candidates(tensors)} if found.demanded else {}
        self._before = set(found.before)

    @property
    def module(self) -> Any:
        return self._program.module

    def save(self, path: Any) -> None:
        """Writes the artifact. State that the program changes is explicit in it: a leading argument `state`, a list of
        tensors that each call updates in place; so are gradients that it reads, a last argument `gradients`. Gradients
        that it makes are results in the tuple `(result, gradients)`. Where an optimizer makes
        its state, the program has to run once before."""
        if self._born:
            raise CaptureError(
                f"{type(self._born[0].optimizer).__name__} makes its state in the first step, a program of its own",
                do="call the program once before saving it",
            )
        self._program.save(path)

    def report(self) -> Any:
        return self._program.report()

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        for number, tensor in self._demanded.items():
            if (tensor.grad is not None) != (number in self._before):
                self._refuse_gradient(tensor)
        if self._written:
            args = (self._written, *args)
        if self._read:
            keywords["gradients"] = [tensor.grad for tensor in self._read]
        result = self._program(*args, **keywords)
        if self._made or self._born:
            result, made = result
            for tensor, gradient in zip(self._made, made):
                tensor.grad = gradient
            for slot, tensor in zip(self._born, made[len(self._made) :], strict=True):
                slot.optimizer.state[slot.parameter][slot.key] = tensor
        for tensor in self._cleared:
            tensor.grad = None
        if self._born:
            self._take(*self._compiled())
        return result

    def _refuse_gradient(self, tensor: torch.Tensor) -> None:
        now, then = ("has a", "had none") if tensor.grad is not None else ("has no", "had one")
        raise RuntimeError(
            f"a parameter of sizes {list(tensor.shape)} {now} gradient and {then} when the program was captured, which"
            " uses gradients from before the call\n"
            "do: optimizer.zero_grad() before the call or in the function, or trace again"
        )


def _capture(
    function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any], dynamic: Dynamic, name: str
) -> tuple[ir.Module, Captured]:
    names = _argument_names(function, args, keywords)
    leaves, spec = pytree.tree_flatten((tuple(args), dict(keywords)))
    dims = _dims_of_leaves(names, spec, leaves, dynamic)
    state = State(owners_of(function))
    captured, shapes = capture(function, args, keywords, state, dims)
    tensors = [(leaf, d) for leaf, d in zip(leaves, dims) if isinstance(leaf, torch.Tensor)]
    check_guards(shapes, captured.inputs[len(state.tensors) :], [d for _, d in tensors])
    _fold_constant_state(captured)
    arguments = signature.arguments(names, spec, leaves, dims)
    return _import(captured, arguments, name), captured


def _argument_names(function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> list[str]:
    target = function.forward if isinstance(function, torch.nn.Module) else function
    try:
        bound = inspect.signature(target).bind(*args, **keywords)
    except ValueError:  # a builtin without a signature
        return [f"args_{i}" for i in range(len(args))] + list(keywords)
    except TypeError as error:
        message = f"the examples do not fit the function: {error}"
        raise CaptureError(message, do="pass one example an argument") from None
    parameters = bound.signature.parameters.values()
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = positional[: len(args)]
    names += [f"args_{i}" for i in range(len(names), len(args))]
    return names + list(keywords)


def _dims_of_leaves(
    names: Sequence[str], spec: pytree.TreeSpec, leaves: Sequence[Any], dynamic: Dynamic
) -> list[dict[int, str]]:
    """The named dims of each leaf. A container argument's names hold for every tensor in it."""
    by_name = {names[key] if isinstance(key, int) and key < len(names) else key: dims for key, dims in dynamic.items()}
    unknown = [key for key in by_name if key not in names]
    if unknown:
        raise CaptureError(f"dynamic names argument {unknown[0]!r}, the arguments are {', '.join(names)}")
    positional, keywords = spec.children()
    result: list[dict[int, str]] = []
    for name, child in zip(names, [*positional.children(), *keywords.children()], strict=True):
        for leaf in leaves[len(result) : len(result) + child.num_leaves]:
            dims = dict(by_name.get(name, {})) if isinstance(leaf, torch.Tensor) else {}
            bad = [d for d in dims if not 0 <= d < leaf.dim()]
            if bad:
                raise CaptureError(f"dynamic names dimension {bad[0]} of {name!r}, which has {leaf.dim()} dimensions")
            result.append(dims)
    return result


def _fold_constant_state(captured: Captured) -> None:
    """State that the program does not change becomes a constant of the graph: its placeholder turns into `get_attr`."""
    placeholders = captured.graph.find_nodes(op="placeholder")
    for number, node in enumerate(placeholders[: len(captured.state.tensors)]):
        if number in captured.written:
            continue
        if node.users:
            attribute = f"_state_{number}"
            captured.owner.register_buffer(attribute, captured.state.tensors[number].detach())
            with captured.graph.inserting_before(node):
                constant = captured.graph.get_attr(attribute)
            constant.meta = node.meta
            node.replace_all_uses_with(constant)
        captured.graph.erase_node(node)


def _import(captured: Captured, arguments: list[signature.Json], name: str) -> ir.Module:
    written = [captured.state.tensors[i] for i in captured.written]
    with npcomp_dialects.context(), ir.Location.unknown():
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            function = Importer(captured.owner).function(name, captured.graph)
        function.attributes["npcomp.signature"] = ir.StringAttr.get(
            json.dumps(_signature(captured, arguments, written, name))
        )
    return module


def _signature(
    captured: Captured, arguments: list[signature.Json], written: Sequence[torch.Tensor], name: str
) -> signature.Json:
    """State that the program changes comes first, as a list of tensors that are written whether or not they record
    gradients; so are arguments that the function wrote although they do, under `torch.no_grad()`."""
    fakes = [n.meta["val"] if isinstance(n, torch.fx.Node) else n for n in results_of(captured.graph)]
    computed = [_leaf(fake) for fake in fakes[: captured.results]]
    for leaf, argument in zip(computed, captured.aliases, strict=True):
        if argument is not None:
            leaf["alias"] = len(written) + argument
    returns = signature.result(captured.result_spec, captured.result_constants, computed)
    found, tensors = captured.gradients, captured.state.tensors
    count = len(found.made) + len(captured.state.born)
    if count:
        made = fakes[captured.results : captured.results + count]
        returns = {"kind": "tuple", "items": [returns, {"kind": "list", "items": [_leaf(fake) for fake in made]}]}
    leaves = list(tensor_leaves(arguments))
    for number in captured.mutated:
        leaves[number]["writes"] = "data" if captured.examples[number].requires_grad else True
    if written:
        items = [{**signature.tensor(t, {}), "writes": "data"} for t in written]
        arguments = [{"name": "state", "kind": "list", "items": items}, *arguments]
    if found.read:
        items = [{**signature.tensor(tensors[n], {}), **_data_if(n in found.written)} for n in found.read]
        arguments = [*arguments, {"name": "gradients", "kind": "list", "items": items, "kwonly": True}]
    return {"name": name, "args": arguments, "returns": returns}


def _data_if(written: bool) -> signature.Json:
    return {"writes": "data"} if written else {}


def _leaf(fake: Any) -> signature.Json:
    """A computed result: a tensor with its dtype, or a number."""
    if isinstance(fake, torch.Tensor):
        return {"kind": "tensor", "dtype": signature.dtype_name(fake)}
    if isinstance(fake, torch.SymBool):
        return {"kind": "bool"}
    return {"kind": "float" if isinstance(fake, torch.SymFloat) else "int"}
