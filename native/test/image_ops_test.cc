#include "image_ops.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "image_kernels.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

using Numbers = std::vector<double>;

double code(ImageOpCode op) { return static_cast<double>(op); }

std::vector<uint8_t> bytes_of(const ImageShape& shape) {
  std::vector<uint8_t> bytes(shape.size());
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(i * 89 + i / 7);
  return bytes;
}

// What the ops of `numbers` make of an image of `from`, which must be one of `to`.
std::vector<uint8_t> run(const Numbers& numbers, const ImageShape& from, const ImageShape& to) {
  // On the heap and of the exact size, so that a sanitizer sees every byte outside.
  const std::vector<uint8_t> bytes = bytes_of(from);
  const std::vector<double> copy(numbers);
  const ImageWork work = parse_work(copy.data(), copy.size(), from, to);
  ImageScratch scratch;
  const ImageView result = scratch.apply(work.ops, {from, bytes.data()});
  CHECK(result.shape == to);
  return {result.data, result.data + result.shape.size()};
}

void check_refused(const Numbers& numbers, const std::string& expected,
                   const ImageShape& from = {3, 5, 4}) {
  const std::string message =
      message_of([&] { parse_work(numbers.data(), numbers.size(), from, from); });
  CHECK(message.find(expected) != std::string::npos, "got: " + message);
}

const std::vector<ImageShape> kShapes = {{3, 1, 1}, {1, 1, 1},  {3, 5, 4},   {1, 3, 17},
                                         {3, 2, 9}, {1, 33, 2}, {3, 19, 35}, {1, 3, 150}};

}  // namespace

TEST("every op that takes no size works on images of any size") {
  for (const ImageShape& shape : kShapes) {
    for (double factor : {0.0, 0.5, 1.0, 2.0, 1e6}) {
      for (ImageOpCode op : {ImageOpCode::brightness, ImageOpCode::contrast,
                             ImageOpCode::saturation, ImageOpCode::sharpness}) {
        run({code(op), factor}, shape, shape);
      }
    }
    for (double factor : {-0.5, 0.0, 0.49}) run({code(ImageOpCode::hue), factor}, shape, shape);
    for (ImageOpCode op : {ImageOpCode::horizontal_flip, ImageOpCode::vertical_flip,
                           ImageOpCode::invert, ImageOpCode::autocontrast, ImageOpCode::equalize}) {
      run({code(op)}, shape, shape);
    }
    for (double bits = 0; bits <= 8; bits++)
      run({code(ImageOpCode::posterize), bits}, shape, shape);
    for (double threshold : {-1e300, 0.0, 128.0, 1e300}) {
      run({code(ImageOpCode::solarize), threshold}, shape, shape);
    }
    for (double as : {0.0, 1.0}) {
      run({code(ImageOpCode::grayscale), 0, as}, shape, {1, shape.height, shape.width});
      run({code(ImageOpCode::grayscale), 1, as}, shape, {3, shape.height, shape.width});
    }
    for (double turns : {1.0, 2.0, 3.0}) {
      ImageShape to = shape;
      if (turns != 2.0) std::swap(to.height, to.width);
      run({code(ImageOpCode::rot90), turns}, shape, to);
    }
  }
}

TEST("flips and turns undo each other") {
  const ImageShape shape{3, 5, 4};
  for (ImageOpCode op :
       {ImageOpCode::horizontal_flip, ImageOpCode::vertical_flip, ImageOpCode::invert}) {
    CHECK(run({code(op), code(op)}, shape, shape) == bytes_of(shape));
  }
  const double turn = code(ImageOpCode::rot90);
  CHECK(run({turn, 1, turn, 3}, shape, shape) == bytes_of(shape));
  CHECK(run({turn, 2, turn, 2}, shape, shape) == bytes_of(shape));
  CHECK(run({turn, 1, turn, 1}, shape, shape) == run({turn, 2}, shape, shape));
}

TEST("crops and pads reach over every edge") {
  for (const ImageShape& s : kShapes) {
    for (double top : {-40.0, -1.0, 0.0, 1.0, 1000000.0}) {
      for (double left : {-1000000.0, -2.0, 0.0, 3.0}) {
        run({code(ImageOpCode::crop), top, left, 6, 5}, s, {s.channels, 6, 5});
      }
    }
    for (double mode = 0; mode < 4; mode++) {
      const double kept = mode == 2 ? 1 : 0;
      const double across = static_cast<double>(s.width) - kept;
      const double down = static_cast<double>(s.height) - kept;
      Numbers numbers{code(ImageOpCode::pad), across, down, across, down, mode};
      for (int64_t c = 0; c < s.channels; c++) numbers.push_back(100.5);
      run(numbers, s,
          {s.channels, s.height + 2 * static_cast<int64_t>(down),
           s.width + 2 * static_cast<int64_t>(across)});
    }
  }
}

TEST("any box is resized to any size") {
  for (const ImageShape& s : kShapes) {
    const double h = static_cast<double>(s.height), w = static_cast<double>(s.width);
    for (const auto& [height, width] : {std::pair{1, 1}, {2, 37}, {40, 1}, {16, 16}, {17, 33}}) {
      for (double how = 0; how < 7; how++) {
        const ImageShape to{s.channels, height, width};
        Numbers numbers{code(ImageOpCode::resize), 0, 0, h, w};
        for (double value : {double(height), double(width), how, 1.0, 0.0})
          numbers.push_back(value);
        run(numbers, s, to);
        if (how == 2 || how == 4 || how == 6) continue;  // of Pillow alone
        numbers.back() = 1;
        run(numbers, s, to);
        numbers[numbers.size() - 2] = 0;
        run(numbers, s, to);
        // The last pixel alone.
        numbers[1] = h - 1, numbers[2] = w - 1, numbers[3] = 1, numbers[4] = 1;
        const std::vector<uint8_t> one = run(numbers, s, to);
        CHECK(one[0] == bytes_of(s)[s.height * s.width - 1]);
      }
    }
  }
}

TEST("warps read no pixel outside, wherever they are sent") {
  const float huge = std::numeric_limits<float>::max();
  for (const ImageShape& s : kShapes) {
    for (double how : {0.0, 1.0}) {
      for (const Numbers& matrix : {Numbers{1, 0, 0, 0, 1, 0},
                                    {0.3, -2, 5, 1, 0.1, -3},
                                    {0, 0, 0, 0, 0, 0},
                                    {huge, -huge, huge, huge, huge, -huge},
                                    {1e-40, 0, 0, 0, 1e-40, 0}}) {
        Numbers numbers{code(ImageOpCode::affine), 7, 11};
        numbers.insert(numbers.end(), matrix.begin(), matrix.end());
        numbers.insert(numbers.end(), {how, 0});
        run(numbers, s, {s.channels, 7, 11});
      }
      for (const Numbers& coefficients : {Numbers{1, 0, 0, 0, 1, 0, 0, 0},
                                          {1, 2, 3, 4, 5, 6, -2, 0},
                                          {0, 0, 0, 0, 0, 0, -2, -2},
                                          {huge, huge, 0, 0, huge, 0, huge, -huge}}) {
        Numbers numbers{code(ImageOpCode::perspective)};
        numbers.insert(numbers.end(), coefficients.begin(), coefficients.end());
        numbers.insert(numbers.end(), {how, 1});
        for (int64_t c = 0; c < s.channels; c++) numbers.push_back(255);
        run(numbers, s, s);
      }
    }
  }
}

TEST("blurs reach to the far edge") {
  for (const ImageShape& s : kShapes) {
    const int64_t across = 2 * s.width - 1, down = 2 * s.height - 1;
    Numbers numbers{code(ImageOpCode::gaussian_blur), double(across)};
    for (int64_t i = 0; i < across; i++) numbers.push_back(1.0 / double(across));
    numbers.push_back(double(down));
    for (int64_t i = 0; i < down; i++) numbers.push_back(1.0 / double(down));
    run(numbers, s, s);
  }
}

TEST("a mix is the sum of its chains") {
  const ImageShape shape{1, 3, 17};
  const double mix = code(ImageOpCode::mix), flip = code(ImageOpCode::horizontal_flip);
  CHECK(run({mix, 1, 0}, shape, shape) == bytes_of(shape));
  CHECK(run({mix, 0, 1, 1, 1, flip}, shape, shape) == run({flip}, shape, shape));
  CHECK(run({mix, 0, 2, 0.5, 0, 0.5, 2, flip, flip}, shape, shape) == bytes_of(shape));
  const std::vector<uint8_t> flipped = run({flip}, shape, shape);
  const std::vector<uint8_t> far = run({mix, 1e6, 1, -1e6, 1, flip}, shape, shape);
  for (size_t i = 0; i < far.size(); i++) {
    CHECK(far[i] == (bytes_of(shape)[i] > flipped[i] ? 255 : 0));
  }
}

TEST("boxes are erased with values or with noise") {
  const ImageShape shape{2, 3, 4};
  const double erase = code(ImageOpCode::erase);
  const Numbers numbers{erase, 1, 2, 2, 2, 0, 5, -6, erase, 0, 0, 1, 1, 1, 3, 4294967295.0};
  const ImageWork work = parse_work(numbers.data(), numbers.size(), shape, shape);
  CHECK(work.ops.empty() && work.erase.size() == 2);
  std::vector<float> values(shape.size(), 1.0f);
  for (const ImageOp& op : work.erase) erase_box(op, shape, values.data());
  for (int i = 1; i < 24; i++) {
    if (i == 12) continue;
    const bool inside = i % 12 / 4 >= 1 && i % 4 >= 2;
    CHECK(values[i] == (inside ? (i < 12 ? 5.0f : -6.0f) : 1.0f));
  }
  CHECK(std::isfinite(values[0]) && values[0] != 1.0f && values[12] != values[0]);
}

TEST("bytes are looked up, however many there are") {
  std::vector<float> table(256);
  for (size_t i = 0; i < table.size(); i++) table[i] = static_cast<float>(i) - 0.5f;
  for (size_t count = 0; count < 300; count++) {
    std::vector<uint8_t> bytes(count);
    for (size_t i = 0; i < count; i++) bytes[i] = static_cast<uint8_t>(i * 41 + count);
    std::vector<float> values(count);
    look_up(bytes.data(), table.data(), count, values.data());
    for (size_t i = 0; i < count; i++) CHECK(values[i] == static_cast<float>(bytes[i]) - 0.5f);
  }
}

TEST("a blur is the sum at length, also where it is guessed") {
  const ImageShape shape{1, 9, 200};
  const std::vector<uint8_t> bytes = bytes_of(shape);
  // Sums of these weights end in .0, .25, .5 and .75: a quarter of all are halves.
  const Numbers numbers{code(ImageOpCode::gaussian_blur), 3, 0.25, 0.5, 0.25, 1, 1};
  const std::vector<uint8_t> made = run(numbers, shape, shape);
  for (int64_t y = 0; y < shape.height; y++) {
    for (int64_t x = 1; x + 1 < shape.width; x++) {
      const uint8_t* at = bytes.data() + y * shape.width + x;
      CHECK(made[y * shape.width + x] ==
            std::nearbyint(0.25 * at[-1] + 0.5 * at[0] + 0.25 * at[1]));
    }
  }
}

TEST("refuses ops that make no sense") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  check_refused({-1}, "an op must be 0 to 21, got -1");
  check_refused({22}, "an op must be 0 to 21");
  check_refused({nan}, "an op is not finite");
  check_refused({code(ImageOpCode::crop), 0, 0, 5}, "the ops end before width");
  check_refused({code(ImageOpCode::crop), 0, 0, 0, 4}, "height must be 1 to 1048576");
  check_refused({code(ImageOpCode::crop), 0.5, 0, 5, 4}, "top must be -1048576");
  check_refused({code(ImageOpCode::crop), 0, 0, 1 << 20, 1 << 20}, "is too large");
  check_refused({code(ImageOpCode::crop), 0, 0, 5, 5}, "give an image of 3 x 5 x 5, not 3 x 5 x 4");
  check_refused({code(ImageOpCode::brightness), 2e6}, "a factor must be 0.000000 to 1000000");
  check_refused({code(ImageOpCode::hue), 0.6}, "a hue must be");
  check_refused({code(ImageOpCode::hue), 0.1}, "colours need 1 or 3 channels, got 2", {2, 5, 4});
  check_refused({code(ImageOpCode::resize), 4, 0, 2, 4, 5, 4, 0, 1, 1}, "is not inside an image");
  check_refused({code(ImageOpCode::resize), 0, 0, 5, 4, 5, 4, 6, 1, 1}, "no such interpolation");
  check_refused({code(ImageOpCode::affine), 5, 4, 1, 0, 0, 0, 1, 1e300, 0, 0}, "out of range");
  check_refused({code(ImageOpCode::pad), 4, 0, 0, 0, 2, 0, 0, 0}, "mirrors more than there is");
  check_refused({code(ImageOpCode::pad), 1, 0, 0, 0, 0, 0, 0, -1}, "a fill must be 0 to 255");
  check_refused({code(ImageOpCode::gaussian_blur), 9}, "a kernel of 9 does not fit");
  check_refused({code(ImageOpCode::gaussian_blur), 1, 1.5}, "a weight must be");
  check_refused({code(ImageOpCode::mix), 1e30}, "a share must be");
  check_refused({code(ImageOpCode::mix), 1, 1, 1, 1, code(ImageOpCode::mix)}, "hold another one");
  check_refused({code(ImageOpCode::mix), 1, 1, 1, 1, code(ImageOpCode::erase)}, "cannot erase");
  check_refused({code(ImageOpCode::erase), 0, 0, 5, 5, 1, 0, 0}, "is not inside an image");
  check_refused({code(ImageOpCode::erase), 0, 0, 1, 1, 1, 0, 0, code(ImageOpCode::invert)},
                "cannot be changed after floats were erased");
}
