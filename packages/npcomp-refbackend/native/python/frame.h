// One call from Python while it runs.
#pragma once

#include "bridge.h"
#include "context.h"
#include "instance.h"
#include "region.h"
#include "signature.h"

#include <memory>

namespace refrt {

/// An array on the stack, or on the heap when it is larger than usual.
template <typename T, size_t N> class Buffer {
public:
  explicit Buffer(size_t count) : data(inplace) {
    if (count <= N)
      return;
    heap.reset(new T[count]);
    data = heap.get();
  }
  T &operator[](size_t i) { return data[i]; }
  T *get() { return data; }

private:
  alignas(64) T inplace[N];
  std::unique_ptr<T[]> heap;
  T *data;
};

struct Frame {
  const Signature &signature;
  refrt_ctx ctx;
  Library library = Library::None;
  PyObject *firstTensor = nullptr; // borrowed from the caller
  Buffer<int64_t, 16> arguments, results;
  Buffer<char, 2048> handles;
  Buffer<int64_t, 8> sizes; // of the dimensions that share a name, -1 before the first
  Buffer<const Argument *, 8> sizesFrom;
  size_t used = 0, handleBytes = 0;
  Buffer<PyObject *, 8> objects; // of the tensors by argument slot, borrowed; only where the signature wants them
  Buffer<Region, 4> regions;     // likewise, where the program writes to arguments
  nb::object holders;            // a list of what must live as long as the call; invalid when there is nothing

  Frame(Instance *instance, const Signature &signature)
      : signature(signature), ctx(instance), arguments(signature.argumentSlots), results(signature.resultSlots),
        handles(signature.handleBytes + 64), sizes(signature.sizeNames.size()), sizesFrom(signature.sizeNames.size()),
        objects(signature.keepsObjects ? signature.argumentSlots : 0),
        regions(signature.writesAny ? signature.argumentSlots : 0) {
    for (size_t i = 0; i < signature.sizeNames.size(); ++i)
      sizes[i] = -1;
  }

  void hold(nb::object object) {
    if (!holders.is_valid())
      holders = nb::list();
    nb::cast<nb::list>(holders).append(object);
  }
};

/// Fills the argument slots from the value of one argument. False: a Python exception is set.
bool loadArgument(Frame &frame, const Argument &argument, PyObject *value);

/// Whether the arguments that the program writes can be written apart from each other. False: a Python exception is
/// set.
bool checkTargets(Frame &frame);
/// Copies what the program wrote into the caller's tensors. False: `frame.ctx.failure` says why not.
bool storeWrites(Frame &frame, const Method &method);

/// The returned Python value from the result slots; takes over the owners of the tensors in them. Null: a Python
/// exception is set.
PyObject *buildResult(Frame &frame);
/// Gives up the owners of the tensors in the result slots.
void dropResults(Frame &frame);

} // namespace refrt
