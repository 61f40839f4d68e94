// Runs one kernel by itself, in buffers of exactly their size so that the address sanitizer sees
// the first byte too far. Each call runs twice over different rubbish in its outputs and scratch: a
// byte that differs was not written.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "loaded_program.h"
#include "machine.h"
#include "providers.h"

namespace torchts::testing {

using N = Attrs::Numbers;
using S = Attrs::Strings;
using Types = std::vector<TensorType>;

constexpr DType kFloating[] = {DType::float32, DType::float64, DType::bfloat16, DType::float16};
constexpr DType kAll[] = {DType::float32, DType::float64, DType::bfloat16, DType::float16,
                          DType::int64,   DType::int32,   DType::uint8,    DType::boolean};
constexpr int64_t kCounts[] = {0, 1, 3, 17, 1023};

// A 64-byte aligned block of exactly `bytes` bytes.
class ExactBuffer {
 public:
  explicit ExactBuffer(size_t bytes) : bytes_(bytes) {
    if (posix_memalign(&data_, kAlignment, std::max<size_t>(bytes, 1)) != 0) std::abort();
  }
  ExactBuffer(ExactBuffer&& other) noexcept : data_(other.data_), bytes_(other.bytes_) {
    other.data_ = nullptr;
  }
  ExactBuffer& operator=(ExactBuffer&&) = delete;
  ~ExactBuffer() { std::free(data_); }

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  void fill(int byte) { std::memset(data_, byte, bytes_); }

 private:
  void* data_ = nullptr;
  size_t bytes_;
};

// Those in the folder that the command line names. Throws Skip where TORCHTS_ISA asks for an
// instruction set that this CPU lacks.
const Providers& loaded_providers();

Attrs attrs(std::vector<std::pair<std::string, Attrs::Value>> fields);

// A Program of one call, whose operands are bindings: first the inputs, then the outputs.
Program one_call(const std::string& kernel, const Types& inputs, const Types& outputs,
                 const Attrs& attrs);

// Floating inputs are small numbers of both signs; integers are 0, 1, 2, 3, 4, 0, ..., so that they
// can be indices.
void run_twice(const Program& program, const LoadOptions& options);

// `run_twice` of one call, on one thread and on three.
void exercise(const std::string& kernel, const Types& inputs, const Types& outputs,
              const Attrs& attrs);

}  // namespace torchts::testing
