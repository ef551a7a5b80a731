/* The runtime of npcomp's reference backend, as compiled programs and C callers see it.
 *
 * A program is one object file whose public entries take a context, argument slots and result slots. A slot is 8 bytes:
 * a tensor handle, an int64, the bits of a double, or 0/1 for a bool. Compiled code never tests a status: a call that
 * fails inside the runtime leaves the program at once, and refrt_call reports it to its caller.
 */
#ifndef NPCOMP_REFRT_H
#define NPCOMP_REFRT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define REFRT_NORETURN [[noreturn]]
extern "C" {
#else
#define REFRT_NORETURN _Noreturn
#endif

#pragma GCC visibility push(default)

/* Grows with every change to what this header describes. */
#define REFRT_ABI 1

typedef struct refrt_ctx refrt_ctx; /* one running call */
typedef struct refrt_tensor refrt_tensor;

/* A tensor handle: this header, then `rank` sizes, then `rank` strides counted in elements. */
struct refrt_tensor {
  int64_t refcount; /* low half: references of the running call; high half: of owners that outlive it */
  void *data;       /* first element */
  int32_t rank;
  int32_t dtype; /* number of the torch ScalarType: u8 0, i8 1, i16 2, i32 3, i64 4, f16 5, f32 6, f64 7, bool 11, bf16
                    15 */
  int64_t numel;
  void *owner;                  /* what keeps `data` alive when the handle itself does not */
  void (*drop)(refrt_tensor *); /* ends the handle; null when the handle is not counted (arguments, constants) */
  refrt_tensor *prev, *next;    /* tensors that the running call owns */
  int64_t dims[];
};

typedef void (*refrt_entry)(refrt_ctx *ctx, int64_t *args, int64_t *results);
typedef void (*refrt_kernel)(refrt_tensor **operands, const int64_t *scalars, int64_t begin, int64_t end);

/* ---- called by compiled programs; a returned handle carries one reference of the call unless said otherwise ---- */

/* A dense tensor with undefined contents, 64-byte aligned. */
refrt_tensor *refrt_alloc(refrt_ctx *ctx, int32_t dtype, int64_t rank, const int64_t *sizes);
void refrt_retain(refrt_ctx *ctx, refrt_tensor *tensor);
void refrt_release(refrt_ctx *ctx, refrt_tensor *tensor);
/* A tensor over the memory of `base`, `offset` elements after its first; keeps that memory alive. */
refrt_tensor *refrt_view(refrt_ctx *ctx, refrt_tensor *base, int64_t rank, const int64_t *sizes, const int64_t *strides,
                         int64_t offset);
/* The tensor itself when it is dense row-major, else a dense copy. */
refrt_tensor *refrt_contiguous(refrt_ctx *ctx, refrt_tensor *tensor);
/* Gives up a reference of `tensor` for one to a dense tensor that may be written in place: the tensor itself when the
 * call allocated it and nothing else refers to it, else a copy. */
refrt_tensor *refrt_unique(refrt_ctx *ctx, refrt_tensor *tensor);
/* A reference to a tensor of the dtype and sizes of `tensor` to write a result to: `tensor` itself when the call
 * allocated it and the caller's is its only reference, else a fresh one. */
refrt_tensor *refrt_reuse(refrt_ctx *ctx, refrt_tensor *tensor);
/* Borrowed: retaining and releasing it does nothing. */
refrt_tensor *refrt_constant(refrt_ctx *ctx, int64_t index);
refrt_tensor *refrt_slot_get(refrt_ctx *ctx, int64_t slot);
/* Borrows `tensor`; the slot keeps a reference of its own, or a copy when the memory is an argument's. */
void refrt_slot_set(refrt_ctx *ctx, int64_t slot, refrt_tensor *tensor);
int64_t refrt_slot_get_scalar(refrt_ctx *ctx, int64_t slot);
void refrt_slot_set_scalar(refrt_ctx *ctx, int64_t slot, int64_t value);
/* Ends the call with the program's guard number `guard`, whose message may show the values. */
REFRT_NORETURN void refrt_guard_fail(refrt_ctx *ctx, int64_t guard, int64_t count, const int64_t *values);
/* Draws two numbers in [0, 2^63): the seed and the offset of one random computation. */
void refrt_random_key(refrt_ctx *ctx, int64_t *key);
/* Runs an op that the compiler did not lower through the framework that is loaded in this process. */
void refrt_fallback(refrt_ctx *ctx, int64_t op, int64_t nargs, const int64_t *args, int64_t nresults, int64_t *results);
/* Runs `kernel` over [0, extent), in pieces of at least `grain`. */
void refrt_launch(refrt_ctx *ctx, refrt_kernel kernel, refrt_tensor **operands, const int64_t *scalars, int64_t extent,
                  int64_t grain);

/* ---- called by the host of a program ---- */

typedef struct refrt_program refrt_program;   /* a loaded artifact; immutable */
typedef struct refrt_instance refrt_instance; /* a program with state of its own */

/* Why a call did not succeed. `kind` is the name of a Python exception. */
typedef struct refrt_error {
  char kind[64];
  char message[4096];
} refrt_error;

/* Loads an artifact file; null and a filled `error` when it cannot. */
refrt_program *refrt_program_open(const char *path, refrt_error *error);
void refrt_program_close(refrt_program *program); /* instances keep what they need */
refrt_instance *refrt_instance_new(refrt_program *program);
void refrt_instance_delete(refrt_instance *instance);
/* Number of the method called `name`, or -1. */
int64_t refrt_method(refrt_instance *instance, const char *name);
/* A handle on memory of the caller, which must outlive it; free it with refrt_tensor_drop. */
refrt_tensor *refrt_tensor_wrap(void *data, int32_t dtype, int64_t rank, const int64_t *sizes, const int64_t *strides);
/* Makes the random numbers of this process's programs reproducible from here on. Where torch is loaded, they follow
 * torch.manual_seed instead. */
void refrt_manual_seed(uint64_t seed);
/* Ends a wrapped tensor or a result. */
void refrt_tensor_drop(refrt_tensor *tensor);
/* Runs a method: 0 on success. Argument slots are borrowed, result slots belong to the caller and share memory with
 * nothing else. The signature in the artifact says what the slots are. Arguments that it marks `writes` have their new
 * contents afterwards, in their own memory and strides, when the call succeeds; those must not overlap with others. */
int refrt_call(refrt_instance *instance, int64_t method, int64_t *args, int64_t *results, refrt_error *error);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif /* NPCOMP_REFRT_H */
