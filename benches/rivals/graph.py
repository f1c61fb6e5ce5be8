"""The classifier as an ONNX graph: encoder, the [CLS] vector, a linear head.

Two forms of the same computation. The plain one has standard operators only, which every runtime reads. The fused one
has the operators that ONNX Runtime's own optimiser would fuse a BERT into (domain com.microsoft); it is the fastest form
for that runtime, and no other reads it.
"""

import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper

CONTRIB = "com.microsoft"


class Builder:
    """Collects nodes and constants."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def add(self, op, inputs, output, domain="", **attributes):
        name = f"{op}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], domain=domain, name=name, **attributes))
        return output

    def model(self, inputs):
        tensors = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs]
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])
        graph = helper.make_graph(self.nodes, "classifier", tensors, [logits], list(self.constants.values()))
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def layer_weights(weights, index):
    """Weights of one layer under short names, matrices as [inputs, outputs]."""
    prefix = f"encoder.layer.{index}."
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "o": "attention.output.dense",
        "up": "intermediate.dense",
        "down": "output.dense",
    }
    norms = {"n1": "attention.output.LayerNorm", "n2": "output.LayerNorm"}
    layer = {}
    for short, part in parts.items():
        layer[short] = weights[f"{prefix}{part}.weight"].T
        layer[short + "_bias"] = weights[f"{prefix}{part}.bias"]
    for short, part in norms.items():
        layer[short] = weights[f"{prefix}{part}.weight"]
        layer[short + "_bias"] = weights[f"{prefix}{part}.bias"]
    return layer


def positions(weights):
    """Positions with the first token type added, as all tokens here are of that type."""
    types = weights["embeddings.token_type_embeddings.weight"]
    return weights["embeddings.position_embeddings.weight"] + types[0]


def head(builder, weights, states):
    builder.constant("first", np.array(0, np.int64))
    builder.add("Gather", [states, "first"], "cls", axis=1)
    weight = builder.constant("head", weights["classifier.weight"])
    bias = builder.constant("head_bias", weights["classifier.bias"])
    builder.add("Gemm", ["cls", weight, bias], "logits", transB=1)


def plain(config, weights):
    """The graph in standard operators."""
    b = Builder()
    hidden, heads, eps = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    width = hidden // heads

    def linear(x, name, layer, short):
        product = b.add("MatMul", [x, b.constant(f"{name}.w", layer[short])], f"{name}.product")
        return b.add("Add", [product, b.constant(f"{name}.b", layer[short + "_bias"])], f"{name}.out")

    def norm(x, name, scale, bias):
        parts = [x, b.constant(f"{name}.scale", scale), b.constant(f"{name}.bias", bias)]
        return b.add("LayerNormalization", parts, name, axis=-1, epsilon=eps)

    zero, one = b.constant("zero", np.array([0], np.int64)), b.constant("one", np.array([1], np.int64))
    b.add("Gather", [b.constant("words", weights["embeddings.word_embeddings.weight"]), "ids"], "word")
    b.add("Shape", ["ids"], "shape")
    b.add("Slice", ["shape", one, b.constant("two", np.array([2], np.int64))], "length")
    b.add("Slice", [b.constant("positions", positions(weights)), zero, "length", zero], "position")
    b.add("Add", ["word", "position"], "embedded")
    x = norm("embedded", "x", weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])

    b.add("Cast", ["mask"], "present", to=TensorProto.FLOAT)
    b.add("Sub", [b.constant("ones", np.float32(1)), "present"], "absent")
    b.add("Mul", ["absent", b.constant("minus", np.float32(-10000))], "penalty")
    b.add("Unsqueeze", ["penalty", b.constant("axes", np.array([1, 2], np.int64))], "bias")
    split = b.constant("split", np.array([0, 0, heads, width], np.int64))
    join = b.constant("join", np.array([0, 0, hidden], np.int64))
    scale = b.constant("scale", np.float32(1 / math.sqrt(width)))
    root, unit, half = (b.constant(n, np.float32(v)) for n, v in [("root", math.sqrt(2)), ("unit", 1), ("half", 0.5)])

    for index in range(config["num_hidden_layers"]):
        layer, name = layer_weights(weights, index), f"layer{index}"
        sides = {}
        for short, order in [("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])]:
            rows = b.add("Reshape", [linear(x, f"{name}.{short}", layer, short), split], f"{name}.{short}.heads")
            sides[short] = b.add("Transpose", [rows], f"{name}.{short}.turned", perm=order)
        products = b.add("MatMul", [sides["q"], sides["k"]], f"{name}.products")
        scaled = b.add("Mul", [products, scale], f"{name}.scaled")
        masked = b.add("Add", [scaled, "bias"], f"{name}.masked")
        shares = b.add("Softmax", [masked], f"{name}.shares", axis=-1)
        gathered = b.add("MatMul", [shares, sides["v"]], f"{name}.gathered")
        turned = b.add("Transpose", [gathered], f"{name}.turned", perm=[0, 2, 1, 3])
        context = b.add("Reshape", [turned, join], f"{name}.context")
        output = linear(context, f"{name}.o", layer, "o")
        x = norm(b.add("Add", [output, x], f"{name}.sum1"), f"{name}.x1", layer["n1"], layer["n1_bias"])
        up = linear(x, f"{name}.up", layer, "up")
        erf = b.add("Erf", [b.add("Div", [up, root], f"{name}.div")], f"{name}.erf")
        weighted = b.add("Mul", [up, b.add("Add", [erf, unit], f"{name}.plus")], f"{name}.weighted")
        down = linear(b.add("Mul", [weighted, half], f"{name}.gelu"), f"{name}.down", layer, "down")
        x = norm(b.add("Add", [down, x], f"{name}.sum2"), f"{name}.x2", layer["n2"], layer["n2_bias"])
    head(b, weights, x)
    return b.model(["ids", "mask"])


def fused(config, weights):
    """The graph in ONNX Runtime's fused operators."""
    b = Builder()
    eps = config["layer_norm_eps"]

    def skip_norm(x, skip, name, layer, short, bias):
        parts = [x, skip, *(b.constant(f"{name}.{key}", layer[key]) for key in (short, short + "_bias", bias))]
        return b.add("SkipLayerNormalization", parts, name, CONTRIB, epsilon=eps)

    b.add("Cast", ["ids"], "ids32", to=TensorProto.INT32)
    b.add("Cast", ["mask"], "mask32", to=TensorProto.INT32)
    words = b.constant("words", weights["embeddings.word_embeddings.weight"])
    table = b.constant("positions", positions(weights))
    scale = b.constant("scale", weights["embeddings.LayerNorm.weight"])
    bias = b.constant("bias", weights["embeddings.LayerNorm.bias"])
    b.nodes.append(helper.make_node(
        "EmbedLayerNormalization", ["ids32", "", words, table, "", scale, bias], ["x", "mask_index"],
        domain=CONTRIB, name="embed", epsilon=eps,
    ))
    x = "x"
    for index in range(config["num_hidden_layers"]):
        layer, name = layer_weights(weights, index), f"layer{index}"
        joint = b.constant(f"{name}.qkv", np.concatenate([layer[key] for key in "qkv"], axis=1))
        joint_bias = b.constant(f"{name}.qkv_bias", np.concatenate([layer[key + "_bias"] for key in "qkv"]))
        heads = config["num_attention_heads"]
        context = b.add("Attention", [x, joint, joint_bias, "mask32"], f"{name}.context", CONTRIB, num_heads=heads)
        output = b.add("MatMul", [context, b.constant(f"{name}.o", layer["o"])], f"{name}.output")
        x = skip_norm(output, x, f"{name}.x1", layer, "n1", "o_bias")
        up = b.add("MatMul", [x, b.constant(f"{name}.up", layer["up"])], f"{name}.up.out")
        gelu = b.add("BiasGelu", [up, b.constant(f"{name}.up_bias", layer["up_bias"])], f"{name}.gelu", CONTRIB)
        down = b.add("MatMul", [gelu, b.constant(f"{name}.down", layer["down"])], f"{name}.down.out")
        x = skip_norm(down, x, f"{name}.x2", layer, "n2", "down_bias")
    head(b, weights, x)
    return b.model(["ids", "mask"])
