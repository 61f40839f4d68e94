// The JavaScript class of a loaded Program.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "instance.h"

namespace torchts {

// new Executable(program, off?), where `off` lists what is switched off (LoadOptions). A run takes
// no arguments: the caller first writes the ids of the storages into `bindings` (a Uint32Array) and
// the scalars into `scalars` (a Float64Array), which costs a fraction of passing arrays. run():
// Promise, runMany(ids, scalars, runs): Promise (one job of several runs, their arguments one after
// the other), runSync(), profile(): a Promise of the run's clock (LoadedProgram::run), arenaBytes,
// kernels ({ label, kernel, method } of each instruction, with the reorders that loading added),
// plan(), dispose(). Garbage collection disposes too.
class Executable : public Napi::ObjectWrap<Executable> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Executable(const Napi::CallbackInfo& info);
  void Finalize(Napi::BasicEnv env) override;

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value run_many(const Napi::CallbackInfo& info);
  Napi::Value run_sync(const Napi::CallbackInfo& info);
  Napi::Value profile(const Napi::CallbackInfo& info);
  Napi::Value plan(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  void load(Napi::Env env, Program program, const std::vector<std::string>& off);
  void share_arguments(Napi::Env env, Napi::Object self);
  Napi::Array kernels(Napi::Env env) const;
  std::unique_ptr<RunJob> prepare(const uint32_t* ids, const double* scalars);
  std::unique_ptr<RunsJob> prepare_many(const uint32_t* ids, const double* scalars, size_t runs);
  void check_bindings(const uint32_t* ids, uint64_t run);
  void* arranged(size_t binding, uint64_t run, RunJob* job);
  Napi::Value submit(Napi::Env env, std::unique_ptr<RunJob> job);
  Buffer* bound_buffer(size_t binding, uint32_t id);
  void mark_used(Ticket ticket);
  void require_live() const;
  bool writes(size_t binding) const { return accesses_[binding] != Access::read; }
  void release(Napi::BasicEnv env);

  std::shared_ptr<Instance> instance_;
  std::unique_ptr<LoadedProgram> program_;
  std::vector<Access> accesses_;     // of each binding
  std::vector<Buffer*> buffers_;     // of the run being prepared
  Napi::ObjectReference arguments_;  // keeps the two arrays below
  const uint32_t* binding_ids_ = nullptr;
  const double* scalars_ = nullptr;
  Ticket last_run_ = 0;
};

}  // namespace torchts
