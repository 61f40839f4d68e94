"""Lists PyTorch's public names, for docs/coverage.md.

    python make_names.py > ../fixtures/torch/names.json
"""

import inspect
import json

import torch
import torch.nn.functional as F
from torch import linalg, masked, nn, optim, special
from torch.nn import init, utils
from torch.optim import lr_scheduler
from torch.signal import windows

from scope import OUT_OF_SCOPE, why_out_of_scope

# Storage, devices, compilers, and functions that nn.functional has under the same name: no functions of tensors.
FOREIGN = (
    "cuda", "cpu", "mps", "xpu", "cudnn", "mkldnn", "quant", "q_", "int_repr", "sparse", "sym", "fbgemm", "miopen",
    "dequantize", "vulkan", "nested", "set_", "get_", "is_", "_", "complex", "real", "imag", "conj", "resolve", "dsmm",
    "hsmm", "hspmm", "smm", "spmm", "sspaddmm", "saddmm", "names", "refine", "rename", "align", "compile", "cond",
    "export", "jit", "fft", "stft", "istft", "fork", "wait", "vmap", "typename", "unsafe", "fused", "fake", "native",
    "batch_norm_", "embedding_renorm", "threads", "native", "init_", "initial", "classproperty", "autocast", "batch_norm",
    "instance_norm", "layer_norm", "group_norm", "rnn", "gru", "lstm", "storage", "share_memory", "pin", "to_", "as_",
    "view_as_", "angle", "polar", "isreal", "copysign_", "lobpcg", "ormqr", "geqrf", "orgqr", "from_", "data_ptr",
    "element_size", "record_stream", "register", "retain", "reinforce", "untyped", "volatile", "dim_order", "nbytes",
    "adaptive", "affine_grid_generator", "alpha_dropout", "dropout", "feature", "rrelu", "selu", "celu", "conv",
    "cosine_embedding", "ctc", "hinge", "kl_div", "margin", "max_pool", "avg_pool", "poisson", "prelu", "relu", "pixel",
    "channel_shuffle", "pdist", "pairwise", "triplet", "bilinear", "binary_cross", "embedding", "grid_sampler",
    "hardshrink", "threshold", "sgn", "while", "hash", "has_", "import", "load", "save", "manual_seed", "seed",
    "no_grad", "inference", "set", "use_", "validate", "parse", "merge", "unify", "thread", "prepare", "promote",
    "profiler", "result", "can_cast", "obj", "ops", "iinfo", "finfo", "Tag", "read_vitals", "vitals", "slice_inverse",
)
LOSSES = [n for n in nn.modules.loss.__all__]


def functions(module, foreign=FOREIGN):
    # Some names are PyTorch's own in `torch`, and everybody's in nn.functional: embedding, lstm.
    left_out = why_out_of_scope if module is torch else lambda _: None
    return [n for n in every_function(module) if not n.startswith(foreign) and left_out(n) is None]


def every_function(module):
    found = {n: getattr(module, n) for n in dir(module)}
    return sorted(n for n, f in found.items() if callable(f) and not inspect.isclass(f) and not inspect.ismodule(f)
                  and not n.startswith("_") and getattr(f, "__module__", None) != "typing")


def classes(module, base, skip=()):
    found = [n for n in dir(module) if inspect.isclass(getattr(module, n)) and issubclass(getattr(module, n), base)]
    return sorted(n for n in found if not n.startswith(("_", "Lazy")) and n not in skip and not why_out_of_scope(n))


areas = {
    "nn": classes(nn, nn.Module, ("Module", "Container")) + ["ParameterList", "ParameterDict"][:0],
    "nn.functional": sorted(n for n in functions(F, ("_", "handle", "has_", "boolean", "assert", "scaled_grouped",
                            "scaled_mm", "grouped")) if not n.endswith("_") and "with_indices" not in n),
    "nn.init": sorted(n for n in functions(init, ("_", "calculate_gain_")) if n.endswith("_") or n == "calculate_gain"),
    "nn.utils": ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters",
                 "get_total_norm", "clip_grads_with_norm_", "parametrizations.weight_norm",
                 "parametrizations.spectral_norm", "parametrizations.orthogonal", "parametrize.register_parametrization",
                 "parametrize.remove_parametrizations", "parametrize.is_parametrized", "fuse_conv_bn_eval",
                 "rnn.pack_padded_sequence", "rnn.pad_packed_sequence", "rnn.pad_sequence", "rnn.pack_sequence",
                 "rnn.unpad_sequence", "rnn.PackedSequence"],
    "optim": classes(optim, optim.Optimizer, ("Optimizer", "SparseAdam")),
    "optim.lr_scheduler": classes(lr_scheduler, object, ("Any", "Callable", "Counter", "Enum", "Number", "Optimizer",
                          "Iterable", "Tensor", "LRScheduler", "SupportsFloat", "partial", "ref", "Literal", "Sequence",
                          "SwaLR")),
    "torch": sorted(n for n in functions(torch) if not n.endswith("_") and not n.endswith("_copy")),
    "linalg": [n for n in functions(linalg, ("_", "eig", "ldl", "LinAlg")) if n != "eigvals"] + ["eigh", "eigvalsh"],
    "special": functions(special, ("_",)),
    "autograd": ["Function", "backward", "grad", "gradcheck", "gradgradcheck", "detect_anomaly", "set_detect_anomaly",
                 "no_grad", "enable_grad", "set_grad_enabled", "is_grad_enabled"],
}

areas["masked"] = sorted(n for n in masked.__all__ if n not in ("as_masked_tensor", "is_masked_tensor", "masked_tensor", "MaskedTensor"))
areas["signal.windows"] = windows.__all__

everything = {*every_function(torch), *(n for n in dir(nn) if n[0].isupper())}
left_out = {reason: sorted(n for n in everything if why_out_of_scope(n) == reason) for reason in OUT_OF_SCOPE}
print(json.dumps({
    "areas": {area: sorted(set(names)) for area, names in areas.items()},
    "out_of_scope": {reason: names for reason, names in left_out.items() if names},
}, indent=1))
