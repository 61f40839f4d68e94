"""What of PyTorch's vocabulary is no part of this project, and why: read by make_names.py and make_samples.py."""

from fnmatch import fnmatchcase

# Reason -> patterns of operators' and functions' names, as op_db and torch's modules spell them.
OUT_OF_SCOPE = {
    "complex numbers are not among the dtypes": (
        "complex", "cdouble", "cfloat", "chalf", "polar", "view_as_complex", "view_as_real*", "imag", "fft.*", "stft",
        "istft", "linalg.eig", "linalg.eigvals",
    ),
    "PyTorch itself has removed it, for what linalg has": ("eig", "lstsq", "matrix_rank", "solve", "symeig"),
    "int8 and int16 are not among the dtypes": ("char", "short"),
    "tensors are dense: there is no sparse layout": (
        "sparse.*", "to_sparse*", "sparse_*", "*spmm", "smm", "dsmm", "hsmm", "sspaddmm", "saddmm", "resize_as_sparse_",
        "embedding_renorm_", "ccol_indices*", "col_indices*", "crow_indices*", "row_indices*", "indices_copy", "values_copy",
    ),
    "tensors are not quantised": (
        "choose_qparams*", "*quantize*", "quantized_*", "q_*", "fbgemm_*", "int_repr", "fake_quantize*",
        "fused_moving_avg_obs_fake_quant",
    ),
    "where elements lie in memory is the engine's affair: strides and storage have no meaning here": (
        "as_strided*", "empty_strided", "new_empty_strided", "resize_*", "hash_tensor",
    ),
    "casts are nodes of the graph, of which equal ones are computed once: there is no cache": ("clear_autocast_cache",),
    "processes, not threads, share the work of several devices": ("DataParallel",),
    "only PyTorch's own code calls it": (
        "RNNBase", "RNNCellBase",
        "_*", "native_*", "jiterator_*", "torch._*", "torch.ops.*", "max_pool2d_with_indices_backward", "grid_sampler*",
        "cudnn_*", "miopen_*", "mkldnn_*", "affine_grid_generator", "batch_norm_*", "*_backward", "sym_*", "rnn_tanh*",
        "rnn_relu*", "lstm", "gru", "lstm_cell", "gru_cell", "lstm_mps", "embedding", "embedding_bag", "mkldnn*",
        "fused_*", "unsafe_split_with_sizes", "convolution", "slice_inverse", "select_backward",
    ),
    "eigenvalues of general matrices and their factorisations are complex": ("linalg.ldl*", "geqrf", "ormqr", "orgqr", "lobpcg"),
}


def why_out_of_scope(name):
    """The reason why `name` is left out, or None where it is not."""
    if name.startswith("__") or name == "_segment_reduce":  # operators, and the only name of segment_reduce in op_db
        return None
    for reason, patterns in OUT_OF_SCOPE.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return reason
    return None
