#include "image_source.h"

#include "host_array.h"
#include "numbers.h"
#include "storage.h"

namespace torchts {
namespace {

// What tells an ImageSource from any other object before it is unwrapped.
constexpr napi_type_tag kTag = {0x3f0c9a52d7be4861, 0xa4417be29c05d38f};

int64_t integer(const Napi::Value& value, const std::string& what, double most) {
  if (const std::optional<int64_t> found = integer_of(value, 0, most)) return *found;
  throw std::invalid_argument("[images] " + what + " must be an integer from 0 to " +
                              std::to_string(static_cast<int64_t>(most)));
}

int64_t size(const Napi::Object& from, const char* key) {
  return integer(from.Get(key), key, 2147483647);
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
                     const ImageSource& source) {
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

void fill(const SharedImages& shared, const int32_t* indices, size_t rows, uint32_t epoch,
          const BatchSlot& slot) {
  fill_batch(shared.source, indices, rows, epoch,
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

Napi::Function ImageSourceClass::define(Napi::Env env) {
  return DefineClass(env, "ImageSource", {InstanceMethod<&ImageSourceClass::gather>("gather")});
}

ImageSourceClass::ImageSourceClass(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ImageSourceClass>(info), instance_(Instance::of(info.Env())) {
  guarded(info.Env(), [&] {
    if (!info[0].IsObject()) throw std::invalid_argument("[images] expected an object");
    const Napi::Object from = info[0].As<Napi::Object>();
    auto shared = std::make_shared<SharedImages>();
    shared->images = Storage::shared_buffer_of(from.Get("images"));
    shared->labels = Storage::shared_buffer_of(from.Get("labels"));
    require_dtype("images", *shared->images, DType::uint8);
    require_dtype("labels", *shared->labels, DType::int64);
    ImageSource& source = shared->source;
    source.images = reinterpret_cast<const uint8_t*>(shared->images->memory.data());
    source.image_bytes = static_cast<size_t>(shared->images->numel);
    source.labels = reinterpret_cast<const int64_t*>(shared->labels->memory.data());
    source.label_count = static_cast<size_t>(shared->labels->numel);
    source.channels = size(from, "channels");
    source.height = size(from, "height");
    source.width = size(from, "width");
    source.seed = static_cast<uint64_t>(integer(from.Get("seed"), "seed", 9007199254740991.0));
    const float* table = static_cast<const float*>(
        host_data(from.Get("table"), DType::float32, source.channels * 256));
    source.table.assign(table, table + source.channels * 256);
    const Napi::Value moves = from.Get("moves");
    if (!moves.IsArray()) throw std::invalid_argument("[images] moves must be an array");
    for (uint32_t i = 0; i < moves.As<Napi::Array>().Length(); i++) {
      source.moves.push_back(parse_move(moves.As<Napi::Array>().Get(i).As<Napi::Object>()));
    }
    check_source(source);
    // The bytes are read as they lie, on threads that know no tickets.
    for (Buffer* buffer : {shared->images.get(), shared->labels.get()}) {
      instance_->thread.wait(buffer->last_use);
      buffer->gate.wait();
      buffer->make_row_major();
    }
    shared_ = std::move(shared);
    napi_type_tag_object(info.Env(), info.This(), &kTag);
  });
}

std::shared_ptr<const SharedImages> ImageSourceClass::of(const Napi::Value& value) {
  bool tagged = false;
  if (value.IsObject()) napi_check_object_type_tag(value.Env(), value, &kTag, &tagged);
  if (!tagged) throw std::invalid_argument("[images] expected an ImageSource of this engine");
  return Unwrap(value.As<Napi::Object>())->shared_;
}

Napi::Value ImageSourceClass::gather(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    size_t rows;
    const int32_t* indices = parse_indices(info[0], &rows);
    const int64_t epoch = integer(info[1], "epoch", 4294967295.0);
    const BatchSlot slot = parse_slot(info[2], info[3], rows, shared_->source);
    check_indices(shared_->source, indices, rows);
    for (Buffer* buffer : {slot.inputs.get(), slot.targets.get()}) instance_->claim(*buffer);
    fill(*shared_, indices, rows, static_cast<uint32_t>(epoch), slot);
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
  const std::shared_ptr<const SharedImages> shared = ImageSourceClass::of(info[0]);
  size_t count;
  const int32_t* indices = parse_indices(info[1], &count);
  check_indices(shared->source, indices, count);
  const size_t batch = static_cast<size_t>(integer(info[2], "batch_size", 2147483647));
  const uint32_t epoch = static_cast<uint32_t>(integer(info[3], "epoch", 4294967295.0));
  const uint64_t ahead = static_cast<uint64_t>(integer(info[6], "ahead", 2147483647));
  if (batch == 0 || !info[4].IsArray() || !info[5].IsArray()) {
    throw std::invalid_argument("[images] a stream takes a batch size and lists of storages");
  }
  const Napi::Array slots = info[4].As<Napi::Array>(), tail = info[5].As<Napi::Array>();
  for (uint32_t i = 0; i + 1 < slots.Length(); i += 2) {
    slots_.push_back(parse_slot(slots.Get(i), slots.Get(i + 1), batch, shared->source));
  }
  whole_ = count / batch;
  const size_t rest = count % batch;
  ring_ = slots_.size();
  if (ahead == 0 || ahead > ring_) {
    throw std::invalid_argument("[images] " + std::to_string(ring_) + " slots have no room for " +
                                std::to_string(ahead) + " batches ahead");
  }
  if (rest > 0) slots_.push_back(parse_slot(tail.Get(0u), tail.Get(1u), rest, shared->source));
  std::vector<int32_t> order(indices, indices + count);
  for (const BatchSlot& slot : slots_) {
    // Of all the others, runs that are still queued make room.
    const bool is_first = &slot < slots_.data() + ahead || &slot >= slots_.data() + ring_;
    if (!is_first) continue;
    for (Buffer* buffer : {slot.inputs.get(), slot.targets.get()}) instance_->claim(*buffer);
  }
  stream_ = std::make_shared<BatchStream>(whole_ + (rest > 0 ? 1 : 0), ahead,
                                          [shared, order, slots = slots_, whole = whole_,
                                           ring = ring_, batch, rest, epoch](uint64_t b) {
                                            const bool is_tail = b == whole;
                                            fill(*shared, order.data() + b * batch,
                                                 is_tail ? rest : batch, epoch,
                                                 is_tail ? slots.back() : slots[b % ring]);
                                          });
}

void ImageStream::Finalize(Napi::BasicEnv) { close(); }

Napi::Value ImageStream::take(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (stream_ == nullptr) throw std::invalid_argument("[images] the stream was disposed");
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
