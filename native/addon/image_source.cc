#include "image_source.h"

#include <algorithm>

#include "host_array.h"
#include "numbers.h"
#include "storage.h"

namespace torchts {
namespace {

// What tells an ImageSources from any other object before it is unwrapped.
constexpr napi_type_tag kTag = {0x3f0c9a52d7be4861, 0xa4417be29c05d38f};

int64_t integer(const Napi::Value& value, const std::string& what, double most) {
  if (const std::optional<int64_t> found = integer_of(value, 0, most)) return *found;
  throw std::invalid_argument("[images] " + what + " must be an integer from 0 to " +
                              std::to_string(static_cast<int64_t>(most)));
}

int64_t size(const Napi::Object& from, const char* key) {
  return integer(from.Get(key), key, 2147483647);
}

// A copy of a typed array.
template <class T>
std::vector<T> numbers(const Napi::Value& value, const std::string& what, DType dtype) {
  if (!value.IsTypedArray()) throw std::invalid_argument("[images] no typed array of " + what);
  const size_t count = value.As<Napi::TypedArray>().ElementLength();
  const T* data = static_cast<const T*>(host_data(value, dtype, static_cast<int64_t>(count)));
  return {data, data + count};
}

ImageShape parse_shape(const Napi::Value& value) {
  if (!value.IsObject()) throw std::invalid_argument("[images] a shape must be an object");
  const Napi::Object from = value.As<Napi::Object>();
  return {size(from, "channels"), size(from, "height"), size(from, "width")};
}

PixelMove parse_move(const Napi::Object& from) {
  PixelMove move;
  const std::string kind = from.Get("kind").ToString();
  if (kind == "flip") {
    move.kind = PixelMove::Kind::flip;
    move.probability = from.Get("probability").ToNumber();
  } else if (kind == "crop") {
    move.kind = PixelMove::Kind::crop;
    move.height = size(from, "height");
    move.width = size(from, "width");
    move.left = size(from, "left");
    move.top = size(from, "top");
    move.right = size(from, "right");
    move.bottom = size(from, "bottom");
  } else {
    throw std::invalid_argument("[images] unknown move \"" + kind + "\"");
  }
  return move;
}

void require_dtype(const char* what, const Buffer& buffer, DType dtype) {
  if (buffer.dtype == dtype) return;
  throw std::invalid_argument(std::string("[images] ") + what + " must be " + name(dtype) +
                              ", got " + name(buffer.dtype));
}

// The storages of one batch of `rows` samples.
BatchSlot parse_slot(const Napi::Value& inputs, const Napi::Value& targets, size_t rows,
                     const ImageSources& source) {
  BatchSlot slot{Storage::shared_buffer_of(inputs), Storage::shared_buffer_of(targets)};
  require_dtype("inputs", *slot.inputs, DType::float32);
  require_dtype("targets", *slot.targets, DType::int64);
  if (static_cast<size_t>(slot.inputs->numel) != rows * source.sample_size() ||
      static_cast<size_t>(slot.targets->numel) != rows) {
    throw std::invalid_argument("[images] a batch of " + std::to_string(rows) + " has " +
                                std::to_string(rows * source.sample_size()) + " values and " +
                                std::to_string(rows) + " targets, the buffers " +
                                std::to_string(slot.inputs->numel) + " and " +
                                std::to_string(slot.targets->numel));
  }
  return slot;
}

const int32_t* parse_indices(const Napi::Value& value, size_t* count) {
  if (!value.IsTypedArray()) throw std::invalid_argument("[images] indices must be an Int32Array");
  *count = value.As<Napi::TypedArray>().ElementLength();
  return static_cast<const int32_t*>(host_data(value, DType::int32, static_cast<int64_t>(*count)));
}

// `buffers` gets those behind the source.
ImageSource parse_source(const Napi::Value& value, std::vector<std::shared_ptr<Buffer>>& buffers) {
  if (!value.IsObject()) throw std::invalid_argument("[images] expected an object");
  const Napi::Object from = value.As<Napi::Object>();
  const std::shared_ptr<Buffer> images = Storage::shared_buffer_of(from.Get("images"));
  const std::shared_ptr<Buffer> labels = Storage::shared_buffer_of(from.Get("labels"));
  require_dtype("images", *images, DType::uint8);
  require_dtype("labels", *labels, DType::int64);
  ImageSource source;
  source.images = reinterpret_cast<const uint8_t*>(images->memory.data());
  source.image_bytes = static_cast<size_t>(images->numel);
  source.labels = reinterpret_cast<const int64_t*>(labels->memory.data());
  source.label_count = static_cast<size_t>(labels->numel);
  source.channels = size(from, "channels");
  source.height = size(from, "height");
  source.width = size(from, "width");
  source.seed = static_cast<uint64_t>(integer(from.Get("seed"), "seed", 9007199254740991.0));
  source.first = static_cast<uint32_t>(size(from, "first"));
  source.workers = static_cast<int>(size(from, "workers"));
  if (const Napi::Value to = from.Get("to"); to.IsObject()) {
    source.has_ops = true;
    source.to = parse_shape(to);
  }
  source.table = numbers<float>(from.Get("table"), "table", DType::float32);
  if (const Napi::Value sizes = from.Get("sizes"); !sizes.IsUndefined()) {
    source.sizes = numbers<int32_t>(sizes, "sizes", DType::int32);
  }
  if (const Napi::Value begins = from.Get("begins"); !begins.IsUndefined()) {
    for (const double begin : numbers<double>(begins, "begins", DType::float64)) {
      if (!(begin >= 0 && begin <= static_cast<double>(kMostBytes))) {
        throw std::invalid_argument("[images] an image cannot begin at byte " +
                                    std::to_string(begin));
      }
      source.begins.push_back(static_cast<size_t>(begin));
    }
  }
  const Napi::Value moves = from.Get("moves");
  if (!moves.IsArray()) throw std::invalid_argument("[images] moves must be an array");
  for (uint32_t i = 0; i < moves.As<Napi::Array>().Length(); i++) {
    source.moves.push_back(parse_move(moves.As<Napi::Array>().Get(i).As<Napi::Object>()));
  }
  buffers.push_back(images);
  buffers.push_back(labels);
  return source;
}

// What is done to each image of a batch; `indices` were checked. Each image's numbers follow their
// count.
std::vector<ImageWork> parse_batch(const Napi::Value& value, const int32_t* indices, size_t rows,
                                   const ImageSources& sources) {
  std::vector<ImageWork> work;
  if (!sources.has_ops()) return work;
  if (!value.IsTypedArray()) throw std::invalid_argument("[images] ops must be a Float64Array");
  size_t left = value.As<Napi::TypedArray>().ElementLength();
  const double* next =
      static_cast<const double*>(host_data(value, DType::float64, static_cast<int64_t>(left)));
  for (size_t row = 0; row < rows; row++) {
    if (left == 0 || !(*next >= 0) || *next > static_cast<double>(left - 1)) {
      throw std::invalid_argument("[images] the ops end before those of image " +
                                  std::to_string(row));
    }
    const size_t count = static_cast<size_t>(*next);
    const auto [source, index] = sources.at(indices[row]);
    if (source.has_ops) {
      work.push_back(parse_work(next + 1, count, source.image(index).shape, source.to));
    } else if (count == 0) {
      work.emplace_back();
    } else {
      throw std::invalid_argument("[images] there are ops of image " + std::to_string(row) +
                                  ", whose source takes none");
    }
    next += 1 + count;
    left -= 1 + count;
  }
  if (left > 0) throw std::invalid_argument("[images] there are ops of more images than asked for");
  return work;
}

void fill(const SharedImages& shared, const BatchOrder& order, const BatchSlot& slot) {
  fill_batch(shared.sources, order, shared.pool,
             reinterpret_cast<float*>(slot.inputs->memory.data()),
             reinterpret_cast<int64_t*>(slot.targets->memory.data()));
}

// Queued behind the runs that may still read the batch whose place another one takes.
class MakeRoomJob : public Job {
 public:
  explicit MakeRoomJob(std::shared_ptr<BatchStream> stream) : stream_(std::move(stream)) {}
  void execute() override { stream_->make_room(); }

 private:
  const std::shared_ptr<BatchStream> stream_;
};

}  // namespace

Napi::Value apply_ops(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const ImageShape from = parse_shape(info[1]), to = parse_shape(info[3]);
    for (const int64_t side : {from.channels, from.height, from.width}) {
      // So that no product can overflow.
      if (side < 1 || side > 1 << 20) throw std::invalid_argument("[images] sizes are 1 to 2^20");
    }
    const void* data = host_data(info[0], DType::uint8, static_cast<int64_t>(from.size()));
    const std::vector<double> ops = numbers<double>(info[2], "ops", DType::float64);
    const ImageWork work = parse_work(ops.data(), ops.size(), from, to);
    if (!work.erase.empty()) throw std::invalid_argument("[images] bytes cannot be erased");
    ImageScratch scratch;
    const ImageView made = scratch.apply(work.ops, {from, static_cast<const uint8_t*>(data)});
    Napi::Uint8Array out = Napi::Uint8Array::New(info.Env(), made.shape.size());
    std::copy_n(made.data, made.shape.size(), out.Data());
    return out.As<Napi::Value>();
  });
}

void WorkQueue::push(std::vector<ImageWork> work) {
  std::lock_guard<std::mutex> lock(mutex_);
  queue_.push_back(std::move(work));
}

std::vector<ImageWork> WorkQueue::pop() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<ImageWork> work = std::move(queue_.front());
  queue_.pop_front();
  return work;
}

Napi::Function ImageSourcesClass::define(Napi::Env env) {
  return DefineClass(env, "ImageSources", {InstanceMethod<&ImageSourcesClass::gather>("gather")});
}

ImageSourcesClass::ImageSourcesClass(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ImageSourcesClass>(info), instance_(Instance::of(info.Env())) {
  guarded(info.Env(), [&] {
    if (!info[0].IsArray()) throw std::invalid_argument("[images] expected a list of sources");
    const Napi::Array list = info[0].As<Napi::Array>();
    std::vector<ImageSource> sources;
    std::vector<std::shared_ptr<Buffer>> buffers;
    for (uint32_t i = 0; i < list.Length(); i++) {
      sources.push_back(parse_source(list.Get(i), buffers));
    }
    auto shared = std::make_shared<const SharedImages>(std::move(sources), std::move(buffers));
    // The bytes are read as they lie, on threads that know no tickets.
    for (const std::shared_ptr<Buffer>& buffer : shared->buffers) {
      instance_->thread.wait(buffer->last_use);
      buffer->gate.wait();
      buffer->make_row_major();
    }
    shared_ = std::move(shared);
    napi_type_tag_object(info.Env(), info.This(), &kTag);
  });
}

std::shared_ptr<const SharedImages> ImageSourcesClass::of(const Napi::Value& value) {
  bool tagged = false;
  if (value.IsObject()) napi_check_object_type_tag(value.Env(), value, &kTag, &tagged);
  if (!tagged) throw std::invalid_argument("[images] expected an ImageSources of this engine");
  return Unwrap(value.As<Napi::Object>())->shared_;
}

Napi::Value ImageSourcesClass::gather(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    size_t rows;
    const int32_t* indices = parse_indices(info[0], &rows);
    const int64_t epoch = integer(info[1], "epoch", 4294967295.0);
    const BatchSlot slot = parse_slot(info[2], info[3], rows, shared_->sources);
    shared_->sources.check_indices(indices, rows);
    const std::vector<ImageWork> work = parse_batch(info[4], indices, rows, shared_->sources);
    for (Buffer* buffer : {slot.inputs.get(), slot.targets.get()}) instance_->claim(*buffer);
    fill(*shared_, {indices, rows, static_cast<uint32_t>(epoch), &work}, slot);
    return info.Env().Undefined();
  });
}

Napi::Function ImageStream::define(Napi::Env env) {
  return DefineClass(env, "ImageStream",
                     {InstanceMethod<&ImageStream::take>("take"),
                      InstanceMethod<&ImageStream::dispose>("dispose")});
}

ImageStream::ImageStream(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ImageStream>(info), instance_(Instance::of(info.Env())) {
  guarded(info.Env(), [&] { start(info); });
}

void ImageStream::start(const Napi::CallbackInfo& info) {
  const std::shared_ptr<const SharedImages> shared = ImageSourcesClass::of(info[0]);
  shared_ = shared;
  size_t count;
  const int32_t* indices = parse_indices(info[1], &count);
  shared->sources.check_indices(indices, count);
  const size_t batch = static_cast<size_t>(integer(info[2], "batch_size", 2147483647));
  const uint32_t epoch = static_cast<uint32_t>(integer(info[3], "epoch", 4294967295.0));
  const uint64_t ahead = static_cast<uint64_t>(integer(info[6], "ahead", 2147483647));
  if (batch == 0 || !info[4].IsArray() || !info[5].IsArray()) {
    throw std::invalid_argument("[images] a stream takes a batch size and lists of storages");
  }
  const Napi::Array slots = info[4].As<Napi::Array>(), tail = info[5].As<Napi::Array>();
  for (uint32_t i = 0; i + 1 < slots.Length(); i += 2) {
    slots_.push_back(parse_slot(slots.Get(i), slots.Get(i + 1), batch, shared->sources));
  }
  whole_ = count / batch;
  const size_t rest = count % batch;
  ring_ = slots_.size();
  if (ahead == 0 || ahead > ring_) {
    throw std::invalid_argument("[images] " + std::to_string(ring_) + " slots have no room for " +
                                std::to_string(ahead) + " batches ahead");
  }
  if (rest > 0) slots_.push_back(parse_slot(tail.Get(0u), tail.Get(1u), rest, shared->sources));
  order_.assign(indices, indices + count);
  batch_ = batch;
  for (const BatchSlot& slot : slots_) {
    // Of all the others, runs that are still queued make room.
    const bool is_first = &slot < slots_.data() + ahead || &slot >= slots_.data() + ring_;
    if (!is_first) continue;
    for (Buffer* buffer : {slot.inputs.get(), slot.targets.get()}) instance_->claim(*buffer);
  }
  if (shared->sources.has_ops()) {
    if (!info[7].IsArray()) throw std::invalid_argument("[images] a stream takes a list of ops");
    const Napi::Array ops = info[7].As<Napi::Array>();
    for (uint32_t i = 0; i < ahead; i++) push_work(ops.Get(i));
  }
  const auto fill_next = [shared, order = order_, work = work_, slots = slots_, whole = whole_,
                          ring = ring_, batch, rest, epoch](uint64_t b) {
    const bool is_tail = b == whole;
    const std::vector<ImageWork> ops =
        shared->sources.has_ops() ? work->pop() : std::vector<ImageWork>();
    fill(*shared, {order.data() + b * batch, is_tail ? rest : batch, epoch, &ops},
         is_tail ? slots.back() : slots[b % ring]);
  };
  stream_ = std::make_shared<BatchStream>(whole_ + (rest > 0 ? 1 : 0), ahead, fill_next);
}

void ImageStream::push_work(const Napi::Value& ops) {
  if (!shared_->sources.has_ops()) return;
  const size_t rows = std::min(batch_, order_.size() - pushed_);
  if (rows == 0) return;
  work_->push(parse_batch(ops, order_.data() + pushed_, rows, shared_->sources));
  pushed_ += rows;
}

void ImageStream::Finalize(Napi::BasicEnv) { close(); }

Napi::Value ImageStream::take(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (stream_ == nullptr) throw std::invalid_argument("[images] the stream was disposed");
    push_work(info[0]);
    const uint64_t batch = stream_->take();
    instance_->thread.submit(new MakeRoomJob(stream_), Job::After::discard);
    const BatchSlot& slot = batch == whole_ ? slots_.back() : slots_[batch % ring_];
    for (Buffer* buffer : {slot.inputs.get(), slot.targets.get()}) {
      buffer->gate = {stream_, batch};
      buffer->now = {};
    }
    return info.Env().Undefined();
  });
}

Napi::Value ImageStream::dispose(const Napi::CallbackInfo& info) {
  close();
  return info.Env().Undefined();
}

void ImageStream::close() {
  if (stream_ == nullptr) return;
  stream_->close();
  for (const BatchSlot& slot : slots_) {
    for (Buffer* buffer : {slot.inputs.get(), slot.targets.get()}) {
      if (buffer->gate.stream == stream_) buffer->gate = {};
    }
  }
  slots_.clear();
  stream_ = nullptr;
}

}  // namespace torchts
