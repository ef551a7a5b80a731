#include "write_back.h"

#include "dtype.h"
#include "strided_copy.h"
#include "tensor.h"

#include <algorithm>

namespace refrt {
namespace {

inline refrt_tensor *tensorIn(int64_t slot) { return reinterpret_cast<refrt_tensor *>(slot); }

/// Makes a result independent of the arguments' memory, which is about to change.
bool detach(int64_t &slot) {
  if (kindOf(rootOf(tensorIn(slot))) == Kind::Argument)
    slot = reinterpret_cast<int64_t>(takeExclusive(tensorIn(slot)));
  return slot != 0;
}

bool detachAll(const Method &method, const int64_t *arguments, int64_t *results) {
  for (size_t r = 0; r < method.returned; ++r)
    if (method.resultIsTensor[r] && !detach(results[r]))
      return false;
  for (size_t w = 0; w < method.written.size(); ++w) {
    int64_t &slot = results[method.returned + w];
    if (slot != arguments[method.written[w]] && !detach(slot))
      return false;
  }
  return true;
}

bool fits(const Region &region, refrt_tensor *t) {
  return region.elementBytes == elementSize(t->dtype) && region.rank == t->rank &&
         std::equal(region.sizes, region.sizes + region.rank, sizesOf(t));
}

void store(const Region &region, refrt_tensor *t) {
  int64_t to[kMaxRank], from[kMaxRank];
  byteStrides(region, to);
  for (int32_t d = 0; d < t->rank; ++d)
    from[d] = stridesOf(t)[d] * region.elementBytes;
  stridedStore(region.data, to, t->data, from, region.elementBytes, t->rank, sizesOf(t));
}

} // namespace

bool writeBack(const Method &method, const int64_t *arguments, const Region *regions, int64_t *results,
               Failure &failure) {
  bool fine = detachAll(method, arguments, results);
  if (!fine)
    failure = {"MemoryError", "no memory for a result"};
  for (size_t w = 0; fine && w < method.written.size(); ++w)
    if (!fits(regions[w], tensorIn(results[method.returned + w]))) {
      failure = {"RuntimeError", "the program gives an argument other sizes in place, which it cannot have"};
      fine = false;
    }
  for (size_t w = 0; w < method.written.size(); ++w) {
    int64_t &slot = results[method.returned + w];
    if (fine && slot != arguments[method.written[w]])
      store(regions[w], tensorIn(slot));
    if (slot)
      removeOwner(tensorIn(slot));
    slot = 0;
  }
  return fine;
}

} // namespace refrt
