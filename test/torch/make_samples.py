"""Records what PyTorch computes for the samples its own tests are made of.

    python make_samples.py OUT [--per-op 3] [--max-elements 400] [--seed 0] [--only NAME ...]
                               [--dtype float32] [--reference]
    python make_samples.py ../fixtures/torch/samples --per-op 2 --max-elements 130

For every operator of `op_db` and every module of `module_db` that scope.py does not leave out: the arguments,
the outputs, the gradients of a fixed cotangent, and how far float32 is from float64 there. An operator that
does not know the dtype gets int64. `--reference` takes the longer lists that PyTorch compares with NumPy, in which
are NaN, infinities and shapes that broadcast. Writes OUT.json (the structure) and OUT.bin (the numbers). The second
command makes those that CI compares. Needs torch and numpy; the tests that read the files do not.
"""

import argparse
import copy
import json
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

from scope import why_out_of_scope  # noqa: E402
from writer import Unrecordable, Writer, remember_constructor  # noqa: E402

# Ops that draw random numbers are called with a fixed seed there, which hides that they are random.
common_methods_invocations.wrapper_set_seed = lambda op, *args, **kwargs: op(*args, **kwargs)


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
    made = {}

    def convert(v):
        if isinstance(v, torch.Tensor) and v.dtype == torch.float32:
            if id(v) not in made:
                made[id(v)] = v.detach().double().requires_grad_(v.requires_grad)
            return made[id(v)]
        return torch.float64 if v is torch.float32 else v
    return pytree.tree_map(convert, tree)


def wanted_leaves(tree):
    """Those tensors that get gradients, each once."""
    leaves = [t for t in pytree.tree_leaves(tree) if isinstance(t, torch.Tensor) and t.requires_grad]
    return list({id(t): t for t in leaves}.values())


def slack(single, double):
    known = isinstance(single, torch.Tensor) and isinstance(double, torch.Tensor)
    comparable = known and single.is_floating_point() and single.shape == double.shape
    return deviation(single, double) if comparable else 0.0


def draws(run):
    """Whether `run` takes numbers from the generator, and its result."""
    torch.manual_seed(0)
    before = torch.get_rng_state()
    result = run()
    return not torch.equal(before, torch.get_rng_state()), result


def record(writer, run, arguments, entry, differentiable):
    """Adds outputs and gradients of `run(*arguments)`, with what float64 says of them."""
    entry["random"], leaves = draws(lambda: outputs_of(run(*arguments)))
    double_leaves, double_arguments = None, to_double(arguments)
    try:
        torch.manual_seed(0)
        double_leaves = outputs_of(run(*double_arguments))
    except Exception:
        pass
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


def smallest_enough(candidates, size, most):
    """Those of at most `most` elements, or else the smallest, unless it is far too large."""
    small = [c for c in candidates if size(c) <= most]
    return small or sorted((c for c in candidates if size(c) < 20_000), key=size)[:1]


def takes_outputs_as_they_are(sample):
    """Some samples differentiate only what is unique of the outputs, such as not the signs of vectors."""
    marker = object()
    try:
        return sample.output_process_fn_grad(marker) is marker
    except Exception:
        return False


def attempt(writer, options, name, add):
    """Calls `add`; what cannot be recorded leaves no numbers behind."""
    position = len(writer.numbers)
    try:
        writer.samples.append(add())
        return True
    except Exception as error:
        del writer.numbers[position:]
        if options.verbose:
            print(name, type(error).__name__, error)
        return False


def given(op, args):
    """x[a] is x[(a,)], and x[[1, 2]] another thing than x[1, 2]: what stands between brackets is made a list."""
    if op.name != "__getitem__":
        return args
    return [args[0] if isinstance(args[0], tuple) else (args[0],)]


def operator_samples(writer, op, dtype, options):
    differentiable = op.supports_autograd and dtype.is_floating_point
    sample_inputs = op.reference_inputs if options.reference else op.sample_inputs
    every = list(sample_inputs("cpu", dtype, requires_grad=differentiable))
    size = lambda sample: elements(sample.input, sample.args, sample.kwargs)  # noqa: E731
    run = lambda x, a, k: op.op(x, *a, **k)  # noqa: E731

    def add(sample):
        entry = {"op": op.name, "variant": op.variant_test_name}
        entry.update(writer.call((sample.input, *given(op, sample.args)), sample.kwargs))
        arguments = (sample.input, sample.args, sample.kwargs)
        record(writer, run, arguments, entry, differentiable and takes_outputs_as_they_are(sample))
        entry["random"] |= "empty" in op.name  # whatever memory holds
        return entry

    chosen = evenly(smallest_enough(every, size, options.max_elements), options.per_op)
    if sum(attempt(writer, options, op.name, lambda s=sample: add(s)) for sample in chosen) == 0:
        raise Unrecordable(f"none of {len(every)}")


def raises(run):
    """PyTorch's lists hold some that only its Python references refuse."""
    try:
        run()
    except Exception:
        return True
    return False


# Lists written for operators of more than one kind; these refuse the sample for what op.op has no argument for.
NOT_OURS = ("layout", "out")


def operator_errors(writer, op, _, options):
    # Of Python's operators, __radd__ and the like, PyTorch refuses a number in the place of self.
    if op.error_inputs_func is None or op.name.startswith("__"):
        return
    count = 0
    for error in op.error_inputs("cpu"):
        sample = error.sample_input
        if any(name in sample.kwargs for name in NOT_OURS) or has_layout(sample):
            continue
        if count >= options.per_op or elements(sample.input, sample.args, sample.kwargs) > options.max_elements:
            continue
        if not raises(lambda s=sample: op.op(s.input, *s.args, **s.kwargs)):
            continue
        add = lambda s=sample, e=error: {  # noqa: E731
            "op": op.name, "error": str(e.error_regex), **writer.call((s.input, *s.args), s.kwargs),
        }
        count += attempt(writer, options, op.name, add)


def has_layout(sample):
    """A sample refused for its layout would be a good one without it."""
    return any(isinstance(leaf, torch.layout) and leaf != torch.strided for leaf in pytree.tree_leaves(sample.kwargs))


def module_samples(writer, info, options):
    cls = info.module_cls
    candidates = []
    for training in (True, False):
        for item in info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=True, training=training):
            candidates.append((training, item))

    def size(candidate):
        _, item = candidate
        state = cls(*item.constructor_input.args, **item.constructor_input.kwargs).state_dict()
        return elements(item.forward_input.args, item.forward_input.kwargs, list(state.values()))

    def add(training, item):
        torch.manual_seed(7)
        construct, forward = item.constructor_input, item.forward_input
        module = cls(*construct.args, **construct.kwargs).train(training)
        entry = {
            "module": cls.__name__, "training": training,
            "options": writer.options(cls, construct.args, construct.kwargs),
            "state": {k: writer.value(v.detach()) for k, v in module.state_dict().items()},
            **writer.call(forward.args, forward.kwargs),
        }
        names = [n for n, _ in module.named_parameters()]

        def run(args, kwargs, params):
            floating = [t for t in pytree.tree_leaves((params, args)) if torch.is_tensor(t)]
            double = any(t.dtype == torch.float64 for t in floating)
            fresh = copy.deepcopy(module).to(torch.float64 if double else torch.float32)
            return torch.func.functional_call(fresh, dict(zip(names, params)), args, kwargs)

        record(writer, run, (forward.args, forward.kwargs, list(module.parameters())), entry, True)
        entry["parameters"] = names
        return entry

    for training, item in evenly(smallest_enough(candidates, size, 4 * options.max_elements), options.per_op):
        attempt(writer, options, cls.__name__, lambda t=training, i=item: add(t, i))


def module_errors(writer, info, options):
    if info.module_error_inputs_func is None:
        return
    cls = info.module_cls
    for training in (True, False):
        errors = info.module_error_inputs_func(
            info, device="cpu", dtype=torch.float32, requires_grad=True, training=training)
        for error in list(errors)[: options.per_op]:
            construct = error.module_error_input.constructor_input
            # None where the constructor refuses.
            forward = error.module_error_input.forward_input or construct.__class__()
            run = lambda c=construct, f=forward, t=training: cls(*c.args, **c.kwargs).train(t)(*f.args, **f.kwargs)  # noqa: E731
            if not raises(run):
                continue
            attempt(writer, options, cls.__name__, lambda c=construct, f=forward, e=error, t=training: {
                "module": cls.__name__, "training": t, "error": str(e.error_regex),
                "options": writer.options(cls, c.args, c.kwargs), **writer.call(f.args, f.kwargs),
            })


def dtype_of(op, options):
    """The one asked for; what knows no floating point is recorded of whole numbers."""
    wanted = getattr(torch, options.dtype)
    if op.supports_dtype(wanted, "cpu"):
        return wanted
    return torch.int64 if options.dtype == "float32" and op.supports_dtype(torch.int64, "cpu") else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--per-op", type=int, default=3)
    parser.add_argument("--max-elements", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    for cls in (torch.nn.TransformerEncoderLayer, torch.nn.PairwiseDistance):
        remember_constructor(cls)
    writer = Writer()
    for op in op_db:
        dtype = dtype_of(op, options)
        if why_out_of_scope(op.name) or dtype is None or (options.only and op.name not in options.only):
            continue
        torch.manual_seed(options.seed)
        np.random.seed(options.seed)
        for add, what in ((operator_samples, "samples"), (operator_errors, "error samples")):
            try:
                add(writer, op, dtype, options)
            except Exception as error:
                print(f"no {what} of {op.name}: {error}")
    for info in module_db:
        skip = options.dtype != "float32" or options.reference or info.module_cls.__name__.startswith("Lazy")
        if skip or (options.only and info.module_cls.__name__ not in options.only):
            continue
        torch.manual_seed(options.seed)
        module_samples(writer, info, options)
        module_errors(writer, info, options)
    with open(options.out + ".json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(s) for s in writer.samples) + "\n]\n")
    with open(options.out + ".bin", "wb") as file:
        file.write(writer.numbers)
    print(f"{len(writer.samples)} samples, {len(writer.numbers)} bytes of numbers, torch {torch.__version__}")


main()
