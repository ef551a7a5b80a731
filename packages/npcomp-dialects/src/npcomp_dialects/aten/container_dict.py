"""Dicts."""

from __future__ import annotations

from .families.container import Container, for_each_key, schemas


@schemas(
    for_each_key(
        """
        aten::_set_item.KEY(Dict(KEY, t)(a!) l, KEY(b -> *) idx, t(c -> *) v) -> ()
        aten::Delete.Dict_KEY(Dict(KEY, t)(a!) self, KEY key) -> ()
        aten::clear.KEY(Dict(KEY, t)(a!) self) -> ()
        aten::pop.Dict_KEY(Dict(KEY, t)(a!) self, KEY key) -> t(*)
        aten::pop.Dict_default_KEY(Dict(KEY, t)(a!) self, KEY key, t default_value) -> t(*)
        aten::popitem.KEY(Dict(KEY, t)(a!) self) -> ((KEY, t))
        aten::setdefault.KEY(Dict(KEY, t)(a!) self, KEY(b -> *) key, t(c -> *) default_value) -> t(*)
        aten::update.KEY(Dict(KEY, t)(a!) self, Dict(KEY, t)(a!) to_add) -> ()
        """
    )
)
class DictMutation(Container):
    """Changes a dict in place."""


@schemas(
    for_each_key(
        """
        aten::__getitem__.Dict_KEY(Dict(KEY, t) self, KEY key) -> t(*)
        aten::__contains__.KEY(Dict(KEY, t) dict, KEY key) -> bool
        aten::get.KEY(Dict(KEY, t) self, KEY key) -> t(*)?
        aten::get.default_KEY(Dict(KEY, t) self, KEY key, t default_value) -> t(*)
        aten::keys.KEY(Dict(KEY, t) self) -> KEY[](*)
        aten::values.KEY(Dict(KEY, t) self) -> t[](*)
        aten::items.KEY(Dict(KEY, t) self) -> ((KEY, t)[])
        aten::len.Dict_KEY(Dict(KEY, t) self) -> int
        aten::copy.Dict_KEY(Dict(KEY, t)(a) self) -> Dict(KEY, t)
        aten::dict.Dict_KEY(Dict(KEY, t)(a) self) -> Dict(KEY, t)
        aten::dict.KEY((KEY, tVal)[] inputs) -> Dict(KEY, tVal)
        """
    )
)
@schemas("aten::dict() -> Dict(str, Tensor)")
class DictQuery(Container):
    """Reads a dict or makes a new one."""
