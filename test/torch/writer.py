"""Values of PyTorch as JSON and numbers, as samples.ts reads them."""

import dataclasses
import functools
import inspect
import math
import types

import numpy as np
import torch
from torch import nn

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
        self.given = {}

    def begin(self):
        """Forgets the tensors of the sample before: one that a sample gives twice is one here too."""
        self.given = {}

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

    def argument(self, v):
        """As `value`; a tensor that was an argument before is recorded as that one again."""
        if isinstance(v, torch.Tensor):
            if id(v) not in self.given:
                self.given[id(v)] = (v, self.tensor(v))
            return self.given[id(v)][1]
        return self.value(v, self.argument)

    def value(self, v, inner=None):
        """A value as JSON: plain numbers as they are, anything else as an object that says what it is."""
        inner = inner or self.value
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
            return {"slice": [inner(v.start), inner(v.stop), inner(v.step)]}
        if v is Ellipsis:
            return {"ellipsis": True}
        if isinstance(v, (list, tuple)):
            return {"list": [inner(item) for item in v]}
        if isinstance(v, dict):
            return {"dict": {k: inner(item) for k, item in v.items()}}
        if dataclasses.is_dataclass(v):
            return {"dict": {f.name: inner(getattr(v, f.name)) for f in dataclasses.fields(v)}}
        if isinstance(v, types.BuiltinFunctionType):
            return {"function": v.__name__}
        if isinstance(v, nn.Module) and hasattr(v, "constructor"):
            return {"module": {"class": type(v).__name__, "options": self.options(type(v), *v.constructor)}}
        raise Unrecordable(type(v).__name__)

    def options(self, cls, args, kwargs):
        """The arguments of a module's constructor, all by name."""
        names = [n for n in inspect.signature(cls.__init__).parameters if n != "self"]
        given = {**dict(zip(names, args)), **kwargs}
        return {k: self.value(v) for k, v in given.items() if k not in (*STORAGE, "dtype")}

    def call(self, args, kwargs):
        """The arguments of a call."""
        self.begin()
        return {
            "args": [self.argument(a) for a in args],
            "kwargs": {k: self.argument(v) for k, v in kwargs.items() if k not in STORAGE},
        }


def remember_constructor(cls):
    """Lets instances of `cls` tell what they were made with, so that they can be arguments of others."""
    original = cls.__init__

    @functools.wraps(original)
    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.constructor = (args, kwargs)

    cls.__init__ = init
