"""`lake help`: the overview, or all about one verb or stage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lake.cli.options import Json


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="[VERB|STAGE]", help="What to explain.")
    ] = None,
    module: Annotated[
        list[Path] | None,
        typer.Option("--module", metavar="FILE", help="A Python file with stages of yours."),
    ] = None,
    json: Json = False,
) -> None:
    """Explain a verb or a stage.

    For a stage, also its YAML form and its Python class; with --json, its JSON Schema.
    """
    if name is None:
        from lake.cli.overview import overview

        print(overview())
        return
    from lake.cli.verbs import VERBS

    if name in VERBS:
        _print_help(name, [])
    elif json:
        from lake.cli.output import Output
        from lake.stage.registry import find_stage
        from lake.stage.schema import stage_schema

        Output(json=True).result(stage_schema(find_stage(name, module or ())))
    else:
        words = [word for path in module or () for word in ("--module", str(path))]
        _print_help(name, words)
        _print_forms(name, module or [])


def _print_help(name: str, argv: list[str]) -> None:
    from lake.cli.main import find_command

    find_command(name, argv).main(["--help"], prog_name=f"lake {name}", standalone_mode=False)


def _print_forms(name: str, modules: list[Path]) -> None:
    from lake.stage.registry import find_stage

    stage = find_stage(name, modules)
    parameters = ", ".join(f"{field}: ..." for field in stage.model_fields)
    arguments: Any = ", ".join(f"{field}=..." for field in stage.model_fields)
    print(f"\nIn YAML:\n  - {name}: {{{parameters}}}")
    print(f"\nIn Python:\n  from {stage.__module__} import {stage.__name__}")
    print(f"  dataset | {stage.__name__}({arguments})")
