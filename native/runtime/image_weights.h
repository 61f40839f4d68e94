// What a resized image is made of.
#pragma once

#include <memory>
#include <vector>

#include "image_ops.h"

namespace torchts {

// What each output is made of: `count` inputs from `first` on, with weights of `bits` fractional
// bits; `most` places are kept for the weights of each.
struct Weights {
  std::vector<int32_t> first, count, values;
  int64_t most = 0;
  int bits = 0;
};

// Of `inputs` pixels made into `outputs`. A thread remembers its last ones, because most images of
// a data set are resized alike.
std::shared_ptr<const Weights> weights(int64_t inputs, int64_t outputs, const ImageOp& op);

}  // namespace torchts
