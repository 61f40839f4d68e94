"""Loads a file that torchts wrote with PyTorch, and compares it with the same tensors in safetensors.

    TORCHTS_TORCH_FILES=/tmp/torch-files npx vitest run test/io/torch/write.test.ts
    pip install torch safetensors
    python test/io/torch/check_with_torch.py /tmp/torch-files

Every tensor must have the same dtype, shape, strides and bits, read at once and mapped into memory,
begin at a multiple of 64 bytes of the file, and be tied to the others of its storage.
"""

import pathlib
import sys
import zipfile

import safetensors.torch
import torch

folder = pathlib.Path(sys.argv[1])
path = folder / "weights.pt"
expected = safetensors.torch.load_file(folder / "expected.safetensors")


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8) if tensor.numel() else tensor


for mmap in (False, True):
    found = torch.load(path, weights_only=True, mmap=mmap)
    assert sorted(found) == sorted(expected)
    for name, tensor in found.items():
        wanted = expected[name]
        assert (tensor.dtype, tensor.shape) == (wanted.dtype, wanted.shape), name
        assert tensor.stride() == wanted.stride(), name
        assert torch.equal(bits(tensor), bits(wanted)), name
        assert tensor.data_ptr() % 64 == 0, name
    tied = {found[name].data_ptr() for name in ("head.weight", "tied.weight", "tied.turned")}
    assert len(tied) == 1 and found["narrow.weight"].data_ptr() not in tied

dtypes = sorted({str(tensor.dtype) for tensor in found.values()})
assert zipfile.ZipFile(path).testzip() is None
print(f"{len(found)} tensors are equal in torch {torch.__version__}: {', '.join(dtypes)}")
