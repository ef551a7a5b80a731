#include "instance.h"

namespace refrt {

Instance::Instance(std::shared_ptr<const Program> owner) : program(std::move(owner)) {
  for (const Slot &slot : program->slots)
    slots.push_back(slot.constant >= 0 ? reinterpret_cast<int64_t>(program->constants[size_t(slot.constant)])
                                       : slot.bits);
}

Instance::~Instance() { reset(); }

void Instance::reset() {
  for (size_t i = 0; i < slots.size(); ++i) {
    const Slot &slot = program->slots[i];
    if (isTensor(i))
      setTensor(i, program->constants[size_t(slot.constant)]);
    else
      slots[i] = slot.bits;
  }
}

bool Instance::setTensor(size_t slot, refrt_tensor *t) noexcept {
  refrt_tensor *old = tensor(slot);
  bool copy = kindOf(rootOf(t)) == Kind::Argument;
  if (copy && !(t = copyTensor(t)))
    return false;
  addOwner(t);
  if (copy)
    clearCallReferences(t);
  slots[slot] = reinterpret_cast<int64_t>(t);
  removeOwner(old);
  return true;
}

namespace {

/// The slot's index; ends the call when the program has no such slot of this kind.
size_t slotOrFail(refrt_ctx *ctx, int64_t slot, bool tensor) {
  Instance &instance = *ctx->instance;
  if (slot < 0 || size_t(slot) >= instance.slots.size() || instance.isTensor(size_t(slot)) != tensor)
    fail(ctx, "RuntimeError", "the program uses state %lld, which it does not list. do: compile it again",
         (long long)slot);
  return size_t(slot);
}

} // namespace
} // namespace refrt

using namespace refrt;

extern "C" {

refrt_tensor *refrt_constant(refrt_ctx *ctx, int64_t index) {
  const std::vector<refrt_tensor *> &constants = ctx->instance->program->constants;
  if (index < 0 || size_t(index) >= constants.size())
    fail(ctx, "RuntimeError", "the program uses constant %lld, which it does not list. do: compile it again",
         (long long)index);
  return constants[size_t(index)];
}

refrt_tensor *refrt_slot_get(refrt_ctx *ctx, int64_t slot) {
  refrt_tensor *t = ctx->instance->tensor(slotOrFail(ctx, slot, true));
  refrt_retain(ctx, t);
  if (t->drop && !t->prev)
    link(ctx, t);
  return t;
}

void refrt_slot_set(refrt_ctx *ctx, int64_t slot, refrt_tensor *t) {
  if (!ctx->instance->setTensor(slotOrFail(ctx, slot, true), t))
    fail(ctx, "MemoryError", "no memory for the new value of state '%s'",
         ctx->instance->program->slots[size_t(slot)].name.c_str());
}

int64_t refrt_slot_get_scalar(refrt_ctx *ctx, int64_t slot) {
  return ctx->instance->slots[slotOrFail(ctx, slot, false)];
}

void refrt_slot_set_scalar(refrt_ctx *ctx, int64_t slot, int64_t value) {
  ctx->instance->slots[slotOrFail(ctx, slot, false)] = value;
}

void refrt_fallback(refrt_ctx *ctx, int64_t op, int64_t nargs, const int64_t *args, int64_t nresults,
                    int64_t *results) {
  FallbackRunner *runner = ctx->instance->fallbacks.get();
  if (!runner)
    fail(ctx, "RuntimeError",
         "the program runs op %lld through PyTorch, which is not attached here. do: load it from "
         "Python with torch installed",
         (long long)op);
  if (!runner->run(*ctx, op, nargs, args, nresults, results))
    longjmp(ctx->entry, 1);
}

} // extern "C"
