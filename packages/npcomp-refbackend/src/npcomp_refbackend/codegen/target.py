"""What kernels need to know of the machine: vector width, registers, caches. Chosen by features, never by CPU name."""

from __future__ import annotations

from dataclasses import dataclass

BYTES = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2, "i64": 8, "i32": 4, "i16": 2, "i8": 1, "i1": 1}
_WIDE = frozenset({"avx512f", "avx512vl", "avx512bw", "avx512dq"})


@dataclass(frozen=True)
class Target:
    """An x86-64 machine. `features` are LLVM's names (`avx2`, `fma`), only those that are present."""

    features: frozenset[str]
    l1_bytes: int = 32 * 1024
    l2_bytes: int = 1024 * 1024

    @classmethod
    def from_features(cls, text: str) -> Target:
        """From LLVM's notation `+avx2,+fma,-avx512f`."""
        names = [name.strip() for name in text.split(",")]
        return cls(frozenset(name[1:] for name in names if name.startswith("+")))

    @classmethod
    def host(cls) -> Target:
        from npcomp_dialects import codegen

        return cls.from_features(codegen.host_features())

    @property
    def feature_text(self) -> str:
        """LLVM's notation of the features, in a stable order."""
        return ",".join(f"+{name}" for name in sorted(self.features))

    @property
    def vector_bytes(self) -> int:
        if self.features >= _WIDE:
            return 64
        return 32 if "avx2" in self.features else 16

    @property
    def registers(self) -> int:
        """Vector registers."""
        return 32 if self.vector_bytes == 64 else 16

    @property
    def has_fma(self) -> bool:
        return self.vector_bytes == 64 or "fma" in self.features

    @property
    def has_f16c(self) -> bool:
        return self.vector_bytes == 64 or "f16c" in self.features

    def lanes(self, dtype: str) -> int:
        """Elements of `dtype` in one vector register."""
        return self.vector_bytes // BYTES[dtype]
