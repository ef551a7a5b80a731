"""globalize-object-graph: the graph of module instances becomes global slots and flat functions."""

from __future__ import annotations

from npcomp_dialects.errors import CompileError, UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td
from npcomp_dialects.passes import register, walk
from npcomp_dialects.passes.object_graph import Instance, ObjectGraph, Slot
from npcomp_dialects.passes.signatures import set_function_type

_GRAPH_OPS = ("torch.class_type", "torch.nn_module")
_PASS_THROUGH = ("torch.derefine", "torch.prim.unchecked_cast")
_KEPT_IF_EXPORTED = ("npcomp.signature", "arg_attrs")


@register("globalize-object-graph")
def globalize_object_graph(module: ir.Module) -> None:
    """Turn the instances of a program into `torch.global_slot`s and its methods into functions without modules.

    Goal: later passes see plain functions on tensors and a flat list of state, with no objects in the way.

    The one `torch.nn_module` that nothing uses is the root. Each attribute of each instance becomes a slot named by
    its path from the root (`layer.0.weight`), and each method that the root's exports reach becomes one function
    for each combination of instances that it is called with (`forward`, `layer.0.forward`).

    Restrictions, and why:

    - which instance a value is must be known when compiling. A function is specialised to its instances, so a
      module chosen at run time, kept in a list or returned would need an object at run time.
    - one root. Two roots would be two programs that share names.
    - an attribute that shares its object with another must not be assigned anew, only written in place. The two
      are one slot, and an assignment would have to split it half-way through the program.
    """
    symbols = {walk.symbol(f): f for f in walk.functions(module)}
    graph = ObjectGraph(module, _assigned_attributes(symbols))
    if graph.root is None:
        return
    with module.context:
        _Specializer(module, graph, symbols).run()
        _create_slots(module, graph.slots)
        _remove_graph(module)


def _assigned_attributes(symbols: dict[str, ir.Operation]) -> set[tuple[str, str]]:
    """Class and name of each attribute that some method assigns."""
    return {
        (td.NnModuleType(op.operands[0].type).name, walk.string(op, "name"))
        for function in symbols.values()
        for op in walk.nested(walk.blocks(function)[0])
        if op.name == "torch.prim.SetAttr"
    }


class _Specializer:
    """Makes one function for each function and the instances that it is called with."""

    def __init__(self, module: ir.Module, graph: ObjectGraph, symbols: dict[str, ir.Operation]) -> None:
        self.module = module
        self.graph = graph
        self.generic = {name: f for name, f in symbols.items() if _takes_modules(f)}
        self.names = {name for name in symbols if name not in self.generic}
        self.made: dict[tuple[str, tuple[Instance | None, ...]], str] = {}
        self.clones: dict[str, ir.Operation] = {}
        self.pending: list[tuple[str, tuple[Instance | None, ...]]] = []

    def run(self) -> None:
        for instance in self.graph.instances:
            for method in instance.klass.methods.values():
                if not method.private:
                    self._export(instance, method.name, method.function)
        for function in walk.functions(self.module):
            if walk.symbol(function) not in self.generic and walk.symbol(function) not in self.clones:
                _Rewriter(self, {}).block(walk.blocks(function)[0])
        while self.pending:
            name, instances = self.pending.pop()
            self._specialize(self.clones[name], instances)
        for function in self.generic.values():
            function.erase()

    def _export(self, instance: Instance, method: str, symbol: str) -> None:
        function = self._generic(symbol, instance.location)
        arguments = walk.blocks(function)[0].arguments
        modules = [a for a in arguments if isinstance(a.type, td.NnModuleType)]
        if len(modules) > 1:
            raise UnsupportedError(
                f"exported method {instance.qualified(method)!r} takes a module as an argument",
                function.location,
                do="export a method that reaches the module through `self`",
            )
        key = (instance, *[None] * (len(arguments) - 1))
        clone = self.clones[self.request(symbol, key, instance.qualified(method))]
        del clone.attributes["sym_visibility"]
        for name in _KEPT_IF_EXPORTED:
            if name in function.attributes:
                clone.attributes[name] = function.attributes[name]

    def request(self, symbol: str, instances: tuple[Instance | None, ...], wish: str) -> str:
        """The name of the function specialised to these instances, made on first request."""
        key = (symbol, instances)
        if key not in self.made:
            self.made[key] = self._clone(symbol, wish)
            self.pending.append((self.made[key], instances))
        return self.made[key]

    def _clone(self, symbol: str, wish: str) -> str:
        original = self._generic(symbol, None)
        name, count = wish, 0
        while name in self.names:
            count += 1
            name = f"{wish}${count}"
        self.names.add(name)
        clone = original.clone(ir.InsertionPoint(original)).operation
        clone.attributes["sym_name"] = ir.StringAttr.get(name)
        clone.attributes["sym_visibility"] = ir.StringAttr.get("private")
        for attribute in _KEPT_IF_EXPORTED:
            if attribute in clone.attributes:
                del clone.attributes[attribute]
        self.clones[name] = clone
        return name

    def _generic(self, symbol: str, location: ir.Location | None) -> ir.Operation:
        if symbol not in self.generic:
            raise CompileError(f"method function @{symbol} does not exist or takes no module", location)
        return self.generic[symbol]

    def _specialize(self, function: ir.Operation, instances: tuple[Instance | None, ...]) -> None:
        block = walk.blocks(function)[0]
        known = {a: i for a, i in zip(block.arguments, instances, strict=True) if i is not None}
        _Rewriter(self, known).block(block)
        _drop_arguments(function, [n for n, i in enumerate(instances) if i is not None])


class _Rewriter:
    """Resolves the object ops of one function, knowing which instance each module value is."""

    def __init__(self, specializer: _Specializer, known: dict[ir.Value, Instance]) -> None:
        self.specializer = specializer
        self.known = known
        self.dead: list[ir.Operation] = []

    def block(self, block: ir.Block) -> None:
        self._visit(block)
        for op in reversed(self.dead):
            op.erase()

    def _visit(self, block: ir.Block) -> None:
        for op in walk.ops(block):
            handler = _HANDLERS.get(op.name)
            if handler is not None:
                handler(self, op)
                continue
            for inner in walk.blocks(op):
                self._visit(inner)
            self._refuse_modules(op)

    def instance(self, value: ir.Value, op: ir.Operation) -> Instance:
        if value in self.known:
            return self.known[value]
        raise UnsupportedError(
            "which module this is depends on a run-time value",
            op.location,
            do="name the submodule in the source (`self.a(x)` in each branch) so that each call has one callee",
        )

    def get_attr(self, op: ir.Operation) -> None:
        receiver = self.instance(op.operands[0], op)
        name, result = walk.string(op, "name"), op.results[0]
        if name in receiver.members:
            self.known[result] = receiver.members[name]
            self.dead.append(op)
            return
        slot = _slot_of(receiver, name, op)
        attributes = {"slot": ir.FlatSymbolRefAttr.get(slot)}
        got = ir.Operation.create(
            "torch.global_slot.get", [result.type], [], attributes, loc=op.location, ip=ir.InsertionPoint(op)
        )
        result.replace_all_uses_with(got.results[0])
        self.dead.append(op)

    def set_attr(self, op: ir.Operation) -> None:
        receiver = self.instance(op.operands[0], op)
        name, value = walk.string(op, "name"), op.operands[1]
        if isinstance(value.type, td.NnModuleType):
            raise UnsupportedError(
                f"submodule {receiver.qualified(name)!r} is assigned while the program runs",
                op.location,
                do="assign submodules in `__init__` only",
            )
        attributes = {"slot": ir.FlatSymbolRefAttr.get(_slot_of(receiver, name, op))}
        ir.Operation.create("torch.global_slot.set", [], [value], attributes, loc=op.location, ip=ir.InsertionPoint(op))
        self.dead.append(op)

    def call_method(self, op: ir.Operation) -> None:
        receiver = self.instance(op.operands[0], op)
        name = walk.string(op, "name")
        method = receiver.klass.methods.get(name)
        if method is None:
            raise CompileError(f"class {receiver.klass.name!r} has no method {name!r}", op.location)
        self._call(op, method.function, receiver.qualified(name))

    def call(self, op: ir.Operation) -> None:
        callee = walk.string(op, "callee")
        if callee in self.specializer.generic:
            self._call(op, callee, callee)

    def _call(self, op: ir.Operation, function: str, wish: str) -> None:
        operands = list(op.operands)
        is_module = [isinstance(v.type, td.NnModuleType) for v in operands]
        key = tuple(self.instance(v, op) if m else None for v, m in zip(operands, is_module, strict=True))
        callee = self.specializer.request(function, key, wish)
        call = ir.Operation.create(
            "func.call",
            [r.type for r in op.results],
            [v for v, m in zip(operands, is_module, strict=True) if not m],
            {"callee": ir.FlatSymbolRefAttr.get(callee)},
            loc=op.location,
            ip=ir.InsertionPoint(op),
        )
        for old, new in zip(op.results, call.results, strict=True):
            old.replace_all_uses_with(new)
        self._refuse_modules(call)
        self.dead.append(op)

    def pass_through(self, op: ir.Operation) -> None:
        if op.operands[0] in self.known:
            self.known[op.results[0]] = self.known[op.operands[0]]
            self.dead.append(op)

    def _refuse_modules(self, op: ir.Operation) -> None:
        """An op that takes or gives a module and is none of those resolved here keeps the module at run time."""
        for value in (*op.operands, *op.results):
            if isinstance(value.type, td.NnModuleType):
                raise UnsupportedError(
                    _REASONS.get(op.name, f"{op.name} uses a module as a value"),
                    op.location,
                    do="call the submodule where it is chosen, and pass on its result instead",
                )


_REASONS = {
    "func.return": "a function returns a module",
    "func.call": "a function returns a module",
    "torch.prim.If": "a module is selected at run time by an `if`",
    "torch.prim.If.yield": "a module is selected at run time by an `if`",
    "torch.prim.Loop": "a loop carries a module from one iteration to the next",
    "torch.prim.Loop.condition": "a loop carries a module from one iteration to the next",
    "torch.prim.ListConstruct": "modules are kept in a list",
    "torch.prim.TupleConstruct": "modules are kept in a tuple",
    "torch.prim.DictConstruct": "modules are kept in a dict",
}

_HANDLERS = {
    "torch.prim.GetAttr": _Rewriter.get_attr,
    "torch.prim.SetAttr": _Rewriter.set_attr,
    "torch.prim.CallMethod": _Rewriter.call_method,
    "func.call": _Rewriter.call,
    **dict.fromkeys(_PASS_THROUGH, _Rewriter.pass_through),
}


def _slot_of(receiver: Instance, name: str, op: ir.Operation) -> str:
    if name in receiver.slots:
        return receiver.slots[name]
    where = f" {receiver.path!r}" if receiver.path else ""
    raise CompileError(f"module{where} of class {receiver.klass.name!r} has no attribute {name!r}", op.location)


def _takes_modules(function: ir.Operation) -> bool:
    arguments = walk.blocks(function)[0].arguments
    return any(isinstance(a.type, td.NnModuleType) for a in arguments)


def _drop_arguments(function: ir.Operation, positions: list[int]) -> None:
    block = walk.blocks(function)[0]
    for position in reversed(positions):
        block.erase_argument(position)
    if "arg_attrs" in function.attributes:
        attrs = [a for n, a in enumerate(function.attributes["arg_attrs"]) if n not in positions]
        function.attributes["arg_attrs"] = ir.ArrayAttr.get(attrs)
    set_function_type(function)


def _create_slots(module: ir.Module, slots: list[Slot]) -> None:
    """Declare the slots, and move the ops that compute what they start with into one initializer."""
    first = ir.InsertionPoint.at_block_begin(module.body)
    for slot in slots:
        attributes = {
            "sym_name": ir.StringAttr.get(slot.symbol),
            "sym_visibility": ir.StringAttr.get("private"),
            "typeBound": ir.TypeAttr.get(slot.type),
        }
        loc = walk.maker(slot.initial).location
        ir.Operation.create("torch.global_slot", [], [], attributes, loc=loc, ip=first)
    loc = ir.Location.unknown()
    holder = ir.Operation.create("torch.global_slot.module_initializer", [], [], regions=1, loc=loc, ip=first)
    block = holder.regions[0].blocks.append()
    symbols = ir.ArrayAttr.get([ir.FlatSymbolRefAttr.get(slot.symbol) for slot in slots])
    end = ir.Operation.create(
        "torch.initialize.global_slots",
        [],
        [slot.initial for slot in slots],
        {"slotSymNames": symbols},
        loc=loc,
        ip=ir.InsertionPoint(block),
    )
    for op in walk.ops(module.body):
        if len(op.results) and op.name not in _GRAPH_OPS:
            op.move_before(end)


def _remove_graph(module: ir.Module) -> None:
    for op in reversed(walk.ops(module.body)):
        if op.name in _GRAPH_OPS:
            op.erase()
