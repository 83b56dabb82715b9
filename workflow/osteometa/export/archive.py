"""A finished run as an RO-Crate 1.2 (Soiland-Reyes 2022): what was made from what, by what.

One zip with tables, settings, results and versions, from which the review reruns.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from osteometa import __version__
from osteometa.export.finished import MANIFEST, Listed, config_of, manifest_of
from osteometa.protocol.config import Config
from osteometa.records.groups import grouped
from osteometa.run.code import workflow_home
from osteometa.run.remembered import EARLIER

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

CONFIG = "config.yaml"
OWN = ("CITATION.cff", "LICENSE", "README.md")
"""Of the review, where its folder has them."""
SOFTWARE = ("CITATION.cff", "LICENSE", "requirements.txt")
"""Of osteometa, in the folder software; the last has the version of every library."""
KINDS = {
    ".csv": "text/csv", ".html": "text/html", ".svg": "image/svg+xml", ".png": "image/png",
    ".pdf": "application/pdf", ".yaml": "application/yaml", ".css": "text/css",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}  # fmt: skip
"""Formats by the ending of a file; other files are plain text."""
CONTENT = {
    "data/raw/": "Data and judgements that reviewers entered", "data/processed/": "Derived data",
    "results/": "Result", CONFIG: "Settings of the review", "CITATION.cff": "How to cite it",
    "LICENSE": "Licence of the review", "README.md": "About the folder",
    "software/": "About the software",
}  # fmt: skip
"""What a file is, by the beginning of its name."""
READABLE = 0o644 << 16
NO_LICENCE = "No licence is stated: ask the authors of the review before reuse."


def archive_of(root: Path, published: str = "") -> bytes:
    """Return the archive of a finished run, the same bytes for the same run and date.

    `published` is an ISO 8601 date; by default the day (UTC) on which the run was finished.
    NotFinishedError if there is no finished run that is current.
    """
    listed, config = manifest_of(root), config_of(root)
    if not published:
        finished = (root / MANIFEST).stat().st_mtime
        published = datetime.fromtimestamp(finished, UTC).date().isoformat()
    optional = (*OWN, EARLIER.as_posix())
    names = [CONFIG, MANIFEST, *(name for name in optional if (root / name).is_file())]
    files = {name: (root / name).read_bytes() for name in [*names, *(row.file for row in listed)]}
    home = workflow_home()
    files |= {f"software/{name}": (home / name).read_bytes() for name in SOFTWARE}
    files = dict(sorted(files.items()))
    metadata = crate_of(files, listed, config, published).metadata
    words = json.dumps(metadata.generate(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return _zipped({metadata.id: words.encode(), **files})


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            item = ZipInfo(name)  # with its date of 1980
            item.external_attr = READABLE
            archive.writestr(item, data, ZIP_DEFLATED)
    return buffer.getvalue()


def crate_of(
    files: Mapping[str, bytes], listed: Sequence[Listed], config: Config, published: str
) -> ROCrate:
    """Return the description of an archive: its files, and the steps that made them."""
    from rocrate.model import ContextEntity, File
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.2")
    entities = {
        name: crate.add(File(crate, dest_path=name, properties=_properties(name, data)))
        for name, data in files.items()
    }
    licence = ContextEntity(crate, "#no-licence", properties={
        "@type": "CreativeWork", "name": "Licence", "description": NO_LICENCE,
    })  # fmt: skip
    root = crate.root_dataset
    root.properties().update(name=config.title, datePublished=published, description=_words())
    root["license"] = entities.get("LICENSE") or crate.add(licence)
    software: Any = crate.add(ContextEntity(crate, "#osteometa", properties={
        "@type": "SoftwareApplication", "name": "osteometa", "version": __version__,
    }))  # fmt: skip
    software["url"] = entities["software/CITATION.cff"]
    software["softwareRequirements"] = entities["software/requirements.txt"]
    software["license"] = entities["software/LICENSE"]
    actions = [
        crate.add_action(
            software, identifier=f"#step-{number}",
            object=[entities[name] for name in _files(sources, files)],
            result=[entities[name] for name in made],
            properties={"name": _step(made), "@type": "CreateAction"},
        )
        for number, (sources, made) in enumerate(_steps(listed), start=1)
    ]  # fmt: skip
    root["mentions"] = actions
    return crate


def _properties(name: str, data: bytes) -> dict[str, Any]:
    licence = Path(name).name == "LICENSE"
    return {
        "@type": ["File", "CreativeWork"] if licence else "File",
        "description": next(words for start, words in CONTENT.items() if name.startswith(start)),
        "name": name, "encodingFormat": KINDS.get(Path(name).suffix, "text/plain"),
        "contentSize": str(len(data)), "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip


def _words() -> str:
    return (
        "Tables, settings, results and software versions of a systematic review. To rerun it: "
        f"unpack, install osteometa {__version__} with the versions of software/requirements.txt, "
        "then: osteometa run FOLDER -- --forceall. results/manifest.csv has the hash of every file."
    )


def _steps(listed: Iterable[Listed]) -> list[tuple[str, list[str]]]:
    """Return what was made together: the files that have the same sources, by their sources."""
    steps = grouped((row for row in listed if row.made_from), lambda row: row.made_from)
    files = [(sources, [row.file for row in rows]) for sources, rows in steps.items()]
    return sorted(files, key=lambda step: step[1])


def _files(sources: str, files: Mapping[str, bytes]) -> list[str]:
    """Return the files of a cell of `made_from`: those in folders too, and the settings."""
    found = {CONFIG}
    for source in sources.split():
        found |= {source} if source in files else {
            name for name in files if name.startswith(f"{source}/")
        }  # fmt: skip
    return sorted(found)


def _step(made: Sequence[str]) -> str:
    more = f" and {len(made) - 1} more files" if len(made) > 1 else ""
    return f"Make {made[0]}{more}"
