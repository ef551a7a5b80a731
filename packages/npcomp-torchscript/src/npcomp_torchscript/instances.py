"""The tree of module objects below a scripted root, as torch holds it: one `Instance` an object."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from npcomp_torchscript.quantized import is_custom

ATTRIBUTES = re.compile(r"^  attributes \{\n(.*?)^  \}$", re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(r"^    (\S+) = (?:<\S+ object at (0x[0-9a-f]+)>$)?", re.MULTILINE)


@dataclass
class Instance:
    """A module object. `attributes` are its names in order; `children` are those that hold modules."""

    path: str
    object: Any
    type: Any
    attributes: list[str]
    declared: dict[str, Any]
    children: dict[str, Instance] = field(default_factory=dict)


class Instances:
    """Every module object below a root once, however many names it has."""

    def __init__(self, root: Any) -> None:
        self._by_address: dict[str, Instance] = {}
        self.root = self._scan(root._c, "", getattr(root, "_concrete_type", None))

    def __iter__(self) -> Iterator[Instance]:
        """Children before the objects that hold them, the root last."""
        yield from self._by_address.values()
        yield self.root

    def of_type(self, type: Any) -> Instance | None:
        """Some object of a class."""
        return next((instance for instance in self if instance.type == type), None)

    def _scan(self, object: Any, path: str, concrete: Any) -> Instance:
        names = _attributes(object)
        instance = Instance(path, object, object._type(), list(names), _declared(concrete))
        concretes = dict(concrete.get_modules()) if concrete is not None else {}
        for name, address in names.items():
            if address is None or is_custom(object.getattr(name)._type()):
                continue
            if address not in self._by_address:
                child = f"{path}.{name}" if path else name
                scanned = self._scan(object.getattr(name), child, concretes.get(name))
                self._by_address[address] = scanned
            instance.children[name] = self._by_address[address]
        return instance


def _attributes(object: Any) -> dict[str, str | None]:
    """Names of the attributes, with the address of the module that one holds.

    Python gives a new wrapper at each access of a submodule, so only the text that torch prints tells whether two
    names hold one object, and only it lists the plain attributes of a loaded archive."""
    section = ATTRIBUTES.search(object.dump_to_str(False, False, False))
    if section is None:
        return {}
    found = {name: address or None for name, address in ATTRIBUTE.findall(section.group(1))}
    return {name: address for name, address in found.items() if object.hasattr(name)}


def _declared(concrete: Any) -> dict[str, Any]:
    if concrete is None:
        return {}
    return {name: type for name, (type, _) in concrete.get_attributes().items()}
