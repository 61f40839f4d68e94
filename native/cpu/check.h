// Checks of a call when its Program is loaded. Programs are data: one that does not fit
// src/engine/kernels.ts must fail here, with std::invalid_argument, and not reach memory.
#pragma once

#include <stdexcept>
#include <string>

#include "../runtime/kernel.h"

namespace torchts {

inline void require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument(message);
}

inline void require_arity(const KernelSpec& spec, size_t inputs, size_t outputs = 1) {
  require(
      spec.inputs.size() == inputs && spec.outputs.size() == outputs,
      "takes " + std::to_string(inputs) + " inputs and " + std::to_string(outputs) + " outputs");
}

// Every input and output has the dtype of the first output.
inline void require_one_dtype(const KernelSpec& spec) {
  for (const TensorTypes* types : {&spec.inputs, &spec.outputs}) {
    for (const TensorType& type : *types) {
      require(type.dtype == spec.outputs[0].dtype, "operands must have one dtype");
    }
  }
}

inline void require_shape(const char* what, const Shape& actual, const Shape& expected) {
  require(actual == expected, std::string(what) + " has the wrong shape");
}

// `dim` of a tensor of `rank` dimensions; a scalar has one to speak of.
inline void require_dim(int64_t dim, size_t rank) {
  require(dim >= 0 && dim < std::max<int64_t>(static_cast<int64_t>(rank), 1),
          "dimension " + std::to_string(dim) + " is not there");
}

// A tensor seen along one dimension: (outer, size, inner), where the attribute `dim` has `size`.
struct AlongDim {
  int64_t outer = 1, size = 1, inner = 1;

  explicit AlongDim(const KernelSpec& spec) {
    const Shape& shape = spec.inputs[0].shape;
    const int64_t dim = spec.attrs.integer("dim");
    require_dim(dim, shape.size());
    for (int64_t d = 0; d < static_cast<int64_t>(shape.size()); d++) {
      (d < dim ? outer : d > dim ? inner : size) *= shape[d];
    }
  }

  int64_t elements() const { return outer * size * inner; }
};

// An attribute of two numbers, none below `least`.
inline void read_pair(const Attrs& attrs, const char* key, int64_t least, int64_t* to) {
  const std::vector<int64_t> values = attrs.integers(key);
  require(values.size() == 2, std::string(key) + " must have two numbers");
  for (int d = 0; d < 2; d++) {
    require(values[d] >= least, std::string(key) + " must be at least " + std::to_string(least));
    to[d] = values[d];
  }
}

}  // namespace torchts
