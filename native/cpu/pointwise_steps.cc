// One loop for each (function, compute type), found by name when a kernel is made.
#include "pointwise_steps.h"

#include <algorithm>
#include <map>

#include "dispatch.h"
#include "pointwise_functors.h"
#include "pointwise_scalar.h"
#include "vec_storage.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

template <class T, class F, int kArguments>
void step(const void* a, const void* b, const void* c, void* out, int64_t count) {
  const T* x = static_cast<const T*>(a);
  const T* y = static_cast<const T*>(b);
  const T* z = static_cast<const T*>(c);
  T* to = static_cast<T*>(out);
  const auto apply = [&](auto get) {
    if constexpr (kArguments == 1)
      return F::apply(get(x));
    else if constexpr (kArguments == 2)
      return F::apply(get(x), get(y));
    else
      return F::apply(get(x), get(y), get(z));
  };
  int64_t i = 0;
  for (; i + kLanes<T> <= count; i += kLanes<T>) {
    store<T>(to + i, apply([i](const T* from) { return load<T>(from + i); }));
  }
  if (i < count) {
    const int64_t rest = count - i;
    store_partial<T>(to + i, apply([=](const T* from) { return load_partial<T>(from + i, rest); }),
                     rest);
  }
}

// The compiler makes vector code of the plain loop, save where float16 has its own instructions.
template <class From, class To>
void convert_all(const void* from, void* to, int64_t count) {
  const From* x = static_cast<const From*>(from);
  To* y = static_cast<To*>(to);
  if constexpr (std::is_same_v<From, float16> && std::is_same_v<To, float>) {
    for (int64_t i = 0; i < count; i += kLanes<float>) {
      store_lanes(y + i, read_lanes(x + i, count - i), count - i);
    }
  } else if constexpr (std::is_same_v<From, float> && std::is_same_v<To, float16>) {
    for (int64_t i = 0; i < count; i += kLanes<float>) {
      write_lanes(y + i, load_lanes(x + i, count - i), count - i);
    }
  } else {
    for (int64_t i = 0; i < count; i++) y[i] = convert<To>(x[i]);
  }
}

template <class From, class To>
void broadcast(const void* from, void* to, int64_t count) {
  std::fill_n(static_cast<To*>(to), count, convert<To>(*static_cast<const From*>(from)));
}

template <class Body>
decltype(auto) dispatch_compute(Compute type, const Body& body) {
  if (type == Compute::float32) return body(Tag<float>{});
  if (type == Compute::float64) return body(Tag<double>{});
  return body(Tag<int64_t>{});
}

int cost_of(const std::string& fn) {
  static const std::map<std::string, int> kCosts = {
      {"exp", 8},   {"expm1", 12},   {"log", 10},  {"log1p", 14}, {"sin", 12},      {"cos", 12},
      {"tanh", 16}, {"sigmoid", 10}, {"erf", 16},  {"pow", 40},   {"fmod", 30},     {"atan2", 40},
      {"div", 2},   {"sqrt", 3},     {"rsqrt", 4}, {"gcd", 200},  {"reciprocal", 2}};
  const auto found = kCosts.find(fn);
  return found == kCosts.end() ? 1 : found->second;
}

template <class T>
StepCode step_for(const std::string& fn) {
#define TORCHTS_CASE(name, arguments) \
  if (fn == #name) return {step<T, fn::name, arguments>, arguments, cost_of(fn)};
  TORCHTS_POINTWISE_ANY(TORCHTS_CASE)
  if constexpr (std::is_floating_point_v<T>) {
    TORCHTS_POINTWISE_FLOATING(TORCHTS_CASE)
  } else {
    TORCHTS_POINTWISE_INTEGER(TORCHTS_CASE)
  }
#undef TORCHTS_CASE
  throw std::invalid_argument("pointwise function " + fn + " does not exist in this type");
}

}  // namespace

Compute compute_type(DType dtype) {
  switch (dtype) {
    case DType::float32:
    case DType::bfloat16:
    case DType::float16:
      return Compute::float32;
    case DType::float64:
      return Compute::float64;
    default:
      return Compute::int64;
  }
}

Compute compute_type(const std::string& name) {
  if (name == "float32") return Compute::float32;
  if (name == "float64") return Compute::float64;
  if (name == "int64") return Compute::int64;
  throw std::invalid_argument("unknown compute type " + name);
}

bool is_computed_in_place(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float64 || dtype == DType::int64;
}

StepCode find_step(const std::string& fn, Compute type) {
  const StepCode scalar = find_scalar_step(fn, type);
  if (scalar.run != nullptr) return scalar;
  return dispatch_compute(type,
                          [&](auto tag) { return step_for<typename decltype(tag)::type>(fn); });
}

ConvertFn find_cast(Compute from, Compute to) {
  return dispatch_compute(from, [&](auto from_tag) {
    return dispatch_compute(to, [&](auto to_tag) -> ConvertFn {
      return convert_all<typename decltype(from_tag)::type, typename decltype(to_tag)::type>;
    });
  });
}

ConvertFn find_load(DType from) {
  return dispatch(from, [&](auto from_tag) {
    return dispatch_compute(compute_type(from), [&](auto to_tag) -> ConvertFn {
      return convert_all<typename decltype(from_tag)::type, typename decltype(to_tag)::type>;
    });
  });
}

ConvertFn find_store(Compute from, DType to) {
  return dispatch_compute(from, [&](auto from_tag) {
    return dispatch(to, [&](auto to_tag) -> ConvertFn {
      return convert_all<typename decltype(from_tag)::type, typename decltype(to_tag)::type>;
    });
  });
}

ConvertFn find_broadcast(DType from) {
  return dispatch(from, [&](auto from_tag) {
    return dispatch_compute(compute_type(from), [&](auto to_tag) -> ConvertFn {
      return broadcast<typename decltype(from_tag)::type, typename decltype(to_tag)::type>;
    });
  });
}

void fill_constant(Compute type, double value, void* to, int64_t count) {
  dispatch_compute(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(static_cast<T*>(to), count, convert<T>(value));
  });
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
