// Batches of images: pixels moved (cropped, flipped), and bytes looked up in a table of what each
// one becomes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace torchts {

// Moves the pixels of an image before the table is applied. What is random is drawn from the Philox
// block (sample, place in the list, epoch, "augm") under the seed: a pure function of the sample
// and the epoch, so a run can go on from the middle of one.
struct PixelMove {
  enum class Kind { crop, flip };
  Kind kind;
  // crop: a window of this size, anywhere in the image with `padding` black pixels around it.
  int64_t height = 0, width = 0;
  int64_t left = 0, top = 0, right = 0, bottom = 0;
  // flip: left to right, with this probability.
  double probability = 0;
};

// Images (count, channels, height, width) and their labels (count).
struct ImageSource {
  const uint8_t* images = nullptr;
  size_t image_bytes = 0;
  const int64_t* labels = nullptr;
  size_t label_count = 0;
  std::vector<float> table;  // (channels, 256)
  int64_t channels = 0, height = 0, width = 0;
  std::vector<PixelMove> moves;
  uint64_t seed = 0;

  size_t image_size() const { return static_cast<size_t>(channels * height * width); }
  // Of an image once it has been moved: channels * height * width of what the model gets.
  size_t sample_size() const;
};

// Throws std::invalid_argument unless the parts fit each other.
void check_source(const ImageSource& source);
// Throws std::invalid_argument unless every index is that of an image.
void check_indices(const ImageSource& source, const int32_t* indices, size_t rows);

// inputs[r] = table[channel][moved image of indices[r]], targets[r] = labels[indices[r]].
// The source and the indices were checked; inputs have rows * sample_size() elements.
void fill_batch(const ImageSource& source, const int32_t* indices, size_t rows, uint32_t epoch,
                float* inputs, int64_t* targets);

}  // namespace torchts
