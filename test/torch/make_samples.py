"""Records what PyTorch computes for the samples its own tests are made of.

    python make_samples.py OUT [--per-op 3] [--max-elements 400] [--seed 0] [--only NAME ...]
    python make_samples.py ../fixtures/torch/samples --per-op 2 --max-elements 130

For every operator of `op_db` and every module of `module_db` (float32): the arguments, the outputs, the
gradients of a fixed cotangent, and how far float32 is from float64 there. Writes OUT.json (the
structure) and OUT.bin (the numbers). The second command makes those that CI compares. Needs torch and numpy; the tests that read the files do not.
"""

import argparse
import copy
import inspect
import json
import math
import sys
import types
import warnings

import numpy as np
import torch

# PyTorch's test lists import a package that only its own tests need.
stub = types.ModuleType("expecttest")
stub.TestCase = __import__("unittest").TestCase
stub.assert_expected_inline = None
sys.modules.setdefault("expecttest", stub)

from torch.testing._internal import common_methods_invocations  # noqa: E402
from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402
from torch.testing._internal.common_modules import module_db  # noqa: E402
from torch.utils import _pytree as pytree  # noqa: E402

# Ops that draw random numbers are called with a fixed seed there, which hides that they are random.
common_methods_invocations.wrapper_set_seed = lambda op, *args, **kwargs: op(*args, **kwargs)

# Sparse, quantised and complex tensors, torch.fx, the jiterator, and what only PyTorch's insides call.
OUT_OF_SCOPE = (
    "fft.", "jiterator_", "sparse.", "_", "torch.ops.aten", "to_sparse", "complex", "cdouble",
    "cfloat", "chalf", "polar", "view_as_complex", "resize_", "hash_tensor", "as_strided",
    "empty_strided", "new_empty_strided", "nonzero_static", "native_", "unsafe_", "lu_unpack",
    "linalg.eig", "linalg.ldl", "geqrf", "ormqr", "resolve_", "real", "conj", "angle", "isreal",
    "stft", "istft", "max_pool2d_with_indices_backward", "linalg.eigvals", "masked.",
)
DTYPES = {
    torch.float32: "float32", torch.float64: "float64", torch.bfloat16: "bfloat16",
    torch.float16: "float16", torch.int64: "int64", torch.int32: "int32", torch.uint8: "uint8",
    torch.bool: "bool",
}


# Where and how PyTorch stores a tensor, which has no meaning here.
STORAGE = ("memory_format", "layout", "device", "pin_memory")


class Unrecordable(Exception):
    """A sample that holds something a TypeScript program has no word for."""


class Writer:
    def __init__(self):
        self.samples = []
        self.numbers = bytearray()

    def tensor(self, t):
        if t.dtype not in DTYPES or t.layout != torch.strided:
            raise Unrecordable(str(t.dtype))
        dtype = DTYPES[t.dtype]
        flat = t.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
        stored = flat.to(torch.float32) if dtype in ("bfloat16", "float16") else flat
        data = stored.numpy().tobytes()
        while len(self.numbers) % 8:
            self.numbers.append(0)
        entry = {"tensor": len(self.numbers), "dtype": dtype, "shape": list(t.shape)}
        self.numbers += data
        if t.requires_grad:
            entry["grad"] = True
        return entry

    def value(self, v):
        """A value as JSON: plain numbers as they are, anything else as an object that says what it is."""
        if isinstance(v, torch.Tensor):
            return self.tensor(v)
        if v is None or isinstance(v, (bool, str)):
            return v
        if isinstance(v, (np.integer, int)):
            return int(v) if abs(int(v)) < 2**53 else {"int": str(int(v))}
        if isinstance(v, (np.floating, float)):
            return float(v) if math.isfinite(v) else {"float": str(float(v))}
        if isinstance(v, torch.dtype) and v in DTYPES:
            return {"dtype": DTYPES[v]}
        if isinstance(v, slice):
            return {"slice": [self.value(v.start), self.value(v.stop), self.value(v.step)]}
        if v is Ellipsis:
            return {"ellipsis": True}
        if isinstance(v, (list, tuple)):
            return {"list": [self.value(item) for item in v]}
        if isinstance(v, dict):
            return {"dict": {k: self.value(item) for k, item in v.items()}}
        raise Unrecordable(type(v).__name__)


def keywords(writer, given):
    return {k: writer.value(v) for k, v in given.items() if k not in STORAGE}


def elements(*trees):
    return sum(t.numel() for t in pytree.tree_leaves(trees) if isinstance(t, torch.Tensor))


def cotangent(t):
    """Fixed numbers that float32 holds exactly."""
    index = torch.arange(t.numel(), dtype=torch.int64)
    return (((index * 7) % 11 - 5).to(t.dtype) / 8).reshape(t.shape)


def deviation(single, double):
    """The largest |single - double| / (1 + |double|) where both are finite."""
    if single is None or double is None or single.numel() == 0:
        return 0.0
    a, b = single.detach().double(), double.detach().double()
    good = torch.isfinite(a) & torch.isfinite(b)
    return float(((a - b).abs() / (1 + b.abs()))[good].max()) if good.any() else 0.0


def outputs_of(result):
    leaves = pytree.tree_leaves(result)
    if any(isinstance(leaf, torch.Tensor) and leaf.is_complex() for leaf in leaves):
        raise Unrecordable("complex")
    return leaves


def gradients(leaves, inputs):
    roots = [t for t in leaves if isinstance(t, torch.Tensor) and t.requires_grad]
    if not roots or not inputs:
        return [None] * len(inputs)
    cotangents = [cotangent(t) for t in roots]
    return torch.autograd.grad(roots, inputs, cotangents, allow_unused=True)


def to_double(tree):
    def convert(v):
        if isinstance(v, torch.Tensor) and v.dtype == torch.float32:
            return v.detach().double().requires_grad_(v.requires_grad)
        return torch.float64 if v is torch.float32 else v
    return pytree.tree_map(convert, tree)


def wanted_leaves(tree):
    return [t for t in pytree.tree_leaves(tree) if isinstance(t, torch.Tensor) and t.requires_grad]


def record(writer, run, arguments, entry, differentiable):
    """Adds outputs and gradients of `run(*arguments)`, with what float64 says of them."""
    torch.manual_seed(0)
    leaves = outputs_of(run(*arguments))
    torch.manual_seed(1)
    again = outputs_of(run(*arguments))
    entry["random"] = any(
        isinstance(a, torch.Tensor) and not torch.equal(a.nan_to_num(), b.nan_to_num())
        for a, b in zip(leaves, again) if isinstance(a, torch.Tensor) and a.shape == b.shape
    )
    double_leaves, double_arguments = None, to_double(arguments)
    try:
        torch.manual_seed(0)
        double_leaves = outputs_of(run(*double_arguments))
    except Exception:
        pass
    def slack(a, b):
        return deviation(a, b) if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) and a.is_floating_point() and a.shape == b.shape else 0.0
    entry["outputs"] = [writer.value(leaf) for leaf in leaves]
    for output in entry["outputs"]:
        if isinstance(output, dict):
            output.pop("grad", None)
    entry["slack"] = [slack(a, b) for a, b in zip(leaves, double_leaves or [])]
    inputs = wanted_leaves(arguments)
    if differentiable and not entry["random"] and inputs:
        found = gradients(leaves, inputs)
        exact = [None] * len(inputs)
        if double_leaves is not None:
            exact = gradients(double_leaves, wanted_leaves(double_arguments))
        entry["gradients"] = [None if g is None else writer.tensor(g.detach()) for g in found]
        entry["gradient_slack"] = [slack(a, b) if a is not None else 0.0 for a, b in zip(found, exact)]


def evenly(items, count):
    if len(items) <= count:
        return items
    return [items[i * len(items) // count] for i in range(count)]


def takes_outputs_as_they_are(sample):
    """Some samples differentiate only what is unique of the outputs, such as not the signs of vectors."""
    marker = object()
    try:
        return sample.output_process_fn_grad(marker) is marker
    except Exception:
        return False


def operator_samples(writer, op, options):
    name = op.name
    differentiable = op.supports_autograd
    size = lambda sample: elements(sample.input, sample.args, sample.kwargs)  # noqa: E731
    every = list(op.sample_inputs("cpu", torch.float32, requires_grad=differentiable))
    candidates = [sample for sample in every if size(sample) <= options.max_elements]
    if not candidates:
        candidates = sorted((s for s in every if size(s) < 20_000), key=size)[:1]
    chosen = 0
    for sample in evenly(candidates, options.per_op):
        plain = takes_outputs_as_they_are(sample)
        position = len(writer.numbers)
        try:
            entry = {
                "op": name, "variant": op.variant_test_name,
                "args": [writer.value(sample.input), *(writer.value(a) for a in sample.args)],
                "kwargs": keywords(writer, sample.kwargs),
            }
            run = lambda x, a, k: op.op(x, *a, **k)  # noqa: E731
            record(writer, run, (sample.input, sample.args, sample.kwargs), entry, differentiable and plain)
        except Exception as error:
            del writer.numbers[position:]
            if options.verbose:
                print(name, type(error).__name__, error)
            continue
        writer.samples.append(entry)
        chosen += 1
    return chosen


def raises(op, sample):
    """PyTorch's lists hold some that only its Python references refuse."""
    try:
        op.op(sample.input, *sample.args, **sample.kwargs)
    except Exception:
        return True
    return False


def operator_errors(writer, op, options):
    if op.error_inputs_func is None:
        return
    count = 0
    for error in op.error_inputs("cpu"):
        sample = error.sample_input
        if "layout" in sample.kwargs:
            continue
        if count >= options.per_op or elements(sample.input, sample.args, sample.kwargs) > options.max_elements:
            continue
        if not raises(op, sample):
            continue
        position = len(writer.numbers)
        try:
            entry = {
                "op": op.name, "error": str(error.error_regex),
                "args": [writer.value(sample.input), *(writer.value(a) for a in sample.args)],
                "kwargs": keywords(writer, sample.kwargs),
            }
        except Exception:
            del writer.numbers[position:]
            continue
        writer.samples.append(entry)
        count += 1


def module_samples(writer, info, options):
    cls = info.module_cls
    names = [n for n in inspect.signature(cls.__init__).parameters if n != "self"]
    candidates = []
    for training in (True, False):
        for item in info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=True, training=training):
            candidates.append((training, item))
    for training, item in evenly(candidates, options.per_op):
        position = len(writer.numbers)
        try:
            torch.manual_seed(7)
            construct = item.constructor_input
            module = cls(*construct.args, **construct.kwargs).train(training)
            given = {**dict(zip(names, construct.args)), **construct.kwargs}
            forward = item.forward_input
            if elements(forward.args, forward.kwargs, list(module.state_dict().values())) > 4 * options.max_elements:
                continue
            entry = {
                "module": cls.__name__, "training": training,
                "options": {k: writer.value(v) for k, v in given.items() if k not in (*STORAGE, "dtype")},
                "state": {k: writer.value(v.detach()) for k, v in module.state_dict().items()},
                "args": [writer.value(a) for a in forward.args],
                "kwargs": {k: writer.value(v) for k, v in forward.kwargs.items()},
            }
            names_ = [n for n, _ in module.named_parameters()]

            def run(args, kwargs, params):
                floating = [t for t in pytree.tree_leaves((params, args)) if torch.is_tensor(t)]
                double = any(t.dtype == torch.float64 for t in floating)
                fresh = copy.deepcopy(module).to(torch.float64 if double else torch.float32)
                given_ = dict(zip(names_, params))
                return torch.func.functional_call(fresh, given_, args, kwargs)

            parameters = [p for p in module.parameters()]
            record(writer, run, (forward.args, forward.kwargs, parameters), entry, True)
            entry["parameters"] = names_
        except Exception as error:
            del writer.numbers[position:]
            if options.verbose:
                print(cls.__name__, type(error).__name__, error)
            continue
        writer.samples.append(entry)


def in_scope(name):
    return not name.startswith(OUT_OF_SCOPE) or name in ("T", "H")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--per-op", type=int, default=3)
    parser.add_argument("--max-elements", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    writer, silent = Writer(), []
    for op in op_db:
        if not in_scope(op.name) or not op.supports_dtype(torch.float32, "cpu"):
            continue
        if options.only and op.name not in options.only:
            continue
        torch.manual_seed(options.seed)
        np.random.seed(options.seed)
        if operator_samples(writer, op, options) == 0:
            silent.append(op.name)
        try:
            operator_errors(writer, op, options)
        except Exception:
            pass
    for info in module_db:
        if options.only and info.module_cls.__name__ not in options.only:
            continue
        torch.manual_seed(options.seed)
        module_samples(writer, info, options)
    with open(options.out + ".json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(s) for s in writer.samples) + "\n]\n")
    with open(options.out + ".bin", "wb") as file:
        file.write(writer.numbers)
    print(f"{len(writer.samples)} samples, {len(writer.numbers)} bytes of numbers, torch {torch.__version__}")
    if silent:
        print("no sample could be recorded of:", *silent)


main()
