"""Global slots, kernel fallback, and values that stay in the torch dialect."""

from __future__ import annotations

import torch
from lowering.case_modules import to_array
from lowering.torch_text import compiled, lower
from reference_evaluator import Evaluator


def test_slots_keep_tensors_and_numbers():
    module = lower("""
    torch.global_slot "private" @count : INT
    torch.global_slot "private" @total : V<[2],f32>
    torch.global_slot.module_initializer {
      %0 = torch.constant.int 3
      %1 = torch.vtensor.literal(dense<[1.0, 2.0]> : tensor<2xf32>) : V<[2],f32>
      torch.initialize.global_slots [ @count(%0 : INT), @total(%1 : V<[2],f32>) ]
    }
    func.func @forward(%x: V<[2],f32>) -> (INT, V<[2],f32>) {
      %one = torch.constant.int 1
      %n = torch.global_slot.get @count : INT
      %t = torch.global_slot.get @total : V<[2],f32>
      %m = torch.aten.add.int %n, %one : INT, INT -> INT
      %s = torch.aten.add.Tensor %t, %x, %one : V<[2],f32>, V<[2],f32>, INT -> V<[2],f32>
      torch.global_slot.set @count = %m : INT
      torch.global_slot.set @total = %s : V<[2],f32>
      return %m, %s : INT, V<[2],f32>
    }""")
    with module.context:
        instance = Evaluator(module)
        for trip in range(1, 4):
            n, t = instance.call("forward", to_array(torch.ones(2)))
            assert n == 3 + trip
            assert t.tolist() == [1 + trip, 2 + trip]


def test_an_op_without_lowering_stays_a_kernel_call():
    f = compiled("""
    func.func @forward(%x: V<[?,3],f32>, %n: INT) -> (V<[?,3],f32>, V<[?,3],f32>) {
      %none = torch.constant.none
      %t = torch.aten.tanh %x : V<[?,3],f32> -> V<[?,3],f32>
      %r:2 = torch.operator "aten.frexp.Tensor"(%t) : (V<[?,3],f32>) -> (V<[?,3],f32>, V<[?,3],si32>)
      %s = torch.aten.neg %r#0 : V<[?,3],f32> -> V<[?,3],f32>
      return %s, %t : V<[?,3],f32>, V<[?,3],f32>
    }""")
    assert 'torch.operator "aten.frexp.Tensor"' in str(f.module)
    x = torch.rand(2, 3)
    s, t = f(x, 1)
    torch.testing.assert_close(s, -torch.frexp(torch.tanh(x))[0])
    torch.testing.assert_close(t, torch.tanh(x))


def test_a_list_that_a_kernel_gives_is_unpacked_from_it():
    f = compiled("""
    func.func @forward(%x: V<[4],f32>) -> V<[2],f32> {
      %two = torch.constant.int 2
      %zero = torch.constant.int 0
      %l = torch.operator "aten.split.Tensor"(%x, %two, %zero) : (V<[4],f32>, INT, INT) -> !torch.list<vtensor<[2],f32>>
      %r:2 = torch.prim.ListUnpack %l : !torch.list<vtensor<[2],f32>> -> V<[2],f32>, V<[2],f32>
      %s = torch.aten.neg %r#1 : V<[2],f32> -> V<[2],f32>
      return %s : V<[2],f32>
    }""")
    assert f(torch.tensor([1.0, 2.0, 3.0, 4.0])).tolist() == [-3, -4]


def test_integers_keep_their_signs_across_the_border():
    f = compiled(
        """
    func.func @forward(%x: V<[3],ui8>) -> V<[3],f32> {
      %r:2 = torch.operator "aten.sort"(%x, %d, %f) : (V<[3],ui8>, INT, BOOL) -> (V<[3],ui8>, V<[3],si64>)
      %six = torch.constant.int 6
      %false = torch.constant.bool false
      %none = torch.constant.none
      %s = torch.aten.to.dtype %r#0, %six, %false, %false, %none
        : V<[3],ui8>, INT, BOOL, BOOL, !torch.none -> V<[3],f32>
      return %s : V<[3],f32>
    }""".replace("%r:2", "%d = torch.constant.int 0\n      %f = torch.constant.bool false\n      %r:2")
    )
    assert f(torch.tensor([200, 3, 255], dtype=torch.uint8)).tolist() == [3, 200, 255]
