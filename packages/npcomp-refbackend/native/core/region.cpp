#include "region.h"

#include "tensor.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace refrt {
namespace {

/// The bytes from the first to past the last of a region.
struct Interval {
  char *begin, *end;
  size_t index;
};

/// Adds a multiple of `step`, at most `count` times it, to an address.
struct Term {
  int64_t step, count;
};

constexpr int kMaxTerms = 2 * int(kMaxRank) + 2;

/// Whether an address difference is a sum of the terms: depth first from the largest step, which leaves few choices.
struct Search {
  Term terms[kMaxTerms];
  int64_t reach[kMaxTerms + 1], divisor[kMaxTerms + 1];
  int count = 0, budget = 20000;

  void add(int64_t step, int64_t times) {
    if (step && times)
      terms[count++] = {step, times};
  }

  void prepare() {
    std::sort(terms, terms + count, [](const Term &a, const Term &b) { return a.step > b.step; });
    reach[count] = divisor[count] = 0;
    for (int i = count - 1; i >= 0; --i) {
      reach[i] = reach[i + 1] + terms[i].step * terms[i].count;
      divisor[i] = std::gcd(divisor[i + 1], terms[i].step);
    }
  }

  bool finds(int64_t target, int at) {
    if (target == 0)
      return true;
    if (target < 0 || target > reach[at] || target % divisor[at])
      return false;
    if (--budget < 0)
      return true;
    const Term &term = terms[at];
    int64_t rest = target - reach[at + 1];
    int64_t least = rest > 0 ? (rest + term.step - 1) / term.step : 0, most = std::min(term.count, target / term.step);
    for (int64_t times = most; times >= least; --times)
      if (finds(target - times * term.step, at + 1))
        return true;
    return false;
  }
};

bool isEmpty(const Region &region) {
  return std::any_of(region.sizes, region.sizes + region.rank, [](int64_t size) { return size == 0; });
}

/// The first byte of a region, and through `reach` how far its last element begins after that.
char *lowest(const Region &region, const int64_t *strides, int64_t &reach) {
  char *first = region.data;
  reach = 0;
  for (int64_t d = 0; d < region.rank; ++d) {
    int64_t span = strides[d] * (region.sizes[d] - 1);
    first += std::min<int64_t>(span, 0);
    reach += span < 0 ? -span : span;
  }
  return first;
}

Interval intervalOf(const Region &region, size_t index) {
  int64_t strides[kMaxRank], reach;
  byteStrides(region, strides);
  char *first = lowest(region, strides, reach);
  return {first, first + reach + region.elementBytes, index};
}

} // namespace

void byteStrides(const Region &region, int64_t *strides) noexcept {
  int64_t dense = region.elementBytes;
  for (int64_t d = region.rank - 1; d >= 0; --d) {
    strides[d] = region.strides ? region.strides[d] * region.unit : dense;
    dense *= region.sizes[d];
  }
}

bool repeatsElements(const Region &region) noexcept {
  if (!region.strides || isEmpty(region))
    return false;
  for (int64_t d = 0; d < region.rank; ++d)
    if (region.sizes[d] > 1 && region.strides[d] == 0)
      return true;
  return false;
}

bool sharesMemory(const Region &a, const Region &b) noexcept {
  if (isEmpty(a) || isEmpty(b))
    return false;
  int64_t stridesA[kMaxRank], stridesB[kMaxRank], reachA, reachB;
  byteStrides(a, stridesA);
  byteStrides(b, stridesB);
  char *startA = lowest(a, stridesA, reachA), *startB = lowest(b, stridesB, reachB);
  Search search;
  for (int64_t d = 0; d < a.rank; ++d)
    search.add(stridesA[d] < 0 ? -stridesA[d] : stridesA[d], a.sizes[d] - 1);
  for (int64_t d = 0; d < b.rank; ++d)
    search.add(stridesB[d] < 0 ? -stridesB[d] : stridesB[d], b.sizes[d] - 1);
  search.add(1, a.elementBytes - 1);
  search.add(1, b.elementBytes - 1);
  search.prepare();
  return search.finds(startB - startA + reachB + b.elementBytes - 1, 0);
}

bool findOverlap(const Region *regions, const uint8_t *isWritten, size_t count, Overlap &found) {
  std::vector<Interval> sorted;
  sorted.reserve(count);
  for (size_t i = 0; i < count; ++i)
    if (!isEmpty(regions[i]))
      sorted.push_back(intervalOf(regions[i], i));
  std::sort(sorted.begin(), sorted.end(), [](const Interval &a, const Interval &b) { return a.begin < b.begin; });
  for (size_t i = 0; i < sorted.size(); ++i)
    for (size_t j = i + 1; j < sorted.size() && sorted[j].begin < sorted[i].end; ++j) {
      size_t a = sorted[i].index, b = sorted[j].index;
      if (!(isWritten[a] || isWritten[b]) || !sharesMemory(regions[a], regions[b]))
        continue;
      found = isWritten[a] ? Overlap{a, b} : Overlap{b, a};
      return true;
    }
  return false;
}

} // namespace refrt
