"""What a file holds, whole, up to a limit: devices, pipes and folders are no files, and little that unpacks to much."""

from __future__ import annotations

import gzip
import io
import stat
from pathlib import Path

MOST_BYTES = 2**29  # of a file, also unpacked: seven million lines of bars
_MOST_RATIO, _ALWAYS = 200, 2**24  # times that prices may unpack to, of files beyond so many bytes
_BLOCK = 2**20


def check_file(path: Path, most: int = MOST_BYTES) -> None:
    """Check that a path leads to a file that is not too large.

    Raises:
        OSError: saying what stands there instead, or that there is too much of it.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError("it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is a device, a pipe or a socket, not a file")
    if found.st_size > most:
        raise OSError(f"it has more than {_shown(most)}")


def read_content(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a file that is not too large.

    Raises:
        OSError: as `check_file` does.
    """
    check_file(path, most)
    with path.open("rb") as file:
        content = file.read(path.stat().st_size + 1)  # Python sets aside what it is asked to read
        while block := file.read(_BLOCK):  # it grows, or does not know its size
            content += block
            if len(content) > most:
                raise OSError(f"it has more than {_shown(most)}")
    return content


def unpacked(content: bytes) -> bytes:
    """Unpack gzip, as far as it is not too much.

    Raises:
        OSError: if it is no gzip, or unpacks to more than a file may have, or to more than 200 times its size.
    """
    most = min(MOST_BYTES, max(_ALWAYS, _MOST_RATIO * len(content)))
    blocks, size = [], 0
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        while block := file.read(_BLOCK):
            blocks.append(block)
            size += len(block)
            if size > most:
                raise OSError(f"its {_shown(len(content))} unpack to more than {_shown(most)}")
    return b"".join(blocks)


def _shown(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB" if size >= 2**20 else f"{size / 2**10:,.0f} KiB"
