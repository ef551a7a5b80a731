"""The table of passes and of contract rules."""

from __future__ import annotations

from pathlib import Path

import npcomp_dialects.passes as passes
import pytest
from npcomp_dialects import contract, pipelines
from npcomp_dialects.errors import OptionError

FOLDER = Path(passes.__file__).parent


def test_every_pass_of_the_pipeline_exists() -> None:
    for name in (*pipelines.TO_TYPED_VALUES, *pipelines.IF_LISTS_ARE_LEFT, *pipelines.TO_TORCH_CONTRACT):
        assert passes.lookup(name).name == name


def test_a_pass_has_a_file_of_its_name_and_prose() -> None:
    for name, text in passes.descriptions().items():
        if passes.lookup(name).apply.__module__.startswith("npcomp_dialects.") and not name.startswith("verify-"):
            assert (FOLDER / f"{name.replace('-', '_')}.py").exists()
            assert "Goal:" in text


def test_an_unknown_pass_lists_what_there_is() -> None:
    with pytest.raises(OptionError, match=r"there is no pass 'nothing'\ndo: use one of .*refine-types"):
        passes.lookup("nothing")


def test_a_pass_needs_prose_and_a_free_name() -> None:
    with pytest.raises(OptionError, match="says nothing about itself"):
        passes.register("silent")(lambda module: None)
    passes.lookup("simplify")

    def other(module: object) -> None:
        """Something else."""

    with pytest.raises(OptionError, match="two passes are called 'simplify'"):
        passes.register("simplify")(other)


def test_rules_have_distinct_labels_and_sentences() -> None:
    for rules in contract.documented().values():
        assert len({label for label, _ in rules}) == len(rules)
        assert all(sentence.endswith(".") for _, sentence in rules)


def test_every_rule_has_a_lit_test() -> None:
    lit = FOLDER.parents[2] / "tests" / "lit" / "contracts"
    for name, rules in contract.documented().items():
        text = (lit / f"{name}.mlir").read_text()
        assert all(f"rule {label}:" in text for label, _ in rules)
