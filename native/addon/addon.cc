// The addon's exports. It is thin: src/engine/native/ gives it its TypeScript face.
#include <napi.h>

#include <map>

#include "executable.h"
#include "image_source.h"
#include "instance.h"
#include "machine.h"
#include "storage.h"

namespace torchts {
namespace {

Napi::Value string_or_null(Napi::Env env, const std::string& text) {
  if (text.empty()) return env.Null();
  return Napi::String::New(env, text);
}

// info(): { isa, onednn, lapack, cpu, cpus, threads, providers: [{ name, loaded, reason }] }.
Napi::Value info(const Napi::CallbackInfo& call) {
  Napi::Env env = call.Env();
  Napi::Array statuses = Napi::Array::New(env);
  for (const ProviderStatus& status : providers().statuses) {
    Napi::Object row = Napi::Object::New(env);
    row.Set("name", status.name);
    row.Set("loaded", status.loaded);
    row.Set("reason", string_or_null(env, status.reason));
    statuses.Set(statuses.Length(), row);
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("isa", providers().isa);
  out.Set("onednn", string_or_null(env, providers().onednn));
  out.Set("lapack", string_or_null(env, providers().lapack));
  out.Set("cpu", cpu_model());
  out.Set("cpus", available_cpus());
  out.Set("threads", Instance::of(env)->threads);
  out.Set("providers", statuses);
  return out;
}

// implementations(): { [kernel]: methods }.
Napi::Value implementations(const Napi::CallbackInfo& call) {
  Napi::Env env = call.Env();
  std::map<std::string, std::vector<std::string>> methods{{"alias", {"alias"}}};
  for (const Implementation& implementation : providers().registry.all()) {
    methods[implementation.kernel].push_back(implementation.method);
  }
  Napi::Object out = Napi::Object::New(env);
  for (const auto& [kernel, list] : methods) {
    Napi::Array names = Napi::Array::New(env);
    for (const std::string& method : list) {
      names.Set(names.Length(), Napi::String::New(env, method));
    }
    out.Set(kernel, names);
  }
  return out;
}

Napi::Value threads(const Napi::CallbackInfo& call) {
  return Napi::Number::New(call.Env(), Instance::of(call.Env())->threads);
}

// setThreads(n): for Programs loaded from now on.
Napi::Value set_threads(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&] {
    double wanted = call[0].IsNumber() ? call[0].As<Napi::Number>().DoubleValue() : 0;
    if (!(wanted >= 1 && wanted <= 4096) || wanted != static_cast<int>(wanted)) {
      throw std::invalid_argument("the number of threads must be an integer from 1 to 4096, got " +
                                  call[0].ToString().Utf8Value());
    }
    Instance::of(call.Env())->threads = static_cast<int>(wanted);
    return call.Env().Undefined();
  });
}

// setErrorClass(constructor): what every failure throws or rejects with.
Napi::Value set_error_class(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&] {
    if (!call[0].IsFunction()) throw std::invalid_argument("expected a class of errors");
    Instance::of(call.Env())->set_error_class(call[0].As<Napi::Function>());
    return call.Env().Undefined();
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  try {
    providers();
    Instance::create(env);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
  Napi::Array dtypes = Napi::Array::New(env);
  for (int i = 0; i < kDTypeCount; i++) {
    dtypes.Set(static_cast<uint32_t>(i), name(static_cast<DType>(i)));
  }
  exports.Set("dtypes", dtypes);
  exports.Set("Storage", Storage::define(env));
  exports.Set("Executable", Executable::define(env));
  exports.Set("info", Napi::Function::New<info>(env, "info"));
  exports.Set("implementations", Napi::Function::New<implementations>(env, "implementations"));
  exports.Set("threads", Napi::Function::New<threads>(env, "threads"));
  exports.Set("setThreads", Napi::Function::New<set_threads>(env, "setThreads"));
  exports.Set("setErrorClass", Napi::Function::New<set_error_class>(env, "setErrorClass"));
  exports.Set("applyOps", Napi::Function::New<apply_ops>(env, "applyOps"));
  exports.Set("ImageSources", ImageSourcesClass::define(env));
  exports.Set("ImageStream", ImageStream::define(env));
  return exports;
}

}  // namespace
}  // namespace torchts

static Napi::Object torchts_init(Napi::Env env, Napi::Object exports) {
  return torchts::init(env, exports);
}

NODE_API_MODULE(torchts, torchts_init)
