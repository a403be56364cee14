"""Writes conformance/gguf-types/blocks.json: blocks of every GGUF storage type with the values that the `gguf` package (gguf-py of
llama.cpp, written in numpy, independent of this repository) decodes from them.

    python3 -m venv /tmp/gguf && /tmp/gguf/bin/pip install gguf==0.19.0
    /tmp/gguf/bin/python packages/models/scripts/make-gguf-type-vectors.py

Half of the blocks are random bytes with finite float16 scales; for types that gguf-py can quantise, the rest are quantised normal noise.
"""

import json
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize, quantize

# Byte offsets of the float16 numbers of a block.
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}  # fmt: skip
BLOCKS = 3

random = np.random.default_rng(20_260_101)


def random_block(name: str, size: int) -> np.ndarray:
    block = random.integers(0, 256, size, dtype=np.uint8)
    for at in HALVES.get(name, []):
        block[at : at + 2] = np.frombuffer(np.float16(random.normal() * 0.01).tobytes(), np.uint8)
    return block


def vectors(name: str) -> list[dict[str, object]]:
    kind = GGMLQuantizationType[name]
    elements, size = GGML_QUANT_SIZES[kind]
    blocks = [random_block(name, size) for _ in range(BLOCKS)]
    try:
        noise = random.normal(size=(2, elements)).astype(np.float32)
        blocks += list(quantize(noise, kind).reshape(2, size))
    except NotImplementedError:
        pass
    found = []
    for block in blocks:
        values = dequantize(block.reshape(1, size), kind).reshape(-1).astype("<f4")
        found.append({"type": name, "block": block.tobytes().hex(), "float32": values.tobytes().hex()})
    return found


folder = Path(__file__).parents[3] / "conformance" / "gguf-types"
folder.mkdir(parents=True, exist_ok=True)
lines = [json.dumps(vector) for name in HALVES for vector in vectors(name)]
(folder / "blocks.json").write_text("[\n  " + ",\n  ".join(lines) + "\n]\n")
print(f"{len(lines)} blocks")
