// The part of refrt.h that C programs call.
#include "artifact_file.h"
#include "dtype.h"
#include "instance.h"
#include "tensor.h"
#include "write_back.h"

#include <algorithm>
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
  for (size_t r = 0; r < method.returned; ++r)
    if (method.resultIsTensor[r] && results[r])
      removeOwner(reinterpret_cast<refrt_tensor *>(results[r]));
}

/// The arguments as compiled code takes them: strided ones as dense copies that end with the call. False: no memory.
bool makeDense(refrt_ctx &ctx, const Method &method, const int64_t *args, int64_t *slots) {
  for (size_t i = 0; i < method.argumentIsTensor.size(); ++i) {
    slots[i] = args[i];
    auto *t = reinterpret_cast<refrt_tensor *>(args[i]);
    if (!method.argumentIsTensor[i] || isDense(t))
      continue;
    refrt_tensor *copy = copyTensor(t);
    if (!copy)
      return false;
    link(&ctx, copy);
    slots[i] = reinterpret_cast<int64_t>(copy);
  }
  return true;
}

Region regionOf(int64_t slot) {
  auto *t = reinterpret_cast<refrt_tensor *>(slot);
  int64_t bytes = elementSize(t->dtype);
  return {static_cast<char *>(t->data), bytes, t->rank, sizesOf(t), stridesOf(t), bytes};
}

/// Fills the regions of the arguments that the program writes. False: one cannot be written, and `error` says why.
bool findTargets(const Method &method, const int64_t *args, std::vector<Region> &targets, refrt_error *error) {
  std::vector<Region> all;
  std::vector<uint8_t> isWritten;
  for (size_t i = 0; i < method.argumentIsTensor.size(); ++i) {
    if (!method.argumentIsTensor[i])
      continue;
    all.push_back(regionOf(args[i]));
    isWritten.push_back(std::count(method.written.begin(), method.written.end(), i) > 0);
    if (!isWritten.back())
      continue;
    targets.push_back(all.back());
    if (!repeatsElements(all.back()))
      continue;
    report(error, "RuntimeError", "an argument that the program writes names one element by several indices");
    return false;
  }
  Overlap found;
  if (!findOverlap(all.data(), isWritten.data(), all.size(), found))
    return true;
  report(error, "ValueError", "an argument that the program writes shares memory with another argument");
  return false;
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
  std::vector<Region> targets;
  if (!method.written.empty() && !findTargets(method, args, targets, error))
    return 1;
  refrt_ctx ctx(&instance);
  std::vector<int64_t> slots(method.argumentIsTensor.size()), all(method.resultIsTensor.size());
  if (!makeDense(ctx, method, args, slots.data())) {
    report(error, "MemoryError", "no memory for a dense copy of an argument");
    return 1;
  }
  if (!runEntry(ctx, method.entry, slots.data(), all.data(), method.resultIsTensor.data(), int64_t(all.size()))) {
    report(error, ctx.failure.kind.c_str(), ctx.failure.message.c_str());
    return 1;
  }
  bool complete = writeBack(method, slots.data(), targets.data(), all.data(), ctx.failure);
  std::copy_n(all.begin(), method.returned, results);
  for (size_t r = 0; complete && r < method.returned; ++r)
    if (method.resultIsTensor[r]) {
      results[r] = reinterpret_cast<int64_t>(takeExclusive(reinterpret_cast<refrt_tensor *>(results[r])));
      complete &= results[r] != 0;
    }
  if (complete)
    return 0;
  dropResults(method, results);
  if (ctx.failure.kind.empty())
    ctx.failure = {"MemoryError", "no memory for a result"};
  report(error, ctx.failure.kind.c_str(), ctx.failure.message.c_str());
  return 1;
}

} // extern "C"
