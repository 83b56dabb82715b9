"""The JSON schema of config.yaml for editors, made by `python -m osteometa.protocol.schema`."""

import json
import sys
from pathlib import Path

from osteometa.io.csv_records import write_text
from osteometa.protocol.config import Config

PATH = Path(__file__).parents[2] / "schemas/config.schema.json"


def schema() -> str:
    """Return the schema as text."""
    return json.dumps(Config.model_json_schema(), indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the schema into the project."""
    write_text(PATH, schema())
    print(f"{PATH.name} is written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
