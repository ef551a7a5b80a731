#include "context.h"

#include "dtype.h"
#include "instance.h"

#include <cstdarg>
#include <cstdio>
#include <string>

namespace refrt {
namespace {

/// The guard's message with {0}, {1}, ... replaced, and the place in the user's program.
void describeGuard(refrt_ctx &ctx) {
  const std::vector<Guard> &guards = ctx.instance->program->guards;
  if (ctx.guard < 0 || size_t(ctx.guard) >= guards.size()) {
    ctx.failure = {"RuntimeError", "guard " + std::to_string(ctx.guard) + " failed, which the program does not list"};
    return;
  }
  const Guard &guard = guards[size_t(ctx.guard)];
  std::string text;
  for (size_t i = 0; i < guard.message.size(); ++i) {
    const char *rest = guard.message.c_str() + i;
    int index, length = 0;
    if (sscanf(rest, "{%1d}%n", &index, &length) == 1 && length && index < ctx.valueCount) {
      text += std::to_string(ctx.values[index]);
      i += size_t(length) - 1;
    } else {
      text += *rest;
    }
  }
  ctx.failure = {guard.kind, guard.location.empty() ? text : text + "\n  at " + guard.location};
}

refrt_tensor *linkOrFail(refrt_ctx *ctx, refrt_tensor *t, int64_t numel, int32_t dtype) {
  if (!t)
    fail(ctx, "MemoryError", "no memory for a tensor of %lld elements of %lld bytes. do: use smaller sizes",
         (long long)numel, (long long)elementSize(dtype));
  link(ctx, t);
  return t;
}

int64_t countOrFail(refrt_ctx *ctx, int64_t rank, const int64_t *sizes) {
  int64_t numel = rank < 0 || rank > kMaxRank ? -1 : countElements(rank, sizes);
  if (numel >= 0)
    return numel;
  for (int64_t d = 0; d < rank && d < kMaxRank; ++d)
    if (sizes[d] < 0)
      fail(ctx, "RuntimeError", "a tensor with negative dimension %lld was asked for", (long long)sizes[d]);
  fail(ctx, "MemoryError", "a tensor of rank %lld with more elements than memory can hold was asked for",
       (long long)rank);
}

} // namespace

bool runEntry(refrt_ctx &ctx, refrt_entry entry, int64_t *args, int64_t *results, const uint8_t *isTensor,
              int64_t resultCount) noexcept {
  if (_setjmp(ctx.entry) == 0) {
    entry(&ctx, args, results);
    for (int64_t r = 0; r < resultCount; ++r)
      if (isTensor[r])
        addOwner(reinterpret_cast<refrt_tensor *>(results[r]));
    ctx.sweep();
    return true;
  }
  ctx.sweep();
  if (ctx.failure.kind.empty())
    describeGuard(ctx);
  return false;
}

void fail(refrt_ctx *ctx, const char *kind, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  ctx->failure.kind = kind;
  ctx->failure.message = text;
  longjmp(ctx->entry, 1);
}

} // namespace refrt

using namespace refrt;

extern "C" {

refrt_tensor *refrt_alloc(refrt_ctx *ctx, int32_t dtype, int64_t rank, const int64_t *sizes) {
  int64_t numel = countOrFail(ctx, rank, sizes);
  if (!elementSize(dtype))
    fail(ctx, "RuntimeError", "a tensor of dtype %d was asked for, which programs cannot hold", int(dtype));
  return linkOrFail(ctx, newHeapTensor(dtype, rank, sizes, numel), numel, dtype);
}

refrt_tensor *refrt_view(refrt_ctx *ctx, refrt_tensor *base, int64_t rank, const int64_t *sizes, const int64_t *strides,
                         int64_t offset) {
  int64_t numel = countOrFail(ctx, rank, sizes);
  refrt_tensor *t = linkOrFail(ctx, newHandle(Kind::View, base->dtype, rank, sizes, numel), 0, base->dtype);
  refrt_tensor *root = rootOf(base);
  t->owner = root;
  addOwner(root);
  t->data = static_cast<char *>(base->data) + offset * elementSize(base->dtype);
  for (int64_t d = 0; d < rank; ++d)
    stridesOf(t)[d] = strides[d];
  return t;
}

refrt_tensor *refrt_contiguous(refrt_ctx *ctx, refrt_tensor *t) {
  if (!isDense(t))
    return linkOrFail(ctx, copyTensor(t), t->numel, t->dtype);
  refrt_retain(ctx, t);
  return t;
}

static bool isOurs(const refrt_tensor *t) {
  return kindOf(t) == Kind::Heap && t->refcount == kCallReference && isDense(t);
}

refrt_tensor *refrt_unique(refrt_ctx *ctx, refrt_tensor *t) {
  if (isOurs(t))
    return t;
  refrt_tensor *copy = linkOrFail(ctx, copyTensor(t), t->numel, t->dtype);
  refrt_release(ctx, t);
  return copy;
}

refrt_tensor *refrt_reuse(refrt_ctx *ctx, refrt_tensor *t) {
  if (!isOurs(t))
    return refrt_alloc(ctx, t->dtype, t->rank, t->dims);
  refrt_retain(ctx, t);
  return t;
}

void refrt_guard_fail(refrt_ctx *ctx, int64_t guard, int64_t count, const int64_t *values) {
  ctx->guard = guard;
  ctx->valueCount = count < 8 ? count : 8;
  for (int64_t i = 0; i < ctx->valueCount; ++i)
    ctx->values[i] = values[i];
  longjmp(ctx->entry, 1);
}

void refrt_launch(refrt_ctx *, refrt_kernel kernel, refrt_tensor **operands, const int64_t *scalars, int64_t extent,
                  int64_t) {
  if (extent > 0)
    kernel(operands, scalars, 0, extent);
}

} // extern "C"
