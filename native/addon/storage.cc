#include "storage.h"

#include "host_array.h"
#include "numbers.h"
#include "program.h"

namespace torchts {
namespace {

// What tells a Storage from any other object before it is unwrapped.
constexpr napi_type_tag kTag = {0x7ab1d0c2f3e44f19, 0x9c5e6a7b8d3f2011};

class ReadJob : public PromiseJob {
 public:
  ReadJob(const Buffer& buffer, Napi::Value array)
      : buffer_(buffer),
        from_(buffer.now),
        gate_(buffer.gate),
        host_(host_data(array, buffer.dtype, buffer.numel)),
        array_(Napi::Persistent(array.As<Napi::Object>())) {}

  void execute() override {
    gate_.wait();
    buffer_.copy_to(host_, from_);
  }
  napi_value result(Napi::Env) override { return array_.Value(); }

 private:
  const Buffer& buffer_;
  const Arrangement from_;
  const Gate gate_;
  void* host_;
  Napi::ObjectReference array_;  // keeps the memory behind `host_`
};

FilePart parse_part(const Napi::Object& from, DType dtype, int64_t numel) {
  const std::optional<int64_t> fd = integer_of(from.Get("fd"), 0, 2147483647.0);
  const std::optional<int64_t> offset = integer_of(from.Get("offset"), 0, 9007199254740991.0);
  if (!fd || !offset || dtype != DType::uint8) {
    throw std::invalid_argument("[map] takes uint8, an open file and an offset in it");
  }
  return {static_cast<int>(*fd), static_cast<uint64_t>(*offset), static_cast<size_t>(numel),
          from.Get("path").ToString().Utf8Value()};
}

}  // namespace

Napi::Function Storage::define(Napi::Env env) {
  return DefineClass(
      env, "Storage",
      {InstanceAccessor<&Storage::id>("id"), InstanceMethod<&Storage::write>("write"),
       InstanceMethod<&Storage::read_sync>("readSync"), InstanceMethod<&Storage::read>("read"),
       InstanceMethod<&Storage::dispose>("dispose")});
}

Storage::Storage(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Storage>(info), instance_(Instance::of(info.Env())) {
  guarded(info.Env(), [&] {
    DType dtype = dtype_named(info[0].ToString());
    const std::optional<int64_t> numel = integer_of(info[1], 0, static_cast<double>(kMostBytes));
    if (!numel) {
      throw std::invalid_argument("[storage] a buffer cannot have " +
                                  info[1].ToString().Utf8Value() + " elements");
    }
    buffer_ = info[2].IsObject()
                  ? std::make_shared<Buffer>(parse_part(info[2].As<Napi::Object>(), dtype, *numel))
                  : std::make_shared<Buffer>(dtype, *numel);
    id_ = instance_->add(buffer_.get());
    napi_type_tag_object(info.Env(), info.This(), &kTag);
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), buffer_->memory.own_bytes());
  });
}

void Storage::Finalize(Napi::BasicEnv env) { release(env); }

Buffer& Storage::buffer() const {
  if (buffer_ == nullptr) throw std::invalid_argument("[storage] the buffer was disposed");
  return *buffer_;
}

std::shared_ptr<Buffer> Storage::shared_buffer_of(const Napi::Value& value) {
  bool tagged = false;
  if (value.IsObject()) napi_check_object_type_tag(value.Env(), value, &kTag, &tagged);
  if (!tagged) throw std::invalid_argument("[storage] expected a buffer of this engine");
  Storage* storage = Unwrap(value.As<Napi::Object>());
  storage->buffer();  // throws once disposed
  return storage->buffer_;
}

Napi::Value Storage::id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), id_);
}

Napi::Value Storage::write(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    Buffer& to = buffer();
    const void* host = host_data(info[0], to.dtype, to.numel);
    instance_->claim(to);
    copy_from_host(to.memory.data(), host, to.dtype, to.numel);
    return info.Env().Undefined();
  });
}

Napi::Value Storage::read_sync(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Buffer& from = buffer();
    void* host = host_data(info[0], from.dtype, from.numel);
    instance_->thread.wait(from.last_write);
    from.gate.wait();
    from.copy_to(host, from.now);
    return info[0];
  });
}

Napi::Value Storage::read(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Buffer& from = buffer();
    Napi::Promise promise = instance_->submit(info.Env(), std::make_unique<ReadJob>(from, info[0]));
    from.last_use = instance_->thread.latest();
    return promise;
  });
}

Napi::Value Storage::dispose(const Napi::CallbackInfo& info) {
  release(info.Env());
  return info.Env().Undefined();
}

void Storage::release(Napi::BasicEnv env) {
  if (buffer_ == nullptr) return;
  instance_->remove(id_);
  Napi::MemoryManagement::AdjustExternalMemory(env,
                                               -static_cast<int64_t>(buffer_->memory.own_bytes()));
  Ticket last_use = buffer_->last_use;
  instance_->free_after(last_use, std::move(buffer_));
}

}  // namespace torchts
