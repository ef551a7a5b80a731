#include "random.h"

#include "context.h"

#include <atomic>
#include <mutex>
#include <random>

namespace refrt {
namespace {

std::atomic<DrawKey> gSource{nullptr};
std::mutex gBusy;
uint64_t gState;
bool gSeeded = false;

/// splitmix64: one step of a counter, then a mixing of its bits.
int64_t step() {
  uint64_t z = gState += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return int64_t((z ^ (z >> 31)) >> 1);
}

} // namespace

void setKeySource(DrawKey draw) { gSource = draw; }

void drawOwnKey(int64_t *key) noexcept {
  std::lock_guard<std::mutex> lock(gBusy);
  if (!gSeeded) {
    std::random_device device;
    gState = uint64_t(device()) << 32 | device();
    gSeeded = true;
  }
  key[0] = step();
  key[1] = step();
}

} // namespace refrt

using namespace refrt;

extern "C" {

void refrt_manual_seed(uint64_t seed) {
  std::lock_guard<std::mutex> lock(gBusy);
  gState = seed;
  gSeeded = true;
}

void refrt_random_key(refrt_ctx *ctx, int64_t *key) {
  DrawKey draw = gSource;
  char problem[512];
  if (!draw)
    drawOwnKey(key);
  else if (!draw(key, problem, sizeof problem))
    fail(ctx, "RuntimeError", "no random numbers: %s", problem);
}

} // extern "C"
