#!/usr/bin/python3
"""Converts all-MiniLM-L6-v2 as quantised by Xenova (ONNX) to the file that vec/embed/minilm.c maps.

Usage: minilm_convert.py MODEL_DIR OUT     MODEL_DIR holds onnx/model_quantized.onnx and tokenizer.json

Needs nothing but Python. The format is described at the top of vec/embed/minilm.c, the order of the weights in
vec/embed/minilm_kernels.h. The ONNX file is known by its sha256; what the kernels rely on (signed weights with zero
points of 0, magnitudes that can't overflow) is checked all the same.
"""
import array
import hashlib
import json
import os
import struct
import sys

SHA256 = "afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1"
LAYERS, HEADS, HIDDEN, INNER, TOKENS = 6, 12, 384, 1536, 256
FLOAT, UINT8, INT8 = 1, 2, 3  # TensorProto.DataType


# --- protobuf: as much as ONNX needs

def varint(b, i):
    value = shift = 0
    while True:
        c = b[i]
        value |= (c & 127) << shift
        i += 1
        shift += 7
        if c < 128:
            return value, i


def fields(b):
    """The (number, value) pairs of a message; values are ints or memoryviews."""
    i = 0
    while i < len(b):
        key, i = varint(b, i)
        if key & 7 == 0:
            value, i = varint(b, i)
        elif key & 7 == 2:
            n, i = varint(b, i)
            value = b[i:i + n]
            i += n
        else:
            n = {1: 8, 5: 4}[key & 7]
            value = b[i:i + n]
            i += n
        yield key >> 3, value


def packed(value):
    """The ints of a repeated field, packed or not."""
    if isinstance(value, int):
        return [value]
    out, i = [], 0
    while i < len(value):
        x, i = varint(value, i)
        out.append(x)
    return out


def read_tensor(b):
    """A TensorProto as (name, shape, array)."""
    shape, kind, name, raw, ints, floats = [], 0, "", b"", [], b""
    for number, value in fields(b):
        if number == 1:
            shape += packed(value)
        elif number == 2:
            kind = value
        elif number == 4:
            floats += bytes(value)
        elif number == 5:
            ints += packed(value)
        elif number == 8:
            name = bytes(value).decode()
        elif number == 9:
            raw = bytes(value)
    if kind == FLOAT:
        return name, shape, array.array("f", raw or floats)
    if kind in (UINT8, INT8):
        values = array.array("B", raw) if raw else array.array("B", [x & 255 for x in ints])
        return name, shape, array.array("b", values.tobytes()) if kind == INT8 else values
    return name, shape, None


def read_graph(b):
    """Tensors by name, and the weights' name by each MatMulInteger's place ('encoder/layer.0/...')."""
    graph = next(v for k, v in fields(b) if k == 7)
    tensors, weights = {}, {}
    for number, value in fields(graph):
        if number == 5:
            name, shape, data = read_tensor(value)
            tensors[name] = (shape, data)
        elif number == 1:
            node = list(fields(value))
            if next(bytes(v) for k, v in node if k == 4) == b"MatMulInteger":
                inputs = [bytes(v).decode() for k, v in node if k == 1]
                output = next(bytes(v).decode() for k, v in node if k == 2)
                weights[output.split("/MatMul_")[0].strip("/")] = inputs[1].removesuffix("_quantized")
    return tensors, weights


# --- our file

class Writer:
    def __init__(self):
        self.bytes = bytearray()

    def part(self, data):
        self.bytes += bytes(-len(self.bytes) % 64)
        self.bytes += data if isinstance(data, (bytes, bytearray)) else data.tobytes()


def check_groups(columns, name):
    """The sums of four that the kernels make in 16 bits: see minilm_kernels.h."""
    for column in columns:
        m = [abs(w) for w in column]
        sums = [m[k] + m[k + 1] + m[k + 4] + m[k + 5] for k in range(0, len(m), 2) if k % 8 < 4]
        assert max(m) <= 64 and max(sums) <= 255, name + ": weights too large for the kernels"


def pack(columns):
    """Panels of 16 columns; in them groups of eight rows: rows 0-3 and 4-7 of columns 0-7 and 8-15."""
    rows = len(columns[0])
    out = bytearray(rows * len(columns))
    shift = bytes((x + 64) & 255 for x in range(256))  # signed weight to code
    for c, column in enumerate(columns):
        codes = column.tobytes().translate(shift)
        for k in range(4):
            first = c // 16 * 16 * rows + c % 16 * 4 + k
            out[first:first + 16 * rows - (c % 16) * 4 - k:64] = codes[k::4]
    return out


def write_dense(w, tensors, weights, places):
    """One dense layer, or several side by side."""
    columns, scale, bias, sums = [], array.array("f"), array.array("f"), array.array("i")
    for place in places:
        name = weights[place]
        (rows, n), data = tensors[name + "_quantized"]
        assert not any(tensors[name + "_zero_point"][1]), name + ": zero point"
        mine = [data[c::n] for c in range(n)]
        check_groups(mine, name)
        columns += mine
        scale += tensors[name + "_scale"][1]
        bias += tensors[place.replace("/", ".") + ".bias"][1]
        sums.extend(sum(c) for c in mine)
    assert len(scale) == len(bias) == len(columns)
    for data in (pack(columns), scale, bias, sums):
        w.part(data)


def write_norm(w, tensors, place):
    w.part(tensors[place + ".LayerNorm.weight"][1])
    w.part(tensors[place + ".LayerNorm.bias"][1])


def write_layer(w, tensors, weights, place):
    attention = place + "/attention"
    write_dense(w, tensors, weights, [f"{attention}/self/{x}" for x in ("query", "key", "value")])
    write_dense(w, tensors, weights, [attention + "/output/dense"])
    write_norm(w, tensors, attention.replace("/", ".") + ".output")
    write_dense(w, tensors, weights, [place + "/intermediate/dense"])
    write_dense(w, tensors, weights, [place + "/output/dense"])
    write_norm(w, tensors, place.replace("/", ".") + ".output")


def checksum(data):
    """FNV-1a by words of 64 bits, four side by side."""
    prime, mask = 0x100000001B3, (1 << 64) - 1
    words = array.array("Q", bytes(data))
    h = [1, 2, 3, 4]
    for j in range(4):
        x = h[j]
        for word in words[j::4]:
            x = ((x ^ word) * prime) & mask
        h[j] = x
    total = h[0] * prime & mask
    for j in range(1, 4):
        total = (total ^ h[j]) * prime & mask
    return total


def read_vocabulary(path):
    with open(path, encoding="utf-8") as f:
        ids = json.load(f)["model"]["vocab"]
    words = sorted(ids, key=ids.get)
    assert [ids[x] for x in words] == list(range(len(words)))
    return ids, b"".join(bytes([len(x.encode())]) + x.encode() for x in words)


def embedding(tensors, name):
    name = f"embeddings.{name}_embeddings.weight"
    return tensors[name + "_quantized"][1], tensors[name + "_scale"][1][0], tensors[name + "_zero_point"][1][0]


def convert(model_dir):
    with open(os.path.join(model_dir, "onnx/model_quantized.onnx"), "rb") as f:
        onnx = f.read()
    if hashlib.sha256(onnx).hexdigest() != SHA256:
        sys.exit("minilm_convert: model_quantized.onnx is another file than the one this was written for")
    ids, table = read_vocabulary(os.path.join(model_dir, "tokenizer.json"))
    tensors, weights = read_graph(memoryview(onnx))
    words, word_scale, word_zero = embedding(tensors, "word")
    positions, position_scale, position_zero = embedding(tensors, "position")
    types, type_scale, type_zero = embedding(tensors, "token_type")
    assert len(words) == len(ids) * HIDDEN and len(positions) >= TOKENS * HIDDEN
    w = Writer()
    w.bytes += bytes(128)
    w.part(table)
    w.part(words)
    w.part(positions[:TOKENS * HIDDEN])
    w.part(array.array("f", [(x - type_zero) * type_scale for x in types[:HIDDEN]]))
    write_norm(w, tensors, "embeddings")
    for i in range(LAYERS):
        write_layer(w, tensors, weights, f"encoder/layer.{i}")
    w.bytes[:112] = struct.pack(
        "<8s2IQ10IfIfI32s", b"LCMINILM", 1, 0x01020304, len(w.bytes) + 8, len(ids), len(table), HIDDEN, LAYERS,
        HEADS, INNER, TOKENS, ids["[UNK]"], ids["[CLS]"], ids["[SEP]"], word_scale, word_zero, position_scale,
        position_zero, bytes.fromhex(SHA256))
    return bytes(w.bytes) + struct.pack("<Q", checksum(w.bytes))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if sys.byteorder != "little":
        sys.exit("minilm_convert: runs on little-endian machines")
    data = convert(sys.argv[1])
    with open(sys.argv[2] + ".part", "wb") as f:
        f.write(data)
    os.replace(sys.argv[2] + ".part", sys.argv[2])
    print(f"{sys.argv[2]}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
