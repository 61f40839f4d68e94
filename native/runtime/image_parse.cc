// Reads ops on images from numbers, and checks each against the image that the ones before it give.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "image_ops.h"

namespace torchts {
namespace {

constexpr int64_t kMostSide = int64_t{1} << 20;
constexpr int64_t kMostBytes = int64_t{1} << 28;  // of one image
constexpr int64_t kMostNumbers = 1 << 12;         // of a kernel, or ops of an image

constexpr double kMostFactor = 1e6;  // so that float32 holds its products

[[noreturn]] void fail(const std::string& message) {
  throw std::invalid_argument("[images] " + message);
}

std::string text(const ImageShape& shape) {
  return std::to_string(shape.channels) + " x " + std::to_string(shape.height) + " x " +
         std::to_string(shape.width);
}

class Reader {
 public:
  Reader(const double* values, size_t count) : next_(values), end_(values + count) {}

  bool is_done() const { return next_ == end_; }

  double number(const char* what) {
    if (next_ == end_) fail(std::string("the ops end before ") + what);
    if (!std::isfinite(*next_)) fail(std::string(what) + " is not finite");
    return *next_++;
  }

  int64_t integer(const char* what, int64_t least, int64_t most) {
    const double value = number(what);
    if (value >= static_cast<double>(least) && value <= static_cast<double>(most) &&
        value == std::floor(value)) {
      return static_cast<int64_t>(value);
    }
    fail(std::string(what) + " must be " + std::to_string(least) + " to " + std::to_string(most) +
         ", got " + std::to_string(value));
  }

  template <class Enum>
  Enum choice(const char* what, int count) {
    return static_cast<Enum>(integer(what, 0, count - 1));
  }

  std::vector<float> floats(const char* what, int64_t count) {
    std::vector<float> list;
    for (int64_t i = 0; i < count; i++) {
      list.push_back(static_cast<float>(number(what)));
      if (!std::isfinite(list.back())) fail(std::string(what) + " is out of range");
    }
    return list;
  }

 private:
  const double* next_;
  const double* end_;
};

double read_between(Reader& reader, const char* what, double least, double most) {
  const double value = reader.number(what);
  if (value >= least && value <= most) return value;
  fail(std::string(what) + " must be " + std::to_string(least) + " to " + std::to_string(most) +
       ", got " + std::to_string(value));
}

void require_inside(const ImageOp& op, const ImageShape& from) {
  if (op.top + op.height <= from.height && op.left + op.width <= from.width) return;
  fail("a box of " + std::to_string(op.height) + " x " + std::to_string(op.width) + " at " +
       std::to_string(op.top) + ", " + std::to_string(op.left) + " is not inside an image of " +
       text(from));
}

void read_box(Reader& reader, ImageOp& op, int64_t least) {
  op.top = reader.integer("top", least, kMostSide);
  op.left = reader.integer("left", least, kMostSide);
  op.height = reader.integer("height", 1, kMostSide);
  op.width = reader.integer("width", 1, kMostSide);
}

void read_size(Reader& reader, ImageOp& op) {
  op.to.height = reader.integer("height", 1, kMostSide);
  op.to.width = reader.integer("width", 1, kMostSide);
}

void read_fill(Reader& reader, ImageOp& op, const ImageShape& from) {
  op.fill = reader.floats("a fill", from.channels);
  for (const float value : op.fill) {
    if (value < 0 || value > 255) fail("a fill must be 0 to 255");
  }
}

void read_pad(Reader& reader, ImageOp& op, const ImageShape& from) {
  op.left = reader.integer("left", 0, kMostSide);
  op.top = reader.integer("top", 0, kMostSide);
  const int64_t right = reader.integer("right", 0, kMostSide);
  const int64_t bottom = reader.integer("bottom", 0, kMostSide);
  op.mode = reader.choice<PaddingMode>("a padding mode", 4);
  read_fill(reader, op, from);
  op.to.height += op.top + bottom;
  op.to.width += op.left + right;
  const bool mirrors = op.mode == PaddingMode::reflect || op.mode == PaddingMode::symmetric;
  const int64_t kept = op.mode == PaddingMode::reflect ? 1 : 0;
  if (mirrors && (std::max(op.top, bottom) > from.height - kept ||
                  std::max(op.left, right) > from.width - kept)) {
    fail("a padding mirrors more than there is of an image of " + text(from));
  }
}

void read_resize(Reader& reader, ImageOp& op, const ImageShape& from) {
  read_box(reader, op, 0);
  require_inside(op, from);
  read_size(reader, op);
  op.interpolation = reader.choice<Interpolation>("an interpolation", 7);
  op.antialias = reader.integer("antialias", 0, 1) == 1;
  op.arithmetic = reader.choice<Arithmetic>("an arithmetic", 2);
  const bool plain = op.interpolation == Interpolation::bilinear ||
                     op.interpolation == Interpolation::bicubic ||
                     op.interpolation == Interpolation::nearest ||
                     op.interpolation == Interpolation::nearest_exact;
  if (op.arithmetic == Arithmetic::tensor && !plain) fail("tensors have no such interpolation");
}

void read_warp(Reader& reader, ImageOp& op, const ImageShape& from, int64_t numbers) {
  op.numbers = reader.floats("a coefficient", numbers);
  op.interpolation = reader.integer("an interpolation", 0, 1) == 0 ? Interpolation::nearest
                                                                   : Interpolation::bilinear;
  if (reader.integer("filled", 0, 1) == 0) return;
  read_fill(reader, op, from);
}

std::vector<float> read_kernel(Reader& reader, int64_t length) {
  const int64_t count = reader.integer("the length of a kernel", 1, kMostNumbers);
  if (count % 2 == 0 || count / 2 > length - 1) {
    fail("a kernel of " + std::to_string(count) + " does not fit " + std::to_string(length) +
         " reflected pixels");
  }
  std::vector<float> kernel;
  for (int64_t i = 0; i < count; i++) {
    kernel.push_back(static_cast<float>(read_between(reader, "a weight", 0, 1)));
  }
  return kernel;
}

void require_colours(const ImageShape& from) {
  if (from.channels == 1 || from.channels == 3) return;
  fail("colours need 1 or 3 channels, got " + std::to_string(from.channels));
}

std::vector<ImageOp> read_ops(Reader& reader, int64_t count, ImageShape shape, bool nested);

void read_mix(Reader& reader, ImageOp& op, const ImageShape& from) {
  op.number = read_between(reader, "a share", -kMostFactor, kMostFactor);
  const int64_t chains = reader.integer("the number of chains", 0, kMostNumbers);
  for (int64_t i = 0; i < chains; i++) {
    const double share = read_between(reader, "a share", -kMostFactor, kMostFactor);
    ImageOp::Chain chain{static_cast<float>(share), {}};
    const int64_t count = reader.integer("the number of ops", 0, kMostNumbers);
    chain.ops = read_ops(reader, count, from, true);
    if (!chain.ops.empty() && !(chain.ops.back().to == from)) {
      fail("a chain of a mix gives an image of " + text(chain.ops.back().to) + " for one of " +
           text(from));
    }
    op.chains.push_back(std::move(chain));
  }
}

void read_arguments(Reader& reader, ImageOp& op, const ImageShape& from, bool nested) {
  switch (op.code) {
    case ImageOpCode::crop:
      read_box(reader, op, -kMostSide);
      op.to.height = op.height;
      op.to.width = op.width;
      return;
    case ImageOpCode::pad:
      return read_pad(reader, op, from);
    case ImageOpCode::resize:
      return read_resize(reader, op, from);
    case ImageOpCode::rot90:
      op.whole = reader.integer("turns", 1, 3);
      if (op.whole % 2 == 1) std::swap(op.to.height, op.to.width);
      return;
    case ImageOpCode::affine:
      read_size(reader, op);
      return read_warp(reader, op, from, 6);
    case ImageOpCode::perspective:
      return read_warp(reader, op, from, 8);
    case ImageOpCode::brightness:
    case ImageOpCode::contrast:
    case ImageOpCode::saturation:
    case ImageOpCode::hue:
    case ImageOpCode::sharpness:
      require_colours(from);
      op.number = op.code == ImageOpCode::hue ? read_between(reader, "a hue", -0.5, 0.5)
                                              : read_between(reader, "a factor", 0, kMostFactor);
      return;
    case ImageOpCode::grayscale:
      require_colours(from);
      op.to.channels = 1 + 2 * reader.integer("three channels", 0, 1);
      op.arithmetic = reader.choice<Arithmetic>("an arithmetic", 2);
      return;
    case ImageOpCode::autocontrast:
      return require_colours(from);
    case ImageOpCode::posterize:
      op.whole = reader.integer("bits", 0, 8);
      return;
    case ImageOpCode::solarize:
      op.number = reader.number("a threshold");
      return;
    case ImageOpCode::gaussian_blur:
      op.numbers = read_kernel(reader, from.width);
      op.kernel_y = read_kernel(reader, from.height);
      return;
    case ImageOpCode::mix:
      if (nested) fail("a mix cannot hold another one");
      return read_mix(reader, op, from);
    case ImageOpCode::erase:
      if (nested) fail("a mix cannot erase");
      read_box(reader, op, 0);
      require_inside(op, from);
      if (reader.integer("noise", 0, 1) == 1) {
        const int64_t low = reader.integer("a key", 0, 4294967295);
        const int64_t high = reader.integer("a key", 0, 4294967295);
        op.key = static_cast<uint64_t>(low) | static_cast<uint64_t>(high) << 32;
      } else {
        op.fill = reader.floats("a value", from.channels);
      }
      return;
    default:
      return;  // no arguments
  }
}

ImageOp read_op(Reader& reader, const ImageShape& from, bool nested) {
  ImageOp op;
  op.code = reader.choice<ImageOpCode>("an op", kImageOpCodes);
  op.to = from;
  read_arguments(reader, op, from, nested);
  // No product can overflow.
  if (op.to.height > kMostSide || op.to.width > kMostSide ||
      op.to.area() > kMostBytes / op.to.channels) {
    fail("an image of " + text(op.to) + " is too large");
  }
  return op;
}

std::vector<ImageOp> read_ops(Reader& reader, int64_t count, ImageShape shape, bool nested) {
  std::vector<ImageOp> ops;
  for (int64_t i = 0; i < count; i++) {
    ops.push_back(read_op(reader, shape, nested));
    shape = ops.back().to;
  }
  return ops;
}

}  // namespace

ImageWork parse_work(const double* values, size_t count, const ImageShape& from,
                     const ImageShape& to) {
  Reader reader(values, count);
  ImageWork work;
  ImageShape shape = from;
  while (!reader.is_done()) {
    ImageOp op = read_op(reader, shape, false);
    const bool erases = op.code == ImageOpCode::erase;
    if (!erases && !work.erase.empty()) fail("bytes cannot be changed after floats were erased");
    shape = op.to;
    (erases ? work.erase : work.ops).push_back(std::move(op));
  }
  if (!(shape == to)) fail("the ops give an image of " + text(shape) + ", not " + text(to));
  return work;
}

}  // namespace torchts
