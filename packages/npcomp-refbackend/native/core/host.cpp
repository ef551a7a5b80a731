// The part of refrt.h that C programs call.
#include "artifact_file.h"
#include "instance.h"

#include <cstdio>
#include <new>

using namespace refrt;

struct refrt_program {
  std::shared_ptr<Program> program;
};

struct refrt_instance {
  explicit refrt_instance(std::shared_ptr<Program> program) : instance(std::move(program)) {}
  Instance instance;
};

namespace {

void report(refrt_error *error, const char *kind, const char *message) {
  if (!error)
    return;
  snprintf(error->kind, sizeof error->kind, "%s", kind);
  snprintf(error->message, sizeof error->message, "%s", message);
}

/// Gives up all results of a call.
void dropResults(const Method &method, int64_t *results) {
  for (size_t r = 0; r < method.resultIsTensor.size(); ++r)
    if (method.resultIsTensor[r] && results[r])
      removeOwner(reinterpret_cast<refrt_tensor *>(results[r]));
}

} // namespace

extern "C" {

refrt_program *refrt_program_open(const char *path, refrt_error *error) {
  try {
    ArtifactFile file = readArtifact(path);
    return new refrt_program{Program::create(file.header, file.object, file.constants)};
  } catch (const std::bad_alloc &) {
    report(error, "MemoryError", "no memory to load the program");
  } catch (const std::exception &problem) {
    report(error, "ArtifactError", problem.what());
  }
  return nullptr;
}

void refrt_program_close(refrt_program *program) { delete program; }

refrt_instance *refrt_instance_new(refrt_program *program) {
  return new (std::nothrow) refrt_instance(program->program);
}

void refrt_instance_delete(refrt_instance *instance) { delete instance; }

int64_t refrt_method(refrt_instance *instance, const char *name) {
  const std::vector<Method> &methods = instance->instance.program->methods;
  for (size_t i = 0; i < methods.size(); ++i)
    if (methods[i].name == name)
      return int64_t(i);
  return -1;
}

int refrt_call(refrt_instance *handle, int64_t number, int64_t *args, int64_t *results, refrt_error *error) {
  Instance &instance = handle->instance;
  if (number < 0 || size_t(number) >= instance.program->methods.size()) {
    report(error, "ValueError", "the program has no method of this number. do: ask refrt_method for it");
    return 1;
  }
  const Method &method = instance.program->methods[size_t(number)];
  std::lock_guard<std::recursive_mutex> lock(instance.busy);
  refrt_ctx ctx(&instance);
  size_t count = method.resultIsTensor.size();
  if (!runEntry(ctx, method.entry, args, results, method.resultIsTensor.data(), int64_t(count))) {
    report(error, ctx.failure.kind.c_str(), ctx.failure.message.c_str());
    return 1;
  }
  bool complete = true;
  for (size_t r = 0; r < count; ++r)
    if (method.resultIsTensor[r]) {
      results[r] = reinterpret_cast<int64_t>(takeExclusive(reinterpret_cast<refrt_tensor *>(results[r])));
      complete &= results[r] != 0;
    }
  if (complete)
    return 0;
  dropResults(method, results);
  report(error, "MemoryError", "no memory for a result");
  return 1;
}

} // extern "C"
