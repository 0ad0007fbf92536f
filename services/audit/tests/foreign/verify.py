"""Verifies a log with an implementation that is not ours (PyPI aics-tlog).

usage: verify.py FOLDER; prints the number of entries it has verified
"""

import sys
from pathlib import Path

from aics_tlog import (
    FileSystemTileReader,
    consistency_proof_from_tiles,
    inclusion_proof_from_tiles,
    leaf_hash,
    parse_note,
    parse_vkey,
    read_entry,
    tree_root_from_tiles,
    verify_checkpoint,
    verify_consistency,
    verify_inclusion,
)


def main(folder: Path) -> None:
    key = parse_vkey((folder / "log.vkey").read_text().strip())
    checkpoint = verify_checkpoint(parse_note((folder / "checkpoint").read_text()), key)
    assert checkpoint.ok, checkpoint.error
    size, root = checkpoint.size, checkpoint.root
    reader = FileSystemTileReader(folder)
    assert tree_root_from_tiles(reader, size) == root, "root"
    files = sorted(folder.glob("audit-*.jsonl"))
    lines = [line for file in files for line in file.read_bytes().split(b"\n")[:-1]]
    assert len(lines) == size, f"{len(lines)} lines, {size} leaves"
    for index, line in enumerate(lines):
        assert read_entry(reader, index, size) == line, f"entry {index}"
    for index in range(0, size, 97):
        proof = inclusion_proof_from_tiles(reader, index, size)
        assert verify_inclusion(leaf_hash(lines[index]), index, size, proof, root), f"proof {index}"
    for old in range(1, size, 149):
        proof = consistency_proof_from_tiles(reader, old, size)
        before = tree_root_from_tiles(reader, old, size)
        assert verify_consistency(old, size, before, root, proof), f"consistency {old}"
    print(size)


main(Path(sys.argv[1]))
