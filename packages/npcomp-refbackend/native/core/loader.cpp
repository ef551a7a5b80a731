// One mapping holds everything, so that 32-bit distances between its parts always fit:
//   code, stubs | constants, address table | data
// each group on pages of its own. A stub jumps to a far function through the address table.
#include "loader.h"

#include "error.h"
#include "symbols.h"

#include <cerrno>
#include <cstring>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace refrt {
namespace {

constexpr size_t kPage = 4096, kStub = 16, kLimit = size_t(1) << 30;
enum Group { Code, ReadOnly, Data, kGroups, Skipped };

[[noreturn]] void broken(const std::string &what) {
  throw LoadError("the program's object code is broken: " + what + ". do: compile and save the program again");
}

/// A name as it can be shown, whatever bytes it has.
std::string shown(std::string name) {
  for (char &c : name)
    c = c >= ' ' && c <= '~' ? c : '?';
  return name;
}

size_t alignUp(size_t value, size_t alignment) { return (value + alignment - 1) & ~(alignment - 1); }

} // namespace

/// One load: sections are placed, symbols get addresses, relocations are applied, pages are protected.
class ObjectLoader {
public:
  ObjectLoader(LoadedObject &result, const uint8_t *bytes, size_t size) : result(result), bytes(bytes), size(size) {}

  void run() {
    readHeaders();
    planSections();
    countExternals();
    map();
    resolveSymbols();
    for (size_t i = 0; i < sections.size(); ++i)
      if (sections[i].sh_type == SHT_RELA)
        relocateSection(i);
    protect();
    collectFunctions();
  }

private:
  LoadedObject &result;
  const uint8_t *bytes;
  size_t size;
  Elf64_Ehdr header;
  std::vector<Elf64_Shdr> sections;
  std::vector<Group> groups;
  std::vector<size_t> places; // offset of each section in its group, then in the mapping
  size_t groupStart[kGroups] = {}, groupBytes[kGroups] = {};
  std::vector<Elf64_Sym> symbols;
  size_t symbolNames = 0; // section with the symbols' names
  std::vector<uint64_t> addresses;
  size_t stubStart = 0, tableStart = 0;
  bool needsLowMemory = false;

  const uint8_t *range(uint64_t offset, uint64_t length, const char *what) const {
    if (offset > size || length > size - offset)
      broken(std::string(what) + " lies outside of the object");
    return bytes + offset;
  }

  std::string nameAt(size_t section, uint64_t offset) const {
    const Elf64_Shdr &table = sections[section];
    if (table.sh_type != SHT_STRTAB || offset >= table.sh_size)
      broken("a name lies outside of the string table");
    const char *text = reinterpret_cast<const char *>(range(table.sh_offset, table.sh_size, "the string table"));
    size_t length = strnlen(text + offset, table.sh_size - offset);
    if (length == table.sh_size - offset)
      broken("a name has no end");
    return std::string(text + offset, length);
  }

  void readHeaders() {
    memcpy(&header, range(0, sizeof header, "the header"), sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB)
      broken("it is not a 64-bit little-endian ELF file");
    if (header.e_type != ET_REL || header.e_machine != EM_X86_64)
      throw LoadError("the program's object code is not relocatable x86-64 code (type " +
                      std::to_string(header.e_type) + ", machine " + std::to_string(header.e_machine) +
                      "). do: compile the program on an x86-64 machine");
    if (header.e_shentsize != sizeof(Elf64_Shdr))
      broken("section headers have an unknown size");
    sections.resize(header.e_shnum);
    const uint8_t *table = range(header.e_shoff, uint64_t(header.e_shnum) * sizeof(Elf64_Shdr), "the section table");
    if (!sections.empty())
      memcpy(sections.data(), table, sections.size() * sizeof(Elf64_Shdr));
    if (header.e_shstrndx >= sections.size())
      broken("it names no sections");
    for (const Elf64_Shdr &section : sections) {
      if (section.sh_type == SHT_SYMTAB)
        readSymbols(section);
      if (section.sh_type == SHT_REL)
        broken("it has relocations without addends");
    }
  }

  void readSymbols(const Elf64_Shdr &section) {
    if (!symbols.empty() || section.sh_entsize != sizeof(Elf64_Sym) || section.sh_link >= sections.size())
      broken("its symbol table has an unknown form");
    size_t count = section.sh_size / sizeof(Elf64_Sym);
    const uint8_t *table = range(section.sh_offset, count * sizeof(Elf64_Sym), "the symbol table");
    symbols.resize(count);
    symbolNames = section.sh_link;
    if (!symbols.empty())
      memcpy(symbols.data(), table, symbols.size() * sizeof(Elf64_Sym));
  }

  Group groupOf(const Elf64_Shdr &section, const std::string &name) const {
    if (!(section.sh_flags & SHF_ALLOC) || section.sh_type == SHT_NOTE || name.rfind(".eh_frame", 0) == 0 ||
        name.rfind(".gcc_except_table", 0) == 0)
      return Skipped;
    if (section.sh_flags & SHF_TLS)
      throw LoadError("the program's object code has thread-local variables (section " + shown(name) +
                      "), which the loader does not offer. do: compile without them");
    if (section.sh_type == SHT_INIT_ARRAY || section.sh_type == SHT_FINI_ARRAY || section.sh_type == SHT_PREINIT_ARRAY)
      throw LoadError("the program's object code has initialisers (section " + shown(name) +
                      "), which the loader does not run. do: compile without global constructors");
    if (section.sh_type != SHT_PROGBITS && section.sh_type != SHT_NOBITS && section.sh_type != SHT_X86_64_UNWIND)
      broken("section " + shown(name) + " has unknown type " + std::to_string(section.sh_type));
    if (section.sh_flags & SHF_EXECINSTR)
      return Code;
    return section.sh_flags & SHF_WRITE ? Data : ReadOnly;
  }

  size_t reserve(Group group, uint64_t length, uint64_t alignment) {
    if (alignment > kPage || (alignment & (alignment - 1)))
      broken("an alignment of " + std::to_string(alignment) + " is asked for");
    size_t place = alignUp(groupBytes[group], alignment ? alignment : 1);
    if (length > kLimit || place + length > kLimit)
      broken("it is larger than 1 GiB");
    groupBytes[group] = place + length;
    return place;
  }

  void planSections() {
    for (const Elf64_Shdr &section : sections) {
      Group group = groupOf(section, nameAt(header.e_shstrndx, section.sh_name));
      groups.push_back(group);
      places.push_back(group == Skipped ? 0 : reserve(group, section.sh_size, section.sh_addralign));
      if (group != Skipped && section.sh_type != SHT_NOBITS)
        range(section.sh_offset, section.sh_size, "a section");
    }
  }

  /// Every symbol may get a stub and an entry of the address table: small, and nothing can run out later.
  void countExternals() {
    for (Elf64_Sym &symbol : symbols)
      if (symbol.st_shndx == SHN_COMMON)
        symbol.st_value = reserve(Data, symbol.st_size, symbol.st_value); // st_value is the alignment
    stubStart = reserve(Code, symbols.size() * kStub, kStub);
    tableStart = reserve(ReadOnly, symbols.size() * 8, 8);
    for (size_t i = 0; i < sections.size(); ++i)
      if (sections[i].sh_type == SHT_RELA && applies(i))
        forRelocations(i, [&](const Elf64_Rela &relocation) {
          uint32_t type = ELF64_R_TYPE(relocation.r_info);
          needsLowMemory |= type == R_X86_64_32 || type == R_X86_64_32S;
        });
  }

  void map() {
    size_t total = 0;
    for (int group = 0; group < kGroups; ++group) {
      groupStart[group] = total;
      total += alignUp(groupBytes[group], kPage);
    }
    if (total == 0)
      broken("it holds no code");
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (needsLowMemory ? MAP_32BIT : 0);
    void *memory = mmap(nullptr, total, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED)
      throw LoadError("no memory for " + std::to_string(total) + " bytes of object code: " + strerror(errno));
    result.memory = memory;
    result.bytes = total;
    result.code = groupBytes[Code];
    stubStart += groupStart[Code];
    tableStart += groupStart[ReadOnly];
    for (size_t i = 0; i < sections.size(); ++i) {
      if (groups[i] == Skipped)
        continue;
      places[i] += groupStart[groups[i]];
      if (sections[i].sh_type != SHT_NOBITS && sections[i].sh_size)
        memcpy(base() + places[i], bytes + sections[i].sh_offset, sections[i].sh_size);
    }
  }

  uint8_t *base() const { return static_cast<uint8_t *>(result.memory); }
  uint64_t start() const { return reinterpret_cast<uint64_t>(result.memory); }

  uint64_t addressOf(const Elf64_Sym &symbol) const {
    switch (symbol.st_shndx) {
    case SHN_ABS:
      return symbol.st_value;
    case SHN_COMMON:
      return start() + groupStart[Data] + symbol.st_value;
    case SHN_UNDEF: {
      std::string name = nameAt(symbolNames, symbol.st_name);
      if (name.empty())
        return 0;
      if (void *address = resolveSymbol(name))
        return reinterpret_cast<uint64_t>(address);
      if (ELF64_ST_BIND(symbol.st_info) == STB_WEAK || name == "_GLOBAL_OFFSET_TABLE_")
        return 0;
      throw LoadError(
          "the program's object code calls '" + shown(name) +
          "', which neither the runtime nor libm nor libc has. do: update npcomp-refbackend, or compile the "
          "program again with this version");
    }
    }
    if (symbol.st_shndx >= sections.size())
      broken("a symbol lies in a section that does not exist");
    if (groups[symbol.st_shndx] == Skipped)
      return 0;
    if (symbol.st_value > sections[symbol.st_shndx].sh_size)
      broken("a symbol lies outside of its section");
    return start() + places[symbol.st_shndx] + symbol.st_value;
  }

  void resolveSymbols() {
    for (size_t i = 0; i < symbols.size(); ++i) {
      uint64_t address = addressOf(symbols[i]);
      addresses.push_back(address);
      memcpy(base() + tableStart + i * 8, &address, 8);
      writeStub(i);
    }
  }

  /// jmp *distance(%rip)
  void writeStub(size_t symbol) {
    uint8_t *stub = base() + stubStart + symbol * kStub;
    int32_t distance = int32_t(int64_t(tableStart + symbol * 8) - int64_t(stubStart + symbol * kStub + 6));
    stub[0] = 0xFF;
    stub[1] = 0x25;
    memcpy(stub + 2, &distance, 4);
    memset(stub + 6, 0xCC, kStub - 6);
  }

  bool applies(size_t section) const {
    size_t target = sections[section].sh_info;
    if (target >= sections.size())
      broken("relocations of a section that does not exist");
    return groups[target] != Skipped;
  }

  template <typename F> void forRelocations(size_t section, F visit) {
    const Elf64_Shdr &table = sections[section];
    if (table.sh_entsize != sizeof(Elf64_Rela))
      broken("relocations have an unknown size");
    const uint8_t *entries = range(table.sh_offset, table.sh_size, "a relocation table");
    for (size_t i = 0; i < table.sh_size / sizeof(Elf64_Rela); ++i) {
      Elf64_Rela relocation;
      memcpy(&relocation, entries + i * sizeof relocation, sizeof relocation);
      visit(relocation);
    }
  }

  void relocateSection(size_t section) {
    if (applies(section))
      forRelocations(section, [&](const Elf64_Rela &relocation) { relocate(sections[section].sh_info, relocation); });
  }

  void relocate(size_t target, const Elf64_Rela &relocation) {
    uint32_t type = ELF64_R_TYPE(relocation.r_info);
    size_t symbol = ELF64_R_SYM(relocation.r_info), width = type == R_X86_64_64 || type == R_X86_64_PC64 ? 8 : 4;
    if (type == R_X86_64_NONE)
      return;
    if (symbol >= symbols.size())
      broken("a relocation names a symbol that does not exist");
    if (sections[target].sh_type == SHT_NOBITS || relocation.r_offset > sections[target].sh_size ||
        width > sections[target].sh_size - relocation.r_offset)
      broken("a relocation lies outside of its section");
    size_t place = places[target] + relocation.r_offset;
    uint64_t where = start() + place, value = addresses[symbol] + uint64_t(relocation.r_addend);
    uint64_t entry = start() + tableStart + symbol * 8 + uint64_t(relocation.r_addend);
    switch (type) {
    case R_X86_64_64:
      return write64(place, value);
    case R_X86_64_PC64:
      return write64(place, value - where);
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
      if (!fits32(int64_t(value - where)) && symbols[symbol].st_shndx == SHN_UNDEF)
        value = start() + stubStart + symbol * kStub + uint64_t(relocation.r_addend);
      return write32(place, int64_t(value - where), symbol);
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
      return write32(place, int64_t(entry - where), symbol);
    case R_X86_64_32S:
      return write32(place, int64_t(value), symbol);
    case R_X86_64_32:
      if (value >> 32)
        outOfReach(symbol);
      return write32(place, int32_t(uint32_t(value)), symbol);
    }
    throw LoadError("the program's object code has relocations of type " + std::to_string(type) +
                    ", which the loader does not offer. do: compile position-independent code without thread-local "
                    "variables");
  }

  static bool fits32(int64_t value) { return value == int32_t(value); }

  [[noreturn]] void outOfReach(size_t symbol) const {
    throw LoadError("the program's object code cannot reach symbol '" +
                    shown(nameAt(symbolNames, symbols[symbol].st_name)) +
                    "' with 32 bits. do: compile position-independent code");
  }

  void write64(size_t place, uint64_t value) { memcpy(base() + place, &value, 8); }

  void write32(size_t place, int64_t value, size_t symbol) {
    if (!fits32(value))
      outOfReach(symbol);
    int32_t low = int32_t(value);
    memcpy(base() + place, &low, 4);
  }

  void protect() {
    const int kProtection[kGroups] = {PROT_READ | PROT_EXEC, PROT_READ, PROT_READ | PROT_WRITE};
    for (int group = 0; group < kGroups; ++group) {
      size_t length = alignUp(groupBytes[group], kPage);
      if (length && mprotect(base() + groupStart[group], length, kProtection[group]) != 0)
        throw LoadError(std::string("this process may not make memory executable: ") + strerror(errno) +
                        ". do: allow mprotect(PROT_EXEC) for it");
    }
  }

  void collectFunctions() {
    for (size_t i = 0; i < symbols.size(); ++i) {
      const Elf64_Sym &symbol = symbols[i];
      bool global = ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL;
      if (global && symbol.st_shndx < sections.size() && groups[symbol.st_shndx] == Code)
        result.functions[nameAt(symbolNames, symbol.st_name)] = reinterpret_cast<void *>(addresses[i]);
    }
  }
};

LoadedObject::LoadedObject(const uint8_t *bytes, size_t size) {
  try {
    ObjectLoader(*this, bytes, size).run();
  } catch (...) {
    if (memory)
      munmap(memory, this->bytes);
    throw;
  }
}

LoadedObject::~LoadedObject() { munmap(memory, bytes); }

void *LoadedObject::function(const std::string &name) const {
  auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

} // namespace refrt
