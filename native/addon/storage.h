// The JavaScript class of a buffer.
#pragma once

#include <napi.h>

#include <memory>

#include "instance.h"

namespace torchts {

// new Storage(dtype, numel), or new Storage("uint8", numel, { fd, offset, path }) of the bytes of a
// file, see Memory. `id` names it in a run; write(array), readSync(array), read(array):
// Promise<array>, dispose(). Arrays hold row-major values, whatever layout the buffer is in.
// Garbage collection disposes too.
class Storage : public Napi::ObjectWrap<Storage> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Storage(const Napi::CallbackInfo& info);
  void Finalize(Napi::BasicEnv env) override;

  // The buffer. Throws std::invalid_argument once disposed.
  Buffer& buffer() const;
  // The buffer of a JavaScript value that must be a Storage, for those who keep it.
  static std::shared_ptr<Buffer> shared_buffer_of(const Napi::Value& value);

 private:
  Napi::Value id(const Napi::CallbackInfo& info);
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value read_sync(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);
  void release(Napi::BasicEnv env);

  std::shared_ptr<Instance> instance_;
  std::shared_ptr<Buffer> buffer_;
  uint32_t id_ = 0;
};

}  // namespace torchts
