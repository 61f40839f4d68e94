// What a kernel is, for those who write one and for the loader that picks and calls them.
//
// A kernel provider is a shared object (cpu for one instruction set, onednn, later cuda) that
// exports `torchts_register`. The loader gathers every Implementation, keeps those whose
// `supports` says yes and takes the one of highest priority. Sizes and dtypes were checked by the
// planner against src/engine/kernels.ts; `make` still throws std::invalid_argument on anything it
// cannot do, because Programs are data.
//
// A Program speaks of row-major values only. Where a value lies otherwise is decided at load
// (arrange.h): an implementation that works in other layouts says so in `arrange`, and the loader
// puts `reorder` instructions where two disagree. `reorder` (x -> the same values in the output's
// layout; any dtype) is therefore a kernel that src/engine/kernels.ts does not list.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "dtype.h"
#include "layout.h"
#include "parallel.h"

namespace torchts {

// The type of one operand. Dense.
struct TensorType {
  DType dtype;
  Shape shape;
  Layout layout = {};

  int64_t numel() const { return torchts::numel(shape); }
  size_t bytes() const { return static_cast<size_t>(numel()) * itemsize(dtype); }
};

// The arguments of an instruction, as listed in src/engine/kernels.ts.
class Attrs {
 public:
  using Numbers = std::vector<double>;
  using Strings = std::vector<std::string>;
  using Value = std::variant<double, bool, std::string, Numbers, Strings>;

  void set(const std::string& key, Value value) { values_[key] = std::move(value); }

  double number(const char* key) const { return get<double>(key, "a number"); }
  int64_t integer(const char* key) const { return static_cast<int64_t>(number(key)); }
  bool flag(const char* key) const { return get<bool>(key, "a boolean"); }
  const std::string& text(const char* key) const { return get<std::string>(key, "a string"); }
  const Numbers& numbers(const char* key) const { return get<Numbers>(key, "a list of numbers"); }
  // An empty list arrives as one of numbers.
  const Strings& texts(const char* key) const {
    static const Strings kNone;
    auto found = values_.find(key);
    const Numbers* list = found == values_.end() ? nullptr : std::get_if<Numbers>(&found->second);
    if (list != nullptr && list->empty()) return kNone;
    return get<Strings>(key, "a list of strings");
  }
  // As `texts`, for an attribute that may be left out.
  const Strings& texts_or_none(const char* key) const {
    static const Strings kNone;
    return values_.count(key) == 0 ? kNone : texts(key);
  }
  std::vector<int64_t> integers(const char* key) const {
    const Numbers& list = numbers(key);
    return std::vector<int64_t>(list.begin(), list.end());
  }

 private:
  template <class T>
  const T& get(const char* key, const char* kind) const {
    auto found = values_.find(key);
    if (found == values_.end()) {
      throw std::invalid_argument(std::string("attribute ") + key + " is missing");
    }
    const T* value = std::get_if<T>(&found->second);
    if (value == nullptr) {
      throw std::invalid_argument(std::string("attribute ") + key + " is not " + kind);
    }
    return *value;
  }

  std::map<std::string, Value> values_;
};

// The types of a call's inputs or outputs. Asking for one that the Program did not give throws, so
// a kernel may name the operands it needs without counting them first.
class TensorTypes : public std::vector<TensorType> {
 public:
  using std::vector<TensorType>::vector;

  const TensorType& operator[](size_t i) const {
    if (i >= size()) {
      throw std::invalid_argument("operand " + std::to_string(i) + " is missing");
    }
    return std::vector<TensorType>::operator[](i);
  }
};

// Everything known about a call when its Program is loaded.
struct KernelSpec {
  TensorTypes inputs;
  TensorTypes outputs;
  Attrs attrs;
  int threads = 1;  // the most threads the kernel may use
};

// The operands of one call. Pointers are 64-byte aligned and never null, also for empty values.
// An input and an output are the same pointer only where `may_alias` allowed it.
struct Operands {
  const void* const* inputs;
  void* const* outputs;
  void* scratch;  // `scratch_bytes` of them, contents undefined

  template <class T>
  const T* in(int i) const {
    return static_cast<const T*>(inputs[i]);
  }
  template <class T>
  T* out(int i) const {
    return static_cast<T*>(outputs[i]);
  }
};

// A prepared call. Created once at load, run many times; `run` must not allocate.
class Kernel {
 public:
  virtual ~Kernel() = default;
  // Overwrites every output. Throws std::runtime_error on data it cannot take (a bad index).
  virtual void run(const Operands& operands) = 0;
  virtual size_t scratch_bytes() const { return 0; }
  // May `output` be written over `input`, when the input is not needed afterwards?
  virtual bool may_alias(int input, int output) const {
    (void)input;
    (void)output;
    return false;
  }
};

struct Implementation {
  const char* kernel;  // a name of src/engine/kernels.ts
  const char* method;  // how: portable, direct, onednn, ...
  int priority;        // higher wins; portable ones have 0, all others can be switched off
  // Does not look at layouts.
  bool (*supports)(const KernelSpec&);
  // Is given the layouts that `arrange` left.
  std::unique_ptr<Kernel> (*make)(const KernelSpec&);
  // Called before `make` with the layouts the inputs have now, and row-major outputs: changes the
  // layouts of inputs to those it wants and of outputs to those it will write. Must leave alone
  // what it cannot use, and change nothing else. Null: every operand is row-major.
  void (*arrange)(KernelSpec*) = nullptr;
};

class Registry {
 public:
  // `parallel` runs the parts of the providers' parallel work.
  explicit Registry(ParallelRunner parallel = nullptr) : parallel_(parallel) {}

  ParallelRunner parallel() const { return parallel_; }
  void add(const Implementation& implementation) { all_.push_back(implementation); }
  const std::vector<Implementation>& all() const { return all_; }

 private:
  ParallelRunner parallel_;
  std::vector<Implementation> all_;
};

}  // namespace torchts

// The one symbol a provider exports.
extern "C" typedef void (*torchts_register_fn)(torchts::Registry*);
