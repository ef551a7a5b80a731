// Loads ELF64 x86-64 relocatable objects into executable memory of this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace refrt {

/// An object in memory: code is executable and not writable, constants are read-only. Ends with this value.
class LoadedObject {
public:
  /// LoadError when the object is broken, needs something the loader does not offer, or names an unknown symbol.
  LoadedObject(const uint8_t *bytes, size_t size);
  ~LoadedObject();
  LoadedObject(const LoadedObject &) = delete;
  LoadedObject &operator=(const LoadedObject &) = delete;

  /// Address of a global function that the object defines; null when it defines none of this name.
  void *function(const std::string &name) const;
  size_t codeBytes() const { return code; }

private:
  friend class ObjectLoader;
  void *memory = nullptr;
  size_t bytes = 0, code = 0;
  std::unordered_map<std::string, void *> functions;
};

} // namespace refrt
