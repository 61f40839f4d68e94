#include "instance.h"

#include <algorithm>

#include "host_array.h"
#include "machine.h"

namespace torchts {
namespace {

constexpr size_t kSpareRuns = 16;

// Deletes something on the engine thread, after every job queued before it.
template <class Owner>
class FreeJob : public Job {
 public:
  explicit FreeJob(Owner owned) : owned_(std::move(owned)) {}
  void execute() override { owned_.reset(); }

 private:
  Owner owned_;
};

template <class Owner>
void free_on(EngineThread& thread, Ticket ticket, Owner owned) {
  if (thread.is_done(ticket)) return;  // `owned` frees it here
  thread.submit(new FreeJob<Owner>(std::move(owned)), Job::After::discard);
}

using SharedInstance = std::shared_ptr<Instance>;

}  // namespace

void Buffer::copy_to(void* host, const Arrangement& from) const {
  if (from.layout.is_row_major()) return copy_to_host(host, memory.data(), dtype, numel);
  const Memory plain(memory.bytes());
  copy_layout(from.shape, itemsize(dtype), from.layout, memory.data(), {}, plain.data());
  copy_to_host(host, plain.data(), dtype, numel);
}

void Buffer::make_row_major() {
  if (now.layout.is_row_major()) return;
  const Memory plain(memory.bytes());
  copy_layout(now.shape, itemsize(dtype), now.layout, memory.data(), {}, plain.data());
  std::copy_n(plain.data(), plain.bytes(), memory.data());
  now = {};
}

void RunJob::reserve() {
  size_t bytes = 0;
  for (const Conversion& conversion : conversions) bytes = std::max(bytes, conversion.bytes);
  if (bytes > 0) staging_ = std::make_unique<Memory>(bytes);
}

void RunJob::execute() {
  for (const Gate& gate : gates) gate.wait();
  for (const Conversion& c : conversions) {
    copy_layout(c.from.shape, c.itemsize, c.from.layout, c.source, {}, staging_->data());
    copy_layout(c.to.shape, c.itemsize, {}, staging_->data(), c.to.layout, c.target);
  }
  program->run(buffers.data(), scalars.data(), clock.empty() ? nullptr : clock.data());
}

napi_value RunJob::result(Napi::Env env) {
  if (clock.empty()) return env.Undefined();
  Napi::Float64Array times = Napi::Float64Array::New(env, clock.size());
  std::copy(clock.begin(), clock.end(), times.Data());
  return times;
}

void RunJob::clear() {
  gates.clear();
  conversions.clear();
  copies.clear();
  staging_.reset();
  clock.clear();
}

void Instance::create(Napi::Env env) {
  env.SetInstanceData(new SharedInstance(std::make_shared<Instance>(env)));
}

std::shared_ptr<Instance> Instance::of(Napi::Env env) {
  return *env.GetInstanceData<SharedInstance>();
}

Instance::Instance(Napi::Env env)
    : thread([this] { napi_call_threadsafe_function(settler_, nullptr, napi_tsfn_nonblocking); }),
      threads(default_threads()) {
  auto settle = [](napi_env raw, napi_value, void* context, void*) {
    if (raw != nullptr) static_cast<Instance*>(context)->settle(Napi::Env(raw));
  };
  napi_status status =
      napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "torchts"), 0,
                                      1, nullptr, nullptr, this, settle, &settler_);
  if (status != napi_ok) throw Napi::Error::New(env);
  napi_unref_threadsafe_function(env, settler_);
  // Registered after the function's own hook, so it runs before: the thread must end first.
  napi_add_env_cleanup_hook(
      env, [](void* self) { static_cast<Instance*>(self)->stop(); }, this);
}

void Instance::stop() {
  thread.stop();
  error_class_.Reset();
}

uint32_t Instance::add(Buffer* buffer) {
  if (free_ids_.empty()) {
    buffers_.push_back(buffer);
    return static_cast<uint32_t>(buffers_.size() - 1);
  }
  uint32_t id = free_ids_.back();
  free_ids_.pop_back();
  buffers_[id] = buffer;
  return id;
}

void Instance::remove(uint32_t id) {
  buffers_[id] = nullptr;
  free_ids_.push_back(id);
}

void Instance::claim(Buffer& buffer) {
  thread.wait(buffer.last_use);
  buffer.gate.wait();
  buffer.now = {};
}

void Instance::free_after(Ticket ticket, std::shared_ptr<Buffer> buffer) {
  free_on(thread, ticket, std::move(buffer));
}

void Instance::free_after(Ticket ticket, std::unique_ptr<LoadedProgram> program) {
  free_on(thread, ticket, std::move(program));
}

std::unique_ptr<RunJob> Instance::new_run() {
  if (spare_runs_.empty()) return std::make_unique<RunJob>();
  std::unique_ptr<RunJob> job = std::move(spare_runs_.back());
  spare_runs_.pop_back();
  return job;
}

void Instance::recycle(std::unique_ptr<RunJob> job) {
  job->clear();
  if (spare_runs_.size() < kSpareRuns) spare_runs_.push_back(std::move(job));
}

Napi::Promise Instance::submit(Napi::Env env, std::unique_ptr<PromiseJob> job) {
  napi_value promise;
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok) throw Napi::Error::New(env);
  if (pending_++ == 0) napi_ref_threadsafe_function(env, settler_);
  thread.submit(job.release(), Job::After::report);
  return Napi::Promise(env, promise);
}

// Runs on the JavaScript thread, once for any number of finished jobs.
void Instance::settle(Napi::Env env) {
  for (Job* next = thread.take_reports(); next != nullptr;) {
    Napi::HandleScope scope(env);
    std::unique_ptr<PromiseJob> job(static_cast<PromiseJob*>(next));
    next = job->next;
    try {
      if (job->error.empty()) {
        napi_resolve_deferred(env, job->deferred, job->result(env));
      } else {
        napi_reject_deferred(env, job->deferred, error(env, job->error).Value());
      }
    } catch (const Napi::Error&) {
      // A worker that is being terminated can make no values, and nobody waits for the promise.
    }
    if (--pending_ == 0) napi_unref_threadsafe_function(env, settler_);
    if (RunJob* run = dynamic_cast<RunJob*>(job.get())) {
      job.release();
      recycle(std::unique_ptr<RunJob>(run));
    } else if (RunsJob* several = dynamic_cast<RunsJob*>(job.get())) {
      for (auto& one : several->runs) recycle(std::move(one));
    }
  }
}

void Instance::set_error_class(const Napi::Function& error_class) {
  error_class_ = Napi::Persistent(error_class);
}

Napi::Error Instance::error(Napi::Env env, const std::string& message) const {
  if (error_class_.IsEmpty()) return Napi::Error::New(env, message);
  Napi::Value error = error_class_.New({Napi::String::New(env, message)});
  return Napi::Error(env, error);
}

const Providers& providers() {
  static const Providers loaded =
      load_providers(directory_of(reinterpret_cast<const void*>(&providers)));
  return loaded;
}

}  // namespace torchts
