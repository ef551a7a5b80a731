// The file form of a program. All numbers are little-endian.
//
//   0  magic "\x89NPC\r\n\x1a\n"        32 offset, size of the object code
//   8  u32 format version               48 offset, size of the constants
//  12  u32 size of this prelude (128)   64 u64 checksum of everything after the prelude
//  16  offset, size of the JSON header  72 u64 size of the file
//                                       80 u64 checksum of bytes 0 to 80
//
// The header's "constants" rows give each constant's offset inside the constants.
#pragma once

#include "program.h"

#include <string>

namespace refrt {

constexpr uint32_t kFormatVersion = 1;
constexpr size_t kPreludeBytes = 128;
extern const uint8_t kMagic[8];

/// The parts of an artifact file, mapped: untouched pages of constants are not read before they are used.
struct ArtifactFile {
  std::string header;
  Span object, constants;
};

/// LoadError when the file cannot be read, is no artifact, is newer than this library, truncated or damaged.
ArtifactFile readArtifact(const std::string &path);

} // namespace refrt
