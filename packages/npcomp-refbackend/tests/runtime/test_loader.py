"""The object loader: what compilers emit works, what is broken or out of reach is an error."""

from __future__ import annotations

import contextlib
import math
import struct

import numpy as np
import pytest
from compiled import artifact, compile_c, method, tensor
from npcomp_refbackend import Artifact, ArtifactError

RICH = """
static const double table[4] = {1, 2, 3, 4};
static int64_t counter = 40;
static int64_t zeros[1000];
static const char *const words[] = {"one", "two", "three"};
extern int64_t (*const choice[2])(int64_t);
int64_t twice(int64_t x) { return 2 * x; }
__attribute__((noinline)) int64_t thrice(int64_t x) { return 3 * x; }
int64_t (*const choice[2])(int64_t) = {twice, thrice};
int64_t common_block[3];
ENTRY(npcomp_forward) {
  double x, y; memcpy(&x, &a[0], 8);
  y = expf(x) + pow(x, 2.5) + erf(x) + fmod(7.5, 2) + table[a[1]];
  memcpy(&r[0], &y, 8);
  zeros[a[1]] += 1; common_block[1] += 2;
  r[1] = counter++ + strlen(words[a[1] % 3]) + choice[a[1] & 1](5) + zeros[a[1]] + common_block[1];
}
"""
RETURNS = {"kind": "tuple", "items": [{"kind": "float"}, {"kind": "int"}]}
RICH_ARGS = [{"name": "x", "kind": "float"}, {"name": "n", "kind": "int"}]
FLAGS = [
    ("-O0",), ("-O2",), ("-O2", "-fno-pic"), ("-O2", "-fcommon"), ("-O3", "-mavx2", "-funroll-loops"),
    ("-O2", "-fno-plt"), ("-O2", "-ffunction-sections", "-fdata-sections"), ("-O0", "-g", "-fexceptions"),
]  # fmt: skip


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_what_compilers_emit(flags):
    header = {"methods": [method(RICH_ARGS, RETURNS)]}
    program = Artifact(header, compile_c(RICH, *flags)).load()
    other = Artifact(header, compile_c(RICH, *flags)).load()
    for calls in range(3):
        value, number = program(1.5, 3)
        expected = np.float32(math.exp(1.5)) + 1.5**2.5 + math.erf(1.5) + 1.5 + 4
        assert value == pytest.approx(expected, rel=1e-6)
        assert number == 40 + calls + 3 + 15 + (calls + 1) + 2 * (calls + 1)
    assert other(1.5, 3)[1] == 40 + 3 + 15 + 1 + 2  # its own data


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "void nowhere(void); ENTRY(npcomp_forward) { nowhere(); }",
            "calls 'nowhere', which neither the runtime nor libm",
        ),
        ("__thread int64_t t; ENTRY(npcomp_forward) { r[0] = ++t; }", "thread-local"),
        ("__attribute__((constructor)) void f(void) {} ENTRY(npcomp_forward) {}", "has initialisers"),
        ("void npcomp_other(void) {}", "lacks the function 'npcomp_forward' of method 'forward'"),
        ("static ENTRY(npcomp_forward) {} void *keep = npcomp_forward;", "lacks the function 'npcomp_forward'"),
    ],
)
def test_what_the_loader_refuses(source, text):
    with pytest.raises(ArtifactError, match=text):
        artifact(source, method([], {"kind": "none"})).load()


def test_relocations_that_the_loader_lacks():
    with pytest.raises(ArtifactError, match=r"has relocations of type .*do: compile position-independent code"):
        Artifact({"methods": [method(RICH_ARGS, RETURNS)]}, compile_c(RICH, "-mcmodel=large")).load()


def test_code_is_not_writable_and_constants_are_not_either():
    source = """
    static const int64_t fixed[2] = {1, 2};
    ENTRY(npcomp_forward) { r[0] = (int64_t)npcomp_forward; r[1] = (int64_t)fixed; }
    """
    program = artifact(source, method([], {"kind": "tuple", "items": [{"kind": "int"}] * 2})).load()
    code, constant = program()
    rights = {}
    with open("/proc/self/maps") as maps:
        for line in maps:
            low, high = (int(x, 16) for x in line.split()[0].split("-"))
            rights.update(
                {name: line.split()[1] for name, at in (("code", code), ("constant", constant)) if low <= at < high}
            )
    assert rights == {"code": "r-xp", "constant": "r--p"}


def test_every_truncation_is_an_error():
    code = compile_c(RICH)
    for size in [*range(200), *range(200, len(code) - 1, 97)]:
        with pytest.raises(ArtifactError):
            Artifact({"methods": [method(RICH_ARGS, RETURNS)]}, code[:size]).load()


def test_damaged_structure_never_crashes():
    """Headers, symbols and relocations with any byte changed: an error, or a program (that is not run)."""
    code = compile_c(RICH)
    section_table, count = struct.unpack_from("<Q", code, 40)[0], struct.unpack_from("<H", code, 60)[0]
    ranges = [(0, 64), (section_table, section_table + 64 * count)]
    for n in range(count):
        kind, _, _, offset, size = struct.unpack_from("<IQQQQ", code, section_table + 64 * n + 4)
        if kind in (2, 3, 4):  # symbols, names, relocations
            ranges.append((offset, offset + size))
    refused = loaded = 0
    rng = np.random.default_rng(0)
    header = {"methods": [method(RICH_ARGS, RETURNS)]}
    for low, high in ranges:
        for at in range(low, high):
            for value in (0xFF, code[at] ^ (1 << rng.integers(8))):
                damaged = bytearray(code)
                damaged[at] = value
                try:
                    Artifact(header, bytes(damaged)).load()
                    loaded += 1
                except (ArtifactError, MemoryError):
                    refused += 1
    assert refused > 500 and loaded > 500


def test_random_objects_never_crash():
    rng = np.random.default_rng(1)
    code = bytearray(compile_c(RICH))
    for _ in range(300):
        damaged = bytearray(code)
        for at in rng.integers(0, len(code), 20):
            damaged[at] = rng.integers(256)
        with contextlib.suppress(ArtifactError, MemoryError):
            Artifact({"methods": [method(RICH_ARGS, RETURNS)]}, bytes(damaged)).load()
    with pytest.raises(ArtifactError, match="object code is broken"):
        Artifact({"methods": [method(RICH_ARGS, RETURNS)]}, rng.bytes(5000)).load()


HALVES = """
float call_trunc(float x);
extern __typeof__((_Float16)0) __truncsfhf2(float), __truncdfhf2(double);
extern float __extendhfsf2(_Float16);
ENTRY(npcomp_forward) {
  const float *x = tensor(a[0])->data;
  T y = refrt_alloc(c, 5, 1, tensor(a[0])->dims), z = like(c, tensor(a[0])), w = refrt_alloc(c, 5, 1, y->dims);
  for (int64_t i = 0; i < y->numel; ++i) {
    ((_Float16 *)y->data)[i] = __truncsfhf2(x[i]);
    ((float *)z->data)[i] = __extendhfsf2(((_Float16 *)y->data)[i]);
    ((_Float16 *)w->data)[i] = __truncdfhf2(x[i] * 1.0000000001);
  }
  r[0] = (int64_t)y; r[1] = (int64_t)z; r[2] = (int64_t)w;
}
"""


def test_conversions_of_halves():
    """What LLVM calls for f16 on processors without the instruction."""
    items = [tensor(None, dtype="f16"), tensor(None), tensor(None, dtype="f16")]
    program = artifact(HALVES, method([tensor(None)], {"kind": "tuple", "items": items})).load()
    rng = np.random.default_rng(2)
    with np.errstate(over="ignore", invalid="ignore"):
        every = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
        ties = np.nextafter(every, np.inf, dtype=np.float32)
        middles = ((every[:-1].astype(np.float64) + every[1:]) / 2).astype(np.float32)
        bits = rng.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
        x = np.concatenate([every, ties, middles, bits])
        y, z, w = program(x)
        np.testing.assert_array_equal(y, x.astype(np.float16))
        np.testing.assert_array_equal(z, x.astype(np.float16).astype(np.float32))
        np.testing.assert_array_equal(w, (x.astype(np.float64) * 1.0000000001).astype(np.float16))
