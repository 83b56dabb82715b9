"""The codebook of the raw tables, made by `python -m osteometa.extraction.codebook`."""

import sys
from pathlib import Path

from osteometa.extraction.cell_types import Row, range_words
from osteometa.extraction.tables import ROWS
from osteometa.io.csv_records import write_text

PATH = Path(__file__).parents[3] / "docs/codebook.md"


def codebook() -> str:
    """Return the codebook of the raw tables."""
    lines = [
        "# Codebook of the raw tables",
        "",
        "Made from the models in `workflow/osteometa/extraction/` by "
        "`python -m osteometa.extraction.codebook`. "
        "UTF-8 CSV files in `data/raw/` with a header row. **An empty cell means not reported**; "
        "numbers are entered as reported, and all conversion happens in code.",
    ]
    for model in ROWS:
        lines += ["", f"## {model.table}.csv", "", f"{model.purpose} Key: {', '.join(model.key)}."]
        lines += ["", "| column | content | allowed |", "|---|---|---|"]
        for name in model.columns():
            holds = (model.model_fields[name].description or "").replace("|", "\\|")
            lines.append(f"| `{name}` | {holds} | {allowed(model, name)} |")
    return "\n".join(lines) + "\n"


def allowed(model: type[Row], name: str) -> str:
    """Return what the cells of a column may hold, and whether they are needed."""
    schema = model.model_json_schema()["properties"][name]
    needed = "; needed" if name in model.model_json_schema().get("required", ()) else ""
    if "enum" in schema:
        return ", ".join(word for word in schema["enum"] if word) + needed
    if "const" in schema:
        return str(schema["const"]) + needed
    kinds = schema.get("type") or [part.get("type") for part in schema.get("anyOf", ())]
    kinds = [kinds] if isinstance(kinds, str) else kinds
    kind = next((kind for kind in kinds if kind != "null"), "string")
    words = {"integer": "whole number", "number": "number", "string": "text"}[kind]
    if "pattern" in schema:
        words = "small letters, digits, _"
    return " ".join(filter(None, (words, range_words(schema)))) + needed


def main() -> int:
    """Write the codebook into the project."""
    write_text(PATH, codebook())
    print(f"{PATH.name} is written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
