"""The mutants of a module: one small change each, as cosmic-ray makes them."""

import ast
import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

Position = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """One change of one module; `occurrence` counts the places where the operator could be applied."""

    module: Path
    operator: str
    occurrence: int
    place: Position

    @property
    def part(self) -> str:
        """The module or package of `image_similarity.inference` that it is in."""
        return self.module.parts[2].removesuffix(".py")

    @property
    def can_be_made(self) -> bool:
        """Whether cosmic-ray can make it."""
        try:
            return bool(self.applied(self.module.read_text("utf-8")))
        except AttributeError:
            return False

    def applied(self, source: str) -> str:
        """The module's text with the change."""
        changed: str = mutate_code(source, get_operator(self.operator)(), self.occurrence)
        return changed

    def __str__(self) -> str:
        source = self.module.read_text("utf-8")
        diff = difflib.ndiff(source.splitlines(), self.applied(source).splitlines())
        lines = [line[0] + line[1:].strip() for line in diff if line[0] in "-+"]
        return f"{self.module}:{self.place[0]} {self.operator.removeprefix('core/')}  " + "  ".join(lines)


def all_mutants(root: Path, module: Path) -> Iterator[Mutant]:
    """Every mutant of a module, those of its annotations left out: no test can notice them."""
    source = (root / module).read_text("utf-8")
    skipped, nodes = list(annotations(source)), list(ast_nodes(get_ast(source)))
    for name in operator_names():
        operator_class = get_operator(name)
        if name == "core/NoOp" or operator_class.arguments():
            continue
        operator = operator_class()
        places = (place for node in nodes for place in operator.mutation_positions(node))
        for occurrence, (start, _) in enumerate(places):
            if not any(first <= start < last for first, last in skipped):
                yield Mutant(module, name, occurrence, start)


def sample(mutants: Iterable[Mutant], count: int, seed: int) -> list[Mutant]:
    """Mutants of different places: an operator may have a dozen at one, and most of those are alike.

    There may be fewer: cosmic-ray can't replace an exception whose name has a dot.
    """
    places = defaultdict[tuple[Path, Position], list[Mutant]](list)
    for mutant in mutants:
        places[mutant.module, mutant.place].append(mutant)
    chance = Random(seed)
    drawn = [chance.choice(places[place]) for place in chance.sample(sorted(places), min(count, len(places)))]
    return [mutant for mutant in drawn if mutant.can_be_made]


def annotations(source: str) -> Iterator[tuple[Position, Position]]:
    """From where to where each annotation of a module goes."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.AnnAssign(annotation=found) | ast.arg(annotation=ast.expr() as found):
                yield _span(found)
            case ast.FunctionDef(returns=ast.expr() as found):
                yield _span(found)


def _span(node: ast.expr) -> tuple[Position, Position]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
