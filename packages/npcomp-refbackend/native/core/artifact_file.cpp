#include "artifact_file.h"

#include "checksum.h"
#include "error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace refrt {

const uint8_t kMagic[8] = {0x89, 'N', 'P', 'C', '\r', '\n', 0x1A, '\n'};

namespace {

struct Prelude {
  uint8_t magic[8];
  uint32_t version, bytes;
  uint64_t headerOffset, headerSize, objectOffset, objectSize, constantsOffset, constantsSize;
  uint64_t bodySum, fileSize, sum;
  uint8_t reserved[40];
};
static_assert(sizeof(Prelude) == kPreludeBytes && offsetof(Prelude, sum) == 80, "layout of the file");

[[noreturn]] void refuse(const std::string &path, const std::string &why) { throw LoadError("'" + path + "' " + why); }

/// The whole file. Private and writable: a stray write into a constant changes a copy and never the file.
Span mapFile(const std::string &path) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    refuse(path, std::string("cannot be opened: ") + strerror(errno) + ". do: check the path");
  struct stat status;
  int problem = fstat(file, &status) != 0 ? errno : S_ISREG(status.st_mode) ? 0 : EINVAL;
  size_t size = problem ? 0 : size_t(status.st_size);
  void *memory = nullptr;
  if (size) {
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    problem = memory == MAP_FAILED ? errno : 0;
  }
  close(file);
  if (problem)
    refuse(path, std::string("cannot be read as a file: ") + strerror(problem));
  auto unmap = [size](const void *start) {
    if (start)
      munmap(const_cast<void *>(start), size);
  };
  return {static_cast<uint8_t *>(memory), size, std::shared_ptr<const void>(memory, unmap)};
}

uint64_t sumOf(const uint8_t *data, size_t size) {
  Checksum sum;
  sum.add(data, size);
  return sum.value();
}

Prelude readPrelude(const std::string &path, const Span &file) {
  Prelude prelude;
  size_t shown = file.size < sizeof kMagic ? file.size : sizeof kMagic;
  if (!shown || memcmp(file.data, kMagic, shown) != 0)
    refuse(path, "is not an npcomp artifact. do: pass a file written by save()");
  if (file.size < kPreludeBytes)
    refuse(path, "is truncated: it has " + std::to_string(file.size) + " bytes. do: copy or save it again");
  memcpy(&prelude, file.data, sizeof prelude);
  if (prelude.version > kFormatVersion)
    refuse(path, "has format version " + std::to_string(prelude.version) + ", and this npcomp-refbackend reads up to " +
                     std::to_string(kFormatVersion) + ". do: update npcomp-refbackend");
  if (prelude.sum != sumOf(file.data, offsetof(Prelude, sum)) || prelude.version == 0)
    refuse(path, "is damaged: its first bytes do not fit their checksum. do: copy or save it again");
  if (prelude.fileSize > file.size)
    refuse(path, "is truncated: it has " + std::to_string(file.size) + " of " + std::to_string(prelude.fileSize) +
                     " bytes. do: copy or save it again");
  return prelude;
}

Span part(const Span &file, uint64_t offset, uint64_t size, const std::string &path) {
  if (offset > file.size || size > file.size - offset)
    refuse(path, "is damaged: a part lies outside of the file. do: copy or save it again");
  return {file.data + offset, size, file.keeper};
}

} // namespace

ArtifactFile readArtifact(const std::string &path) {
  Span file = mapFile(path);
  Prelude prelude = readPrelude(path, file);
  if (prelude.bodySum != sumOf(file.data + kPreludeBytes, prelude.fileSize - kPreludeBytes))
    refuse(path, "is damaged: its contents do not fit their checksum. do: copy or save it again");
  Span header = part(file, prelude.headerOffset, prelude.headerSize, path);
  return {std::string(reinterpret_cast<const char *>(header.data), header.size),
          part(file, prelude.objectOffset, prelude.objectSize, path),
          part(file, prelude.constantsOffset, prelude.constantsSize, path)};
}

} // namespace refrt
